import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LANES, type Lane } from '#grid/wire/mod.ts';
import { packBlocks } from '../../../edge/outbox/block.ts';
import type { WorkerOptions } from '../../../edge/outbox/protocol.ts';
import type { OutboxStore } from '../../../edge/outbox/store.ts';

export const ALL = Number.MAX_SAFE_INTEGER;

export const storeOptions = (dir: string, more: Partial<WorkerOptions> = {}): WorkerOptions => ({
  file: join(dir, 'o.db'),
  lanes: LANES,
  quotaBytes: 1e9,
  ageMsMax: 1e12,
  syncDelayMs: 0,
  ...more,
});

export interface Change {
  rows?: Partial<Record<Lane, string[]>>;
  state?: Record<string, string | null>;
  remove?: { lane: Lane; first: number; last: number }[];
}

export function commit(store: OutboxStore, { rows = {}, state = {}, remove = [] }: Change, now = 0): void {
  store.commit(
    {
      op: 'commit',
      id: 0,
      rows: LANES.flatMap((lane) => (rows[lane] ? [{ lane, blocks: packBlocks(rows[lane].map((r) => Buffer.from(r))) }] : [])),
      state: Object.entries(state).map(([key, value]) => ({ key, value })),
      remove,
    },
    now,
  );
}

/** Everything that the store serves, in order. */
export function lines(store: OutboxStore, lane: Lane): string[] {
  const chunk = store.take({ op: 'take', id: 0, lane, from: 1, upTo: ALL, bytesMax: 1e9, countMax: 1e9 }, 0);
  return chunk === null ? [] : Buffer.from(chunk.body).toString().trimEnd().split('\n');
}

/** Main file and log, as a power cut would leave them if the page cache were the disk. */
export interface Image {
  main: Buffer;
  wal: Buffer;
}

export function readImage(dir: string): Image {
  const read = (path: string) => (existsSync(path) ? readFileSync(path) : Buffer.alloc(0));
  return { main: read(join(dir, 'o.db')), wal: read(join(dir, 'o.db-wal')) };
}

export function writeImage(dir: string, { main, wal }: Image): void {
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, 'o.db'), main);
  if (wal.length > 0) writeFileSync(join(dir, 'o.db-wal'), wal);
}
