import { setTimeout as pause } from 'node:timers/promises';
import {
  addUp,
  addUpContent,
  type Comparison,
  type Content,
  compareContent,
  compareDevice,
  type DeviceTrouble,
} from '../report/mod.ts';
import { type ApiClient, storedPoints } from '../target/mod.ts';
import type { LoadRun } from './run.ts';

const PROBE_MS = 500;
/** What is missing and has not got less for so long is lost. */
const STILL_MS_MAX = 5_000;
/** The store's times may be a little before the run, and devices' clocks a little ahead. */
const BEFORE_MS = 1_000;
const AFTER_MS = 600_000;
const ASKED_AT_ONCE = 4;
const TROUBLE_MAX = 10_000;

/** What the store has of a device's numbers, and of the values that were kept. */
interface Found {
  numbers: Comparison;
  content: Content | null;
}

export interface StoredReadings {
  sums: Comparison;
  content: Content;
  /** The worst of them, and how many more there are. */
  trouble: DeviceTrouble[];
  moreTrouble: number;
}

/** Device by device; those of which something is missing are asked for again for as long as what is missing gets less. Throws GEWU_STORE_UNAVAILABLE. */
export async function compareStored(run: LoadRun, api: ApiClient): Promise<StoredReadings> {
  const found = new Map<number, Found>();
  const lostOf = (i: number) => found.get(i)?.numbers.lost ?? 0;
  let [lost, lessMs] = [Number.POSITIVE_INFINITY, performance.now()];
  for (let left: readonly number[] = run.devices; ; ) {
    const queue = [...left];
    const worker = async () => {
      for (let i = queue.pop(); i !== undefined; i = queue.pop()) found.set(i, await compareOne(run, api, i));
    };
    await Promise.all(Array.from({ length: ASKED_AT_ONCE }, worker));
    left = left.filter((i) => lostOf(i) > 0);
    const now = left.reduce((sum, i) => sum + lostOf(i), 0);
    if (now < lost) [lost, lessMs] = [now, performance.now()];
    if (now === 0 || performance.now() - lessMs > STILL_MS_MAX) break;
    await pause(PROBE_MS);
  }
  const all = [...found.values()];
  const trouble = troubleOf(run, found);
  return {
    sums: addUp(all.map((f) => f.numbers)),
    content: addUpContent(all.flatMap((f) => f.content ?? [])),
    trouble: trouble.slice(0, TROUBLE_MAX),
    moreTrouble: Math.max(0, trouble.length - TROUBLE_MAX),
  };
}

/** UTC ms within which a run's readings lie. */
export function rangeOf({ startedAt }: LoadRun, backMs = 0): { from: number; to: number } {
  return { from: startedAt - BEFORE_MS - backMs, to: Date.now() + AFTER_MS };
}

/** All values where what was sent of them is known, otherwise the numbers alone. */
async function compareOne(run: LoadRun, api: ApiClient, i: number): Promise<Found> {
  const device = run.table.id(i);
  const kept = run.kept.of(i);
  const { first, backMs } = run.numberingOf(i);
  const points = await storedPoints(api, device, { ...rangeOf(run, backMs), ...(kept ? {} : { fields: ['seq'] }) });
  const samples = points.map(({ fields }) => ({ seq: Number(fields.seq ?? Number.NaN) - first, intact: true }));
  // Before the run stands what an earlier one has numbered otherwise.
  const own = backMs === 0 ? samples : samples.filter(({ seq }) => seq >= 1);
  return { numbers: compareDevice(run.ledger, device, own), content: kept ? compareContent(device, kept, points) : null };
}

function troubleOf({ ledger, table }: LoadRun, found: ReadonlyMap<number, Found>): DeviceTrouble[] {
  const trouble: DeviceTrouble[] = [];
  for (const [i, { numbers, content }] of found) {
    const { examples, ...counts } = numbers;
    const device = table.id(i);
    const acked = ledger.ackedBy(device).reduce((sum, r) => sum + r.last - r.first + 1, 0);
    const unacked = ledger.sentBy(device) - acked;
    const altered = content?.altered ?? 0;
    if (counts.lost + counts.duplicated + counts.unexpected + altered + unacked === 0) continue;
    const which = [...examples];
    if (content !== null && altered > 0) which.push(`altered ${device}: ${altered} of ${content.compared}`);
    if (unacked > 0) which.push(`not acknowledged ${device}: ${unacked} of ${acked + unacked}`);
    trouble.push({
      device,
      edge: table.edges[table.edge[i] as number] ?? '',
      sent: acked + unacked,
      acked,
      ...counts,
      altered,
      which,
    });
  }
  return trouble.sort(
    (a, b) => b.lost - a.lost || b.altered - a.altered || a.acked / a.sent - b.acked / b.sent || (a.device < b.device ? -1 : 1),
  );
}
