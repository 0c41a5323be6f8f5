import { setTimeout as pause } from 'node:timers/promises';
import { type Case, FINISHED_STATES } from '#grid/mod.ts';
import { faultsToldOf } from '../faults/mod.ts';
import {
  addUp,
  type Comparison,
  compareDevice,
  type DeviceTrouble,
  Histogram,
  type IncidentOutcome,
  incidentOutcomes,
  type RunReport,
  type SeenCase,
} from '../report/mod.ts';
import type { Scenario } from '../scenarios/mod.ts';
import { type ApiClient, CaseWatch, storedCount, storedPoints, type UsageWatch } from '../target/mod.ts';
import type { LoadRun } from './run.ts';

export interface ConcludeDeps {
  run: LoadRun;
  scenario: Scenario;
  seed: number;
  part: string;
  api: ApiClient;
  cases: CaseWatch;
  /** Cases that were open before the run, by `openCases`. */
  open: readonly Case[];
  usage: UsageWatch;
}

/** What was acknowledged may still be on its way from an edge to the centre. */
const SETTLE_MS_MAX = 60_000;
const SETTLE_PROBE_MS = 500;
/** What is missing and has not got less for so long is lost. */
const STILL_MS_MAX = 5_000;
/** The store's times may be a little before the run, and devices' clocks a little ahead. */
const BEFORE_MS = 1_000;
const AFTER_MS = 600_000;
const ASKED_AT_ONCE = 4;
const TROUBLE_MAX = 10_000;

/** Asks the centre what it has of a run, and holds it against what was sent. Throws GEWU_STORE_UNAVAILABLE. */
export async function concludeRun(deps: ConcludeDeps): Promise<RunReport> {
  const { run, scenario, api, cases, usage, open } = deps;
  await settled(deps);
  const stored = await compareAll(run, api);
  // Alarms that were confirmed in the last second become cases a moment later.
  const all = await cases.all();
  const incidents = outcomesOf(run, all, cases.readableAt, open);
  const { tally, ledger, carried, table, devices } = run;
  const delays = { sensor: new Histogram(), camera: new Histogram() };
  for (const { source, delayMs } of incidents) if (delayMs !== null) delays[source].record(delayMs);
  const edges = new Set(devices.map((i) => table.edge[i]));
  return {
    version: 1,
    scenario: scenario.scenario,
    title: scenario.title,
    as: scenario.as,
    seed: deps.seed,
    parts: [deps.part],
    startedAt: run.startedAt,
    endedAt: run.endedAt,
    durationS: run.durationS,
    interrupted: run.interrupted,
    city: {
      cells: run.city.edges.filter((_, e) => edges.has(e)).reduce((sum, e) => sum + e.cells.length, 0),
      edges: edges.size,
      devices: devices.length,
      cameras: run.cameras,
    },
    readings: {
      sent: ledger.sent,
      acked: ledger.acked,
      stored: stored.sums.stored,
      lost: stored.sums.lost,
      duplicated: stored.sums.duplicated,
      unexpected: stored.sums.unexpected,
      late: tally.late,
      dropped: carried.dropped,
      inDoubt: ledger.sent - ledger.acked - carried.dropped,
    },
    events: await run.countEvents(api),
    connections: {
      clients: run.clients,
      connects: carried.connects,
      refused: carried.refused,
      resent: carried.resent,
    },
    latencies: {
      ack: tally.ack.counts,
      lag: tally.lag.counts,
      case: delays.sensor.counts,
      cameraCase: delays.camera.counts,
    },
    curve: tally.curve,
    trouble: stored.trouble,
    incidents,
    deadLetters: await deadLettersOf(run, api),
    usage: usage.points,
    limits: { lateMs: scenario.lateMs, lagP99MsMax: scenario.lagP99MsMax, thresholds: scenario.thresholds },
  };
}

/** Until as much is stored as was acknowledged, and every incident that is due has its case; or the time is over. */
async function settled({ run, api, cases, open }: ConcludeDeps): Promise<void> {
  const deadline = performance.now() + SETTLE_MS_MAX;
  while (performance.now() < deadline) {
    const missed = outcomesOf(run, await cases.all(), cases.readableAt, open).some((i) => i.outcome === 'missed');
    // Other generators may store into the same centre: that much at least must be there.
    if (!missed && (await storedCount(api, rangeOf(run))) >= run.ledger.acked) return;
    await pause(SETTLE_PROBE_MS);
  }
}

function rangeOf(run: LoadRun) {
  return { from: run.startedAt - BEFORE_MS - run.clockBackMs, to: Date.now() + AFTER_MS };
}

/** Device by device; those of which something is missing are asked for again for as long as what is missing gets less. */
async function compareAll(run: LoadRun, api: ApiClient) {
  const found = new Map<number, Comparison>();
  let [lost, lessMs] = [Number.POSITIVE_INFINITY, performance.now()];
  for (let left: readonly number[] = run.devices; ; ) {
    const queue = [...left];
    const worker = async () => {
      for (let i = queue.pop(); i !== undefined; i = queue.pop()) found.set(i, await compareOne(run, api, i));
    };
    await Promise.all(Array.from({ length: ASKED_AT_ONCE }, worker));
    left = left.filter((i) => (found.get(i)?.lost ?? 0) > 0);
    const now = left.reduce((sum, i) => sum + (found.get(i)?.lost ?? 0), 0);
    if (now < lost) [lost, lessMs] = [now, performance.now()];
    if (now === 0 || performance.now() - lessMs > STILL_MS_MAX) break;
    await pause(SETTLE_PROBE_MS);
  }
  return { sums: addUp([...found.values()]), trouble: troubleOf(run, found) };
}

async function compareOne(run: LoadRun, api: ApiClient, i: number): Promise<Comparison> {
  const device = run.table.id(i);
  const points = await storedPoints(api, device, { ...rangeOf(run), fields: ['seq'] });
  const samples = points.map(({ fields }) => ({ seq: Number(fields.seq ?? Number.NaN), intact: true }));
  return compareDevice(run.ledger, device, samples);
}

function troubleOf({ ledger, table }: LoadRun, found: ReadonlyMap<number, Comparison>): DeviceTrouble[] {
  const trouble: DeviceTrouble[] = [];
  for (const [i, { examples, ...counts }] of found) {
    const device = table.id(i);
    const acked = ledger.ackedBy(device).reduce((sum, r) => sum + r.last - r.first + 1, 0);
    const unacked = ledger.sentBy(device) - acked;
    if (counts.lost + counts.duplicated + counts.unexpected + unacked === 0 || trouble.length >= TROUBLE_MAX) continue;
    const edge = table.edges[table.edge[i] as number] ?? '';
    const which = unacked === 0 ? examples : [...examples, `not acknowledged ${device}: ${unacked} of ${acked + unacked}`];
    trouble.push({ device, edge, sent: acked + unacked, acked, ...counts, which });
  }
  return trouble.sort((a, b) => b.lost - a.lost || a.acked / a.sent - b.acked / b.sent || (a.device < b.device ? -1 : 1));
}

/** What was staged against the cases in this run's unit grids. */
function outcomesOf(
  run: LoadRun,
  all: readonly Case[],
  readableAt: ReadonlyMap<string, number>,
  open: ConcludeDeps['open'],
): IncidentOutcome[] {
  const mine = run.judges;
  // A case that no poll ever saw counts as readable now: its delay is what it is.
  const now = Date.now();
  const seen = all.filter((c) => mine(c)).map((c): SeenCase => ({ case: c, readableAt: readableAt.get(c.id) ?? now }));
  const shown = run.staged.cameras.truths(run.startedAt, run.endedAt);
  const told = run.told.truths();
  const faulty = new Map(
    run.staged.faults.map(({ what, device }) => [run.table.view(device).component, faultsToldOf(what, run.table.kind(device))]),
  );
  return incidentOutcomes(
    { due: [...told.due, ...shown.due], possible: [...told.possible, ...shown.possible], open, faulty, since: run.startedAt },
    seen,
  );
}

/** What the city works on already: the same again makes no new case. */
export async function openCases(api: ApiClient): Promise<Case[]> {
  const all = await new CaseWatch(api, 0).all();
  return all.filter((c) => !FINISHED_STATES.includes(c.state));
}

async function deadLettersOf(run: LoadRun, api: ApiClient): Promise<RunReport['deadLetters']> {
  type Counts = { items: { edge: string; hop: string; code: string; count: number }[] };
  const mine = new Set(run.devices.map((i) => run.table.edges[run.table.edge[i] as number]));
  const { items } = await api.getPatiently<Counts>(`/api/v1/dead-letters/counts?since=${run.startedAt}`);
  return items.filter((i) => mine.has(i.edge)).map(({ hop, code, count }) => ({ hop, code, count }));
}
