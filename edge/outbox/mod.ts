export * from './outbox.ts';
export type { Chunk, LaneStats, OutboxStats, StateChange } from './protocol.ts';
