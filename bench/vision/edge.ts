import { createCameraPipeline } from '#edge/cameras/mod.ts';
import { evidenceAlone } from '#edge/evidence/mod.ts';
import { createMetrics, silentLog, systemClock } from '#service/mod.ts';
import { SHIPPED_MODEL } from './model.ts';
import { visionSite } from './site.ts';

/** The cameras of an edge node, with everything from the stream to the event: argv is the load and a folder. */
const [load = '', dataDir = ''] = process.argv.slice(2);
const metrics = createMetrics();
const common = { clock: systemClock, log: silentLog, dataDir, edgeId: 'edge-01' };
const evidence = evidenceAlone(common);
await evidence.start();
const pipeline = createCameraPipeline({
  site: visionSite(JSON.parse(load)),
  profile: 'default',
  vision: { model: SHIPPED_MODEL, workers: 1, filesDir: null },
  events: { emit: async () => {} },
  health: { report: async () => {} },
  caseStates: { stateOf: () => 'unknown' },
  ...common,
  metrics,
  evidence,
});
await pipeline.start();

export interface EdgeCount {
  online: number;
  analysed: number;
  /** Upper bounds of the histogram and how many pictures were looked at within them. */
  detect: [leS: number, count: number][];
}

process.on('message', async () => {
  const values = async (name: string) => (await metrics.getSingleMetric(name)?.get())?.values ?? [];
  const detect = (await values('gewu_camera_detect_seconds'))
    .filter(({ labels }) => labels.le !== undefined && labels.le !== '+Inf')
    .map(({ labels, value }): [number, number] => [Number(labels.le), value]);
  const analysed = (await values('gewu_camera_frames_analysed_total')).reduce((sum, { value }) => sum + value, 0);
  process.send?.({ online: pipeline.stats().online, analysed, detect } satisfies EdgeCount);
});
process.send?.('ready');
process.once('disconnect', () => process.exit(0));
process.once('SIGTERM', () => void pipeline.stop().then(() => process.exit(0)));
