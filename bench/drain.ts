import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type Backlog, fillOutbox } from './backlog.ts';
import { type Flow, LampLoad, metricOf, startFlow } from './flow.ts';
import { LoadDevice } from './load/device.ts';
import { median, quantile, rounded } from './rounds.ts';
import { covers, DEVICE_PASSWORD, lamps } from './site.ts';
import { type Bench, type BenchOptions, type BenchResult, missed } from './types.ts';
import { until } from './until.ts';

const LAMPS = 500;
/** Of the backlog; each has one incident after the other, and the last ones take the live alarms. */
const COVERS = 3_000;
const LIVE = { readingsPerS: 2_000, eventsPerS: 50 };
const SIX_MINUTES: Backlog = { seconds: 360, ...LIVE };
const HOUR: Backlog = { seconds: 3_600, ...LIVE };
/** Beside other tests two busy cores would hardly catch up with the usual load. */
const SHORT: Backlog = { seconds: 180, readingsPerS: 300, eventsPerS: 10 };
const ROUNDS = 3;
const PROBE_MS = 100;
const DRAIN_MS_MAX = 600_000;
const RATIO_MIN = 10;
const LIVE_P95_MS_MAX = 1_000;

/** The live stream beside the backlog, which came at the same rates. */
type LiveLoad = Pick<Backlog, 'readingsPerS' | 'eventsPerS'>;

interface Drained {
  backlogRecords: number;
  drainPerS: number;
  liveP95Ms: number;
  /** When the last event of the backlog had left, as a part of the whole time. */
  eventsDoneAt: number;
  livePerS: number;
}

/** How fast a backlog leaves behind a live stream that goes on, events first. */
export const drainBench: Bench = {
  name: 'drain',
  summary: 'a backlog of six minutes (three rounds) and of an hour (once) behind a live stream (InfluxDB, PostgreSQL)',
  async run(options) {
    const { short, say } = options;
    const rounds: Drained[] = [];
    for (let round = 1; round <= (short ? 1 : ROUNDS); round++) {
      rounds.push(await drain(options, short ? SHORT : SIX_MINUTES));
      say(`round ${round}: ${JSON.stringify(rounds.at(-1))}`);
    }
    const hour = short ? null : await drain(options, HOUR);
    if (hour) say(`an hour: ${JSON.stringify(hour)}`);
    return resultOf(rounds, hour, short ? SHORT : LIVE);
  },
};

function resultOf(rounds: readonly Drained[], hour: Drained | null, { readingsPerS, eventsPerS }: LiveLoad): BenchResult {
  const of = (name: keyof Drained) => median(rounds.map((r) => r[name]));
  const live = readingsPerS + eventsPerS;
  const ratio = of('drainPerS') / live;
  const p95 = Math.max(of('liveP95Ms'), hour?.liveP95Ms ?? 0);
  return {
    figures: {
      backlogRecords: of('backlogRecords'),
      drainPerS: Math.round(of('drainPerS')),
      liveP95Ms: rounded(of('liveP95Ms')),
      ratioToLiveRate: rounded(ratio),
      eventsDoneAt: rounded(of('eventsDoneAt')),
      livePerS: Math.round(of('livePerS')),
      hourRecords: hour?.backlogRecords ?? null,
      hourDrainPerS: hour && Math.round(hour.drainPerS),
      hourRatioToLiveRate: hour && rounded(hour.drainPerS / live),
      hourLiveP95Ms: hour && rounded(hour.liveP95Ms),
    },
    missed: missed({
      [`below ${RATIO_MIN} times the live rate`]: ratio >= RATIO_MIN && (hour === null || hour.drainPerS / live >= RATIO_MIN),
      [`live p95 not below ${LIVE_P95_MS_MAX} ms`]: p95 < LIVE_P95_MS_MAX,
      'the live stream was slowed down': of('livePerS') >= 0.95 * live,
    }),
  };
}

async function drain({ dir: parent }: BenchOptions, backlog: Backlog): Promise<Drained> {
  const dir = join(parent, 'drain-bench');
  const [lampSites, coverSites] = [lamps(LAMPS), covers(COVERS)];
  const flow = await startFlow({ dir, devices: [...lampSites, ...coverSites], servers: true });
  const load = new LampLoad({ dir });
  const live = new LiveStream(flow, backlog.eventsPerS);
  try {
    const { readings, events } = await fillOutbox(flow.edgeDataDir, { lamps: lampSites, covers: coverSites }, backlog);
    const startedAt = performance.now();
    await flow.startEdge();
    await load.start({ port: flow.brokerPort, devices: LAMPS - 1, window: 100, ratePerS: backlog.readingsPerS });
    await live.start();
    const { eventsMs, wholeMs } = await untilDrained(flow, backlog, startedAt);
    const { acked } = await load.tell({ do: 'count' });
    const livePerS = ((acked + live.alarms) * 1000) / live.runningMs;
    // A short backlog may be gone before the first live reading was looked for.
    await until('a live reading', async () => live.latenciesMs[0] ?? null);
    await live.stop();
    return {
      backlogRecords: readings + events,
      drainPerS: ((readings + events) * 1000) / wholeMs,
      liveP95Ms: quantile(live.latenciesMs, 0.95),
      eventsDoneAt: eventsMs / wholeMs,
      livePerS,
    };
  } finally {
    await live.stop();
    await load.stop();
    await flow.stop();
    await rm(dir, { recursive: true, force: true });
  }
}

/** Drained when no more waits than a live stream has on its way. */
async function untilDrained({ edgeMetrics }: Flow, { readingsPerS, eventsPerS }: LiveLoad, startedAt: number) {
  let eventsMs: number | null = null;
  for (;;) {
    const text = await edgeMetrics();
    const now = performance.now() - startedAt;
    const waiting = (lane: string) => metricOf(text, `gewu_outbox_records{lane="${lane}"}`);
    if (eventsMs === null && waiting('events') <= eventsPerS) eventsMs = now;
    if (eventsMs !== null && waiting('readings') <= readingsPerS) return { eventsMs, wholeMs: now };
    if (now > DRAIN_MS_MAX) throw new Error(`the backlog has not drained in ${DRAIN_MS_MAX} ms`);
    await pause(PROBE_MS);
  }
}

/** Alarms at a rate, each of another cover, and a probe that sees how late a fresh reading can be read. */
class LiveStream {
  readonly #flow: Flow;
  readonly #eventsPerS: number;
  readonly latenciesMs: number[] = [];
  alarms = 0;
  #startedAt = 0;
  #running = false;
  #loops: Promise<void>[] = [];
  #open: LoadDevice[] = [];

  constructor(flow: Flow, eventsPerS: number) {
    this.#flow = flow;
    this.#eventsPerS = eventsPerS;
  }

  get runningMs(): number {
    return performance.now() - this.#startedAt;
  }

  async start(): Promise<void> {
    this.#startedAt = performance.now();
    this.#running = true;
    this.#loops = [this.#raise(), this.#probe()];
  }

  async stop(): Promise<void> {
    this.#running = false;
    await Promise.all(this.#loops.splice(0));
    for (const device of this.#open.splice(0)) device.close();
  }

  async #raise(): Promise<void> {
    const sites = covers(COVERS);
    while (this.#running) {
      const due = Math.floor((this.runningMs * this.#eventsPerS) / 1000);
      for (; this.alarms < due; this.alarms++) {
        const { id } = sites[this.alarms % COVERS] as { id: string };
        const fields = () => ({ tilt_deg: 120 });
        const cover = new LoadDevice({ port: this.#flow.brokerPort, id, password: DEVICE_PASSWORD, window: 1, fields });
        this.#open.push(cover);
        await cover.connect();
        cover.publishOne();
      }
      await pause(PROBE_MS / 5);
    }
  }

  async #probe(): Promise<void> {
    const { id } = lamps(LAMPS).at(-1) as { id: string };
    const { api, brokerPort } = this.#flow;
    const probe = new LoadDevice({ port: brokerPort, id, password: DEVICE_PASSWORD, window: 1, fields: () => ({ lux: 1 }) });
    this.#open.push(probe);
    await probe.connect();
    for (let seq = 1; this.#running; seq++) {
      const publishedAt = performance.now();
      probe.publishOne();
      while (this.#running) {
        const { items } = await api.get<{ items: { fields: { seq: number } }[] }>(`/api/v1/readings/latest?devices=${id}`);
        if (items[0]?.fields.seq === seq) {
          this.latenciesMs.push(performance.now() - publishedAt);
          break;
        }
        await pause(PROBE_MS / 5);
      }
      await pause(PROBE_MS);
    }
  }
}
