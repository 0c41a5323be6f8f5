import { onTestFinished } from 'vitest';
import { freePort } from '#cli/servers/mod.ts';
import { createEdgeNode } from '#edge/mod.ts';
import type { SiteCamera } from '#grid/mod.ts';
import type { EventRecord, HealthLine } from '#grid/wire/mod.ts';
import { type Clock, silentLog, systemClock } from '#service/mod.ts';
import { FakeCentre } from '#test/support/centre.ts';
import { CountingDevice } from '#test/support/device.ts';
import { coverDevice, edgeConfig } from '#test/support/edge.ts';
import { BRIGHT_STREET } from '#test/support/models.ts';
import { tempDir } from '#test/support/temp.ts';
import { until } from '#test/support/until.ts';
import { siteOf } from './running.ts';

// They wait for real processes; a busy machine needs longer, and a wrong result is told long before.
export const PATIENCE = { timeoutMs: 120_000 };

export interface Installed {
  model?: string;
  filesDir?: string;
  dataDir?: string;
  clock?: Clock;
}

/** A whole node with one sensor, which reports all the time, and a centre that takes what it says. */
export async function nodeWith(
  cameras: SiteCamera[],
  { model = BRIGHT_STREET, filesDir, dataDir, clock = systemClock }: Installed = {},
) {
  const centre = new FakeCentre(await freePort());
  await centre.start();
  onTestFinished(() => centre.stop());
  const config = edgeConfig({ dataDir: dataDir ?? (await tempDir()), centreUrl: centre.url, devices: [coverDevice('cover-1')] });
  const vision = { model, workers: 1, filesDir: filesDir ?? null, trustedKeys: [] };
  const node = createEdgeNode({
    config: { ...config, vision, site: { ...config.site, cameras, cells: [...config.site.cells, ...siteOf([]).cells] } },
    log: silentLog,
    clock,
  });
  await node.start();
  onTestFinished(() => node.stop());
  const device = new CountingDevice({ id: 'cover-1', port: node.brokerPort, everyMs: 200, fields: () => ({ opened: false }) });
  device.start();
  onTestFinished(() => device.stop());
  /** States of a camera in their order, each once. */
  const historyOf = (id: string): string[] => {
    const lines = centre.records('health').map((text) => JSON.parse(text) as HealthLine);
    const own = lines.flatMap((line) => (line.of === 'camera' && line.id === id ? [`${line.state} ${line.reason}`] : []));
    return own.filter((state, n) => state !== own[n - 1]);
  };
  const counted = async (metric: string): Promise<{ camera: string; reason: string; value: number }[]> => {
    const found = (await node.metrics.getSingleMetric(metric)?.get())?.values ?? [];
    return found.map(({ labels, value }) => ({ camera: String(labels.camera), reason: String(labels.reason), value }));
  };
  const failures = async (id: string): Promise<string[]> => {
    const all = await counted('gewu_camera_stream_failures_total');
    return all.flatMap(({ camera, reason, value }) => (camera === id && value > 0 ? [reason] : []));
  };
  const events = (): EventRecord[] => centre.records('events').map((text) => JSON.parse(text) as EventRecord);
  /** Readings go on to come. */
  const alive = async (): Promise<void> => {
    const before = centre.records('readings').length;
    await until(() => centre.records('readings').length > before + 3, PATIENCE);
  };
  return { node, historyOf, failures, counted, events, alive };
}
