export * from './policy.ts';
export { replayPayload } from './replay.ts';
