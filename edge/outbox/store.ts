import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Lane } from '#grid/wire/mod.ts';
import { BLOCK_RECORDS_MAX, type BlockRow, checkSpan, countOf, OpenBlock, seal } from './block.ts';
import { DeviceDrops, DROPPABLE } from './drops.ts';
import { Damaged, isDiskFull, OutboxFull } from './errors.ts';
import { takeFault } from './faults.ts';
import { type OutboxFile, openFile } from './file.ts';
import type { Chunk, CommitRequest, OutboxStats, SalvageReport, TakeRequest, WorkerOptions } from './protocol.ts';
import { COUNTERS_KEY, StateTable, toCounters } from './state.ts';
import { type LaneTable, type Measured, prepareLane } from './table.ts';

/** Looked at in one go when something has to be dropped. */
const DROP_BLOCKS = 32;
/** On a full disk so much is dropped more than is needed: pages become free one block at a time. */
const SPARE_BYTES = 128 * 1024;
const QUARANTINE_ROWS_MAX = 1000;

/**
 * The outbox's file. Runs inside the worker only. WAL with synchronous FULL: a commit that returned is on disk.
 * Throws Damaged, or an error for which `isDamage` says so, when the file has to be salvaged (see file.ts).
 */
export class OutboxStore {
  readonly #options: WorkerOptions;
  readonly #file: OutboxFile;
  readonly #db: DatabaseSync;
  readonly #lanes: Record<Lane, LaneTable>;
  readonly #begin: StatementSync;
  readonly #commit: StatementSync;
  readonly #state: StateTable;
  readonly #drops: DeviceDrops;
  /** The outbox's own clock stood so, ms, when that of the process stood at 0. */
  readonly #ageAtZeroMs: number;
  #stats: OutboxStats;

  /** `now` is monotonic ms, here and in `commit`. `damage` says that the file is known to be damaged. */
  constructor(options: WorkerOptions, now: number, damage?: string) {
    this.#options = options;
    this.#file = openFile(options, damage);
    this.#db = this.#file.db;
    try {
      this.#lanes = Object.fromEntries(options.lanes.map((lane) => [lane, prepareLane(this.#db, lane)])) as Record<
        Lane,
        LaneTable
      >;
      this.#begin = this.#db.prepare('BEGIN IMMEDIATE');
      this.#commit = this.#db.prepare('COMMIT');
      this.#state = new StateTable(this.#db);
      this.#drops = new DeviceDrops(this.#state);
      const { lanes, ageMs } = toCounters(this.#state.get(COUNTERS_KEY) as string);
      for (const lane of options.lanes) lanes[lane].lastSeq = Math.max(lanes[lane].lastSeq, options.lastSeqs?.[lane] ?? 0);
      this.#stats = lanes;
      this.#ageAtZeroMs = ageMs - now;
    } catch (error) {
      this.#file.close();
      throw error;
    }
  }

  get stats(): OutboxStats {
    return this.#stats;
  }

  /** What was done about damage when the file was opened. */
  get salvage(): SalvageReport | undefined {
    return this.#file.salvage;
  }

  /**
   * One transaction. Throws OutboxFull when the events do not fit even without all readings, or the disk is full;
   * the acknowledged rows go all the same, because they are what makes room.
   */
  commit(request: CommitRequest, now: number): void {
    try {
      this.#write(request, now);
    } catch (error) {
      const diskFull = isDiskFull(error);
      if (!(error instanceof OutboxFull) && !diskFull) throw error;
      if (request.remove.length > 0) this.#write({ ...request, rows: [], state: [] }, now);
      if (!diskFull) throw error;
      this.#makeRoom(request, error, now);
      this.#write({ ...request, remove: [] }, now);
    }
  }

  #write({ rows, state, remove }: CommitRequest, now: number): void {
    this.#atomically(now, () => {
      for (const r of remove) this.#removeRange(r.lane, r.first, r.last);
      for (const { lane, blocks } of rows) for (const block of blocks) this.#append(lane, block, now);
      for (const { key, value } of state) {
        if (value === null) this.#state.delete(key);
        else this.#state.put(key, value);
      }
      if (rows.length > 0) this.#keepQuota();
    });
  }

  /** Everything that changes the file goes through here: rows and the counters that speak of them are never apart. */
  #atomically(now: number, change: () => void): void {
    const before = copyStats(this.#stats);
    this.#begin.run();
    this.#state.begin();
    this.#drops.begin();
    try {
      change();
      this.#drops.persist(this.#state);
      this.#state.put(COUNTERS_KEY, JSON.stringify({ lanes: this.#stats, ageMs: this.#ageAtZeroMs + now }));
      takeFault(this.#options.syncFaults);
      this.#commit.run();
    } catch (error) {
      this.#stats = before;
      this.#state.rollback();
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      throw error;
    }
    this.#drops.committed();
    // Here, where the commit's own fsync has just been waited for.
    if (this.#options.syncDelayMs > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, this.#options.syncDelayMs);
  }

  /** On a full disk the oldest readings go, as at the quota: their pages are used again. */
  #makeRoom({ rows }: CommitRequest, cause: unknown, now: number): void {
    const full = () => new OutboxFull('the disk is full', { cause });
    const needed = rows.reduce((sum, { blocks }) => blocks.reduce((s, b) => s + b.length, sum), 0) + SPARE_BYTES;
    try {
      // An empty log is written from its beginning again, so that the deletion itself needs no new room.
      this.#db.exec('PRAGMA wal_checkpoint(RESTART)');
      this.#atomically(now, () => {
        let freed = 0;
        for (const lane of DROPPABLE) while (freed < needed && this.#stats[lane].records > 0) freed += this.#dropOldest(lane);
        if (freed === 0) throw full();
      });
    } catch (error) {
      if (isDiskFull(error)) throw full();
      throw error;
    }
  }

  take({ lane, from, upTo, bytesMax, countMax }: TakeRequest, now: number): Chunk | null {
    const parts: Buffer[] = [];
    const broken: OpenBlock[] = [];
    let [bytes, count, first, last, full] = [0, 0, 0, 0, false];
    for (const row of this.#lanes[lane].select.iterate(from - BLOCK_RECORDS_MAX, upTo, from)) {
      const block = new OpenBlock(lane, row as unknown as BlockRow);
      let unsound = 0;
      for (let seq = Math.max(from, block.row.first); seq <= Math.min(upTo, block.row.last); seq++) {
        if (!block.isSound(seq)) {
          unsound++;
          continue;
        }
        const line = block.line(seq);
        full = count > 0 && (bytes + line.length > bytesMax || count >= countMax);
        if (full) break;
        if (count++ === 0) first = seq;
        last = seq;
        bytes += line.length;
        parts.push(line);
      }
      if (unsound > 0) broken.push(block);
      if (full) break;
    }
    for (const block of broken) this.#quarantine(block, now);
    if (count > 0) return { first, last, count, body: new Uint8Array(join(parts, bytes).buffer) };
    // A run of broken records only: what follows may be sound.
    const after = broken.at(-1)?.row.last;
    return after === undefined ? null : this.take({ op: 'take', id: 0, lane, from: after + 1, upTo, bytesMax, countMax }, now);
  }

  readState(prefix: string): [string, string][] {
    return this.#state.entries(prefix).filter(([key]) => !key.startsWith('#'));
  }

  /** Readings dropped, by device, most first. */
  droppedByDevice(): [string, number][] {
    return this.#drops.entries();
  }

  /** Drops readings and health that are too old, the oldest first, a bounded number; true when there may be more. */
  dropAged(now: number): boolean {
    const before = this.#ageAtZeroMs + now - this.#options.ageMsMax;
    const aged = DROPPABLE.filter(
      (lane) => ((this.#lanes[lane].oldest.get(1) as Measured | undefined) ?? { ts: before }).ts < before,
    );
    if (aged.length > 0)
      this.#atomically(now, () => {
        for (const lane of aged) this.#dropOldest(lane, (block) => block.ts < before);
      });
    return aged.length > 0;
  }

  /** Copies everything into the main file and syncs it: nothing that only the page cache knows is built upon. */
  settle(): void {
    const { busy } = this.#db.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get() as { busy: number };
    if (busy !== 0) throw new Error('the outbox could not be settled: another process reads it');
  }

  close(): void {
    this.#file.close();
  }

  #append(lane: Lane, block: Uint8Array, now: number): void {
    const stats = this.#stats[lane];
    const count = countOf(block);
    const row = { first: stats.lastSeq + 1, last: stats.lastSeq + count, ts: Math.floor(this.#ageAtZeroMs + now), block };
    seal(lane, row);
    this.#insert(lane, row);
    stats.lastSeq = row.last;
  }

  #insert(lane: Lane, { first, last, ts, block }: BlockRow): void {
    this.#lanes[lane].insert.run(first, last, ts, block);
    const stats = this.#stats[lane];
    stats.records += last - first + 1;
    stats.bytes += block.length;
  }

  #delete(lane: Lane, { first, last, bytes }: Omit<Measured, 'ts'>): void {
    checkSpan({ first, last });
    this.#lanes[lane].delete.run(first);
    const stats = this.#stats[lane];
    stats.records -= last - first + 1;
    stats.bytes -= bytes;
  }

  #removeRange(lane: Lane, first: number, last: number): void {
    const blocks = this.#lanes[lane].measure.all(first - BLOCK_RECORDS_MAX, last, first) as unknown as Measured[];
    for (const block of blocks) {
      const inside = block.first >= first && block.last <= last;
      if (!inside) this.#trim(lane, block, first, last);
      else this.#delete(lane, block);
    }
  }

  /** Takes records out of the middle, or an end, of a block. What is broken in the rest goes too, and is counted. */
  #trim(lane: Lane, measured: Measured, first: number, last: number): void {
    const open = this.#open(lane, measured.first);
    const rest = [
      ...open.sound(measured.first, Math.min(first - 1, measured.last)),
      ...open.sound(Math.max(last + 1, measured.first)),
    ];
    const [removed, kept] = [
      Math.min(last, measured.last) - Math.max(first, measured.first) + 1,
      rest.reduce((sum, row) => sum + row.last - row.first + 1, 0),
    ];
    this.#delete(lane, measured);
    for (const row of rest) this.#insert(lane, row);
    this.#stats[lane].quarantined += measured.last - measured.first + 1 - removed - kept;
  }

  #open(lane: Lane, first: number): OpenBlock {
    const row = this.#lanes[lane].block.get(first);
    if (row === undefined) throw new Damaged(`block ${first} of ${lane} is there and is not`);
    return new OpenBlock(lane, row as unknown as BlockRow);
  }

  /** At the quota the oldest readings go first, then health, never events. */
  #keepQuota(): void {
    const total = () => this.#options.lanes.reduce((sum, lane) => sum + this.#stats[lane].bytes, 0);
    const { quotaBytes } = this.#options;
    while (total() > quotaBytes) {
      const lane = DROPPABLE.find((l) => this.#stats[l].records > 0);
      if (lane === undefined) throw new OutboxFull(`the outbox holds ${total()} B of events, its quota is ${quotaBytes} B`);
      this.#dropOldest(lane, () => total() > quotaBytes);
    }
  }

  /** Bytes freed. Goes on, block by block, as long as `more` says so of the next one. */
  #dropOldest(lane: Lane, more: (block: Measured) => boolean = () => true): number {
    let bytes = 0;
    const blocks = this.#lanes[lane].oldest.all(DROP_BLOCKS) as unknown as Measured[];
    // The counters say that there are some: an endless search would follow.
    if (blocks.length === 0) throw new Damaged(`${lane} is empty, and its counters say that it is not`);
    for (const block of blocks) {
      if (!more(block)) break;
      if (lane === 'readings') this.#countDrops(this.#open(lane, block.first));
      this.#delete(lane, block);
      this.#stats[lane].dropped += block.last - block.first + 1;
      bytes += block.bytes;
    }
    return bytes;
  }

  #countDrops(block: OpenBlock): void {
    for (let seq = block.row.first; seq <= block.row.last; seq++) this.#drops.add(block.line(seq));
  }

  /** Records whose checksums do not hold are set aside; the others of the block stay. */
  #quarantine(block: OpenBlock, now: number): void {
    const { lane, row } = block;
    const sound = block.sound();
    const kept = new Set(sound.flatMap(({ first, last }) => Array.from({ length: last - first + 1 }, (_, i) => first + i)));
    this.#atomically(now, () => {
      const put = this.#db.prepare('INSERT INTO quarantine(lane, seq, line) VALUES(?, ?, ?)');
      for (let seq = row.first; seq <= row.last; seq++) if (!kept.has(seq)) put.run(lane, seq, block.line(seq));
      // Kept for a look at what the disk did, the newest of them.
      this.#db.exec(`DELETE FROM quarantine WHERE id <= (SELECT max(id) FROM quarantine) - ${QUARANTINE_ROWS_MAX}`);
      this.#delete(lane, { first: row.first, last: row.last, bytes: row.block.length });
      for (const part of sound) this.#insert(lane, part);
      this.#stats[lane].quarantined += row.last - row.first + 1 - kept.size;
    });
  }
}

function copyStats({ events, health, readings }: OutboxStats): OutboxStats {
  return { events: { ...events }, health: { ...health }, readings: { ...readings } };
}

/** In memory of their own, to be handed over. */
function join(parts: readonly Buffer[], bytes: number): Uint8Array {
  const joined = new Uint8Array(bytes);
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
