import { setTimeout as pause } from 'node:timers/promises';
import type { Case } from '#grid/mod.ts';
import { faultsToldOf } from '../faults/mod.ts';
import { addUpLetters, Histogram, type IncidentOutcome, incidentOutcomes, type RunReport, type SeenCase } from '../report/mod.ts';
import type { Scenario } from '../scenarios/mod.ts';
import { type ApiClient, type CaseWatch, storedCount, type UsageWatch } from '../target/mod.ts';
import type { EdgeEventCount } from './edge_events.ts';
import type { LoadRun } from './run.ts';
import { compareStored, rangeOf } from './stored_readings.ts';

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
  /** Of edges under test. */
  edgeEvents: EdgeEventCount;
}

/** What was acknowledged may still be on its way from an edge to the centre. */
const SETTLE_MS_MAX = 60_000;
const SETTLE_PROBE_MS = 500;

/** Asks the centre what it has of a run, and holds it against what was sent. Throws GEWU_STORE_UNAVAILABLE. */
export async function concludeRun(deps: ConcludeDeps): Promise<RunReport> {
  const { run, scenario, api, cases, usage, open } = deps;
  await settled(deps);
  const stored = await compareStored(run, api);
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
    target: api.url,
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
    events: (await run.eventsToldBy(api)) ?? (await deps.edgeEvents.end(scenario.lateMs)),
    content: stored.content,
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
    moreTrouble: stored.moreTrouble,
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
    if (!missed && (await storedCount(api, rangeOf(run, run.clockBackMs))) >= run.ledger.acked) return;
    await pause(SETTLE_PROBE_MS);
  }
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

/** Of the edges that it plays, each: parts of a run add up. */
async function deadLettersOf(run: LoadRun, api: ApiClient): Promise<RunReport['deadLetters']> {
  type Counts = { items: { edge: string; hop: string; code: string; count: number }[] };
  const mine = new Set(run.devices.map((i) => run.table.edges[run.table.edge[i] as number]));
  const { items } = await api.getPatiently<Counts>(`/api/v1/dead-letters/counts?since=${run.startedAt}`);
  const own = items.filter((i) => mine.has(i.edge)).map(({ hop, code, count }) => ({ hop, code, count }));
  return addUpLetters([own]);
}
