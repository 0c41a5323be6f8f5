import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type Flow, metricsOf, startFlow } from '../flow.ts';
import { childrenOf, Pinned, rssMb } from '../processes.ts';
import { rounded } from '../rounds.ts';
import { type Bench, type BenchOptions, missed } from '../types.ts';
import { until } from '../until.ts';
import { visionSite } from '../vision/site.ts';
import { type Trend, trendOf } from './trend.ts';

const CAMERAS = 4;
const FPS = 1;
const MINUTES = 30;
/** Until caches, compilers and pools are as large as they become. */
const WARM_UP_MS = 300_000;
const SAMPLE_MS = 10_000;
const [SHORT_MS, SHORT_SAMPLE_MS] = [3_000, 250];
const START_MS_MAX = 120_000;
const DROPPED_SHARE_MAX = 0.02;
const MINUTE_MS = 60_000;

/** MiB that processes hold; what several share is counted for each. */
interface Sample {
  ms: number;
  /** The edge node without its ffmpegs. */
  node: number;
  ffmpegs: number;
  centre: number;
}

/** Since the edge began. */
interface Counts {
  decoded: number;
  analysed: number;
  dropped: number;
  /** Times that a stream broke. */
  failures: number;
}

/** Cameras for a long time, on a whole edge node and a centre: whether anything grows, breaks or is lost. */
export const soakBench: Bench = {
  name: 'soak',
  summary: 'memory of an edge node with cameras over half an hour (--cameras, --fps, --minutes): flat or not, drops, failures',
  async run(options) {
    const { short, dir } = options;
    const load = { cameras: options.cameras ?? (short ? 2 : CAMERAS), fps: options.fps ?? FPS };
    const cameras = new Pinned({
      module: join(import.meta.dirname, '../vision/cameras.ts'),
      args: [String(load.cameras)],
      logFile: join(dir, 'soak-cameras.log'),
    });
    await cameras.start();
    try {
      const { port } = await cameras.message<{ port: number }>();
      const site = visionSite({ ...load, port });
      const flow = await startFlow({ dir: join(dir, 'soak'), devices: [], site, servers: false });
      try {
        await flow.startEdge();
        await untilOnline(flow, load.cameras);
        return resultOf(load, await measure(flow, options));
      } finally {
        await flow.stop();
      }
    } finally {
      await cameras.stop();
    }
  },
};

async function untilOnline(flow: Flow, cameras: number): Promise<void> {
  const online = async () => metricsOf(await flow.edgeMetrics(), 'gewu_camera_online') === cameras;
  await until('every camera online', online, { msMax: START_MS_MAX, everyMs: 200 });
}

interface Soaked {
  samples: Sample[];
  /** What was counted between the first and the last sample. */
  counts: Counts;
  ms: number;
}

async function measure(flow: Flow, { short, minutes = MINUTES, say }: BenchOptions): Promise<Soaked> {
  const [lastsMs, everyMs] = short ? [SHORT_MS, SHORT_SAMPLE_MS] : [minutes * MINUTE_MS, SAMPLE_MS];
  await pause(short ? 0 : WARM_UP_MS);
  const [before, from] = [await countsOf(flow), performance.now()];
  const samples: Sample[] = [];
  for (let n = 0; n * everyMs < lastsMs; n++) {
    await pause(Math.max(0, from + n * everyMs - performance.now()));
    const sample = await sampleOf(flow);
    samples.push(sample);
    if ((n * everyMs) % MINUTE_MS === 0) say(JSON.stringify(sample));
  }
  const after = await countsOf(flow);
  const counts = Object.fromEntries(
    Object.entries(after).map(([name, value]) => [name, value - before[name as keyof Counts]]),
  ) as unknown as Counts;
  return { samples, counts, ms: performance.now() - from };
}

async function sampleOf({ edge, centre }: Flow): Promise<Sample> {
  const ffmpegs = await Promise.all((await childrenOf(edge.pid)).map(rssMb));
  const total = ffmpegs.reduce((sum, mb) => sum + mb, 0);
  return { ms: performance.now(), node: await rssMb(edge.pid), ffmpegs: total, centre: await rssMb(centre.pid) };
}

async function countsOf(flow: Flow): Promise<Counts> {
  const text = await flow.edgeMetrics();
  const frames = (what: string): number => metricsOf(text, `gewu_camera_frames_${what}_total`);
  const failures = metricsOf(text, 'gewu_camera_stream_failures_total');
  return { decoded: frames('decoded'), analysed: frames('analysed'), dropped: frames('dropped'), failures };
}

function resultOf({ cameras, fps }: { cameras: number; fps: number }, { samples, counts, ms }: Soaked) {
  const of = (part: 'node' | 'ffmpegs' | 'centre'): Trend => trendOf(samples.map((s) => ({ ms: s.ms, value: s[part] })));
  const [node, ffmpegs, centre] = [of('node'), of('ffmpegs'), of('centre')];
  const perCamera = (mb: number): number => rounded(mb / cameras);
  const asked = (cameras * fps * ms) / 1000;
  const perMinute = Map.groupBy(samples, (s) => Math.floor((s.ms - (samples[0]?.ms ?? 0)) / MINUTE_MS));
  return {
    figures: {
      ...{ cameras, fps, minutes: rounded(ms / MINUTE_MS), samples: samples.length },
      mbPerCamera: perCamera(node.mean + ffmpegs.mean),
      nodeMb: rounded(node.mean),
      ffmpegMbPerCamera: perCamera(ffmpegs.mean),
      centreMb: rounded(centre.mean),
      nodeMbPeak: rounded(Math.max(...samples.map((s) => s.node))),
      mbPerCameraByMinute: [...perMinute.values()].map((minute) =>
        perCamera(minute.reduce((sum, s) => sum + s.node + s.ffmpegs, 0) / minute.length),
      ),
      ...slopeOf('node', node),
      ...slopeOf('ffmpegs', ffmpegs),
      ...slopeOf('centre', centre),
      analysedFps: rounded((counts.analysed * 1000) / ms / cameras),
      droppedFrames: counts.dropped,
      missingFrames: Math.max(0, Math.round(asked) - counts.decoded),
      streamFailures: counts.failures,
    },
    missed: missed({
      'memory of the edge node grows': isFlat(node),
      'memory of its ffmpegs grows': isFlat(ffmpegs),
      'memory of the centre grows': isFlat(centre),
      [`more than ${100 * DROPPED_SHARE_MAX} % of the frames dropped`]: counts.dropped <= DROPPED_SHARE_MAX * asked,
      'a stream broke': counts.failures === 0,
    }),
  };
}

/** No growth beyond the error of what was measured. */
const isFlat = ({ perHour, perHourError }: Trend): boolean => perHour <= perHourError;

const slopeOf = (name: string, { perHour, perHourError }: Trend) => ({
  [`${name}MbPerHour`]: rounded(perHour),
  [`${name}MbPerHourError`]: rounded(perHourError),
});
