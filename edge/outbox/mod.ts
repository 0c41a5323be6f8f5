export * from './outbox.ts';
export type { Chunk, LaneStats, OutboxStats, SalvageReport, StateChange } from './protocol.ts';
