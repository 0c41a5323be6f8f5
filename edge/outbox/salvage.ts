import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Lane } from '#grid/wire/mod.ts';
import { BLOCK_RECORDS_MAX, type BlockRow, OpenBlock } from './block.ts';
import { FreshFile } from './fresh.ts';
import { type Column, PageReader, rawRows } from './pages.ts';
import type { SalvageReport, WorkerOptions } from './protocol.ts';
import { COUNTERS_KEY, type Counters, noCounters, type StateRow, toCounters, toStateRow } from './state.ts';
import type { Overlay, Wal } from './wal.ts';

/**
 * A damaged file is replaced by what can be read of it. A kill at any moment leaves one of these, and the next start
 * goes on from there:
 *
 *   damaged                     salvage from the beginning
 *   damaged, .salvaging         the same: how far that one came nobody knows
 *   damaged, .salvaged          all is saved and synced: move the damaged one aside, the saved one in its place
 *   .salvaged                   move the saved one in its place
 */
export const partialOf = (file: string) => `${file}.salvaging`;
const savedOf = (file: string) => `${file}.salvaged`;
const QUARANTINE_FOLDER = 'quarantine';
const QUARANTINED_FILES_MAX = 3;
/** How much further sequence numbers go on: some may have been given that no row tells of any more. */
const SEQUENCE_JUMP = 1_000_000;

export interface SalvageInput {
  options: WorkerOptions;
  wal: Wal | null;
  reason: string;
  /** Lets go of the damaged file. */
  release(): void;
}

export function salvage({ options, wal, reason, release }: SalvageInput): SalvageReport {
  const { file, lanes } = options;
  const found = { state: new Map<string, StateRow>(), counters: null as StateRow | null };
  const fresh = new FreshFile(partialOf(file), options, () => removeQuarantined(file, 0, 0));
  try {
    for (const overlay of viewsOf(wal))
      try {
        readView({ file, bytes: wal?.bytes ?? Buffer.alloc(0), overlay, lanes }, fresh, found);
      } catch (error) {
        // Bytes that our reader does not know how to doubt: what it has read so far counts, and the node starts.
        if (!(error instanceof RangeError || error instanceof TypeError || error instanceof SyntaxError)) throw error;
      }
    const known = found.counters ? toCounters(found.counters.value) : noCounters(lanes);
    const now = fresh.finish(found.state.values(), (stored) => countersOf(stored, known, lanes));
    const perLane = (value: (lane: Lane) => number) =>
      Object.fromEntries(lanes.map((lane) => [lane, value(lane)])) as Record<Lane, number>;
    const saved = perLane((lane) => now.lanes[lane].records);
    const lost = perLane((lane) => now.lanes[lane].quarantined - known.lanes[lane].quarantined);
    syncPath(partialOf(file));
    renameSync(partialOf(file), savedOf(file));
    syncPath(dirname(file));
    release();
    const quarantine = finishSwap(file) as string;
    const report = { reason, saved, lost, quarantine };
    writeFileSync(join(quarantine, 'report.json'), `${JSON.stringify(report, null, 2)}\n`);
    removeQuarantined(file, QUARANTINED_FILES_MAX, options.quotaBytes);
    return report;
  } catch (error) {
    fresh.abandon();
    release();
    throw error;
  }
}

/** Completes the exchange of a damaged file for the saved one, if one had begun; gives back where the damaged one lies. */
export function finishSwap(file: string): string | null {
  if (!existsSync(savedOf(file))) return null;
  const quarantine = join(dirname(file), QUARANTINE_FOLDER, `${basename(file)}-${Date.now()}`);
  mkdirSync(quarantine, { recursive: true });
  // The log first, and the journal of the file's first minute: beside the saved file they would be taken for its own.
  for (const name of [`${file}-wal`, `${file}-shm`, `${file}-journal`, file])
    if (existsSync(name)) renameSync(name, join(quarantine, basename(name)));
  syncPath(dirname(file));
  renameSync(savedOf(file), file);
  syncPath(dirname(file));
  return quarantine;
}

/** As SQLite sees the file, and then with what stands behind a damaged frame: each may hold rows that the other lost. */
function viewsOf(wal: Wal | null): Overlay[] {
  if (wal === null) return [new Map()];
  return wal.commitsBeyond > 0 ? [wal.prefix, wal.all] : [wal.prefix];
}

interface View {
  file: string;
  bytes: Buffer;
  overlay: Overlay;
  lanes: readonly Lane[];
}

function readView(
  { file, bytes, overlay, lanes }: View,
  fresh: FreshFile,
  found: { state: Map<string, StateRow>; counters: StateRow | null },
): void {
  const reader = new PageReader(file, { bytes, overlay });
  // State of a commit that is not whole may tell of an event that is not there: it is taken from the first view that has any.
  const takeState = found.state.size === 0;
  try {
    for (const { rowid, columns } of rawRows(reader)) {
      const state = toStateRow(columns.slice(1));
      if (state?.key === COUNTERS_KEY) found.counters = newer(found.counters, state);
      else if (state && takeState) found.state.set(state.key, newer(found.state.get(state.key) ?? null, state));
      else if (!state) addBlock(fresh, lanes, rowid, columns);
    }
  } finally {
    reader.close();
  }
}

function newer(a: StateRow | null, b: StateRow): StateRow {
  return a !== null && a.revision > b.revision ? a : b;
}

/** The lane is not written in the row, but its checksums hold in one lane only. */
function addBlock(fresh: FreshFile, lanes: readonly Lane[], first: number, [, last, ts, block]: readonly Column[]): void {
  if (typeof last !== 'number' || typeof ts !== 'number' || !(block instanceof Uint8Array)) return;
  const row: BlockRow = { first, last, ts, block };
  if (!(last >= first && last - first < BLOCK_RECORDS_MAX)) return;
  for (const lane of lanes) {
    const sound = new OpenBlock(lane, row).sound();
    for (const part of sound) fresh.add(lane, part);
    if (sound.length > 0) return;
  }
}

function countersOf(stored: Counters, known: Counters, lanes: readonly Lane[]): Counters {
  const counters = noCounters(lanes);
  counters.ageMs = Math.max(stored.ageMs, known.ageMs);
  for (const lane of lanes) {
    const [now, before] = [stored.lanes[lane], known.lanes[lane]];
    counters.lanes[lane] = {
      ...now,
      lastSeq: Math.max(now.lastSeq, before.lastSeq) + SEQUENCE_JUMP,
      dropped: before.dropped,
      quarantined: before.quarantined + Math.max(0, before.records - now.records),
    };
  }
  return counters;
}

/** Damaged files are for a look at what the disk did: the newest few, within the size of a queue. */
function removeQuarantined(file: string, filesMax: number, bytesMax: number): void {
  const folder = join(dirname(file), QUARANTINE_FOLDER);
  if (!existsSync(folder)) return;
  const newestFirst = readdirSync(folder).sort().reverse();
  let bytes = 0;
  newestFirst.forEach((name, i) => {
    const path = join(folder, name);
    for (const part of readdirSync(path)) bytes += statSync(join(path, part)).size;
    if (i >= filesMax || (i > 0 && bytes > bytesMax)) rmSync(path, { recursive: true, force: true });
  });
}

/** A file's content, or a folder's names, are on disk when it returns. */
function syncPath(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
