import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Case } from '#grid/mod.ts';
import { type Flow, LampLoad, startFlow } from './flow.ts';
import { LoadDevice } from './load/device.ts';
import { quantile, rounded } from './rounds.ts';
import { covers, DEVICE_PASSWORD, lamps } from './site.ts';
import { type Bench, type BenchOptions, missed } from './types.ts';

const LAMPS = 500;
const BACKGROUND_PER_S = 5_000;
const ALARMS = 300;
const ALARM_EVERY_MS = 50;
const WARM_UP_MS = 3_000;
const LATE_MS_MAX = 10_000;
const P50_MS_MAX = 50;
const P99_MS_MAX = 250;
/** Beyond upright a cover's rule confirms nothing: the clock measures the way alone. */
const OVERTURNED = { tilt_deg: 120 };

/** From a device's publish to the case that the API returns, while 5,000 readings a second pass the same way. */
export const latencyBench: Bench = {
  name: 'latency',
  summary: 'ms from a device to its case in the API, with 5,000 readings/s in the background (InfluxDB, PostgreSQL)',
  async run(options) {
    const alarms = options.short ? ALARMS / 5 : ALARMS;
    const dir = join(options.dir, 'latency-bench');
    const flow = await startFlow({ dir, devices: [...lamps(LAMPS), ...covers(alarms)], servers: true });
    const load = new LampLoad({ dir });
    try {
      await flow.startEdge();
      await load.start({ port: flow.brokerPort, devices: LAMPS, window: 100, ratePerS: BACKGROUND_PER_S });
      await pause(options.short ? WARM_UP_MS / 6 : WARM_UP_MS);
      const before = { at: performance.now(), acked: (await load.tell({ do: 'count' })).acked };
      const latencies = await measure(flow, alarms, options);
      const acked = (await load.tell({ do: 'count' })).acked - before.acked;
      const perS = (acked * 1000) / (performance.now() - before.at);
      return resultOf(latencies, alarms, perS);
    } finally {
      await load.stop();
      await flow.stop();
    }
  },
};

function resultOf(latencies: readonly number[], alarms: number, backgroundPerS: number) {
  const [p50, p99] = [quantile(latencies, 0.5), quantile(latencies, 0.99)];
  return {
    figures: {
      p50Ms: rounded(p50),
      p99Ms: rounded(p99),
      maxMs: rounded(Math.max(...latencies)),
      alarms,
      casesReadable: latencies.length,
      backgroundReadingsPerS: Math.round(backgroundPerS),
    },
    missed: missed({
      [`${alarms - latencies.length} alarms without a case`]: latencies.length === alarms,
      [`p50 not below ${P50_MS_MAX} ms`]: p50 < P50_MS_MAX,
      [`p99 not below ${P99_MS_MAX} ms`]: p99 < P99_MS_MAX,
      [`background below ${BACKGROUND_PER_S} readings/s`]: backgroundPerS >= 0.99 * BACKGROUND_PER_S,
    }),
  };
}

/** ms of each alarm whose case became readable. */
async function measure(flow: Flow, alarms: number, { say }: BenchOptions): Promise<number[]> {
  const sites = covers(alarms);
  const publishedAt = new Map<string, number>();
  const latencies: number[] = [];
  const watching = new AbortController();
  const watched = watchCases(flow, watching.signal, (found, at) => {
    const { component = '' } = found.place;
    const from = publishedAt.get(component);
    if (from === undefined) return;
    publishedAt.delete(component);
    latencies.push(at - from);
  });
  for (const { id, component } of sites) {
    const cover = new LoadDevice({ port: flow.brokerPort, id, password: DEVICE_PASSWORD, window: 1, fields: () => OVERTURNED });
    await cover.connect();
    publishedAt.set(component, performance.now());
    cover.publishOne();
    await pause(ALARM_EVERY_MS);
  }
  for (const deadline = performance.now() + LATE_MS_MAX; publishedAt.size > 0 && performance.now() < deadline; ) await pause(50);
  watching.abort();
  await watched;
  say(`${latencies.length} of ${alarms} cases readable`);
  return latencies;
}

/** Follows the live stream as a console would, and reads each case that it names. */
async function watchCases({ api }: Flow, signal: AbortSignal, found: (c: Case, at: number) => void): Promise<void> {
  const response = await fetch(`${api.url}/api/v1/stream?of=case`, { headers: api.headers, signal });
  const decoder = new TextDecoder();
  let text = '';
  try {
    for await (const chunk of response.body ?? []) {
      text += decoder.decode(chunk as Uint8Array, { stream: true });
      const messages = text.split('\n\n');
      text = messages.pop() ?? '';
      for (const message of messages) {
        const id = /"id":"([^"]+)"/.exec(message)?.[1];
        if (id !== undefined) void api.get<Case>(`/api/v1/cases/${id}`).then((c) => found(c, performance.now()));
      }
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
