import type { ApiClient, CaseWatch } from '#simulators/target/mod.ts';
import type { DemoCity } from './run.ts';

export interface CameraSums {
  online: number;
  analysedFps: number;
  droppedFrames: number;
}

/** Sums over the cameras, as the centre's API has them from the edges' health. */
export async function cameraSums(api: ApiClient): Promise<CameraSums> {
  const { items } = await api.get<{ items: { state: string; values?: Record<string, number> | null }[] }>(
    '/api/v1/cameras?limit=100',
  );
  const sum = (key: string) => items.reduce((total, c) => total + (c.values?.[key] ?? 0), 0);
  return {
    online: items.filter((c) => c.state === 'online').length,
    analysedFps: Math.round(sum('analysedFps') * 100) / 100,
    droppedFrames: sum('droppedFrames'),
  };
}

/** The value of a counter in the Prometheus text, summed over its labels that match. */
function counter(text: string, name: string, label = ''): number {
  let total = 0;
  for (const line of text.split('\n'))
    if (line.startsWith(`${name}{`) && line.includes(label)) total += Number(line.slice(line.lastIndexOf(' ') + 1));
  return total;
}

/** The live line: throughput, what was found, and how far the centre is behind the sensors. */
export class StatusLine {
  readonly #city: DemoCity;
  readonly #watch: CaseWatch;
  readonly #startedAt: number;
  #before = { at: performance.now(), acked: 0 };

  constructor({ city, watch, startedAt }: { city: DemoCity; watch: CaseWatch; startedAt: number }) {
    this.#city = city;
    this.#watch = watch;
    this.#startedAt = startedAt;
  }

  async next(): Promise<string> {
    const { api, report } = this.#city;
    const acked = report?.stats.sensors.acked ?? 0;
    const now = performance.now();
    const perS = ((acked - this.#before.acked) * 1000) / Math.max(1, now - this.#before.at);
    this.#before = { at: now, acked };
    const [metrics, cameras] = await Promise.all([api.fetch('/metrics').then((r) => r.text()), cameraSums(api)]);
    const stored = counter(metrics, 'gewu_intake_records_total', 'lane="readings",outcome="stored"');
    const events = counter(metrics, 'gewu_centre_events_total');
    // What devices saw acknowledged and the centre has not stored yet, in seconds of the present rate.
    const lagS = perS > 0 ? Math.max(0, acked - stored) / perS : 0;
    const seconds = Math.floor((Date.now() - this.#startedAt) / 1000);
    const time = `${String(Math.floor(seconds / 60)).padStart(2, '0')}:${String(seconds % 60).padStart(2, '0')}`;
    return `${time}  readings ${perS.toFixed(0)}/s ${stored} stored | events ${events} | cases ${this.#watch.readableAt.size} | lag ${lagS.toFixed(1)} s | cameras ${cameras.online} online, ${cameras.analysedFps.toFixed(1)} fps`;
  }
}
