import { consoleBench } from './console/bench.ts';
import { drainBench } from './drain.ts';
import { edgeBench } from './edge.ts';
import { ingestBench } from './ingest.ts';
import { latencyBench } from './latency.ts';
import { simulatorsBench } from './simulators/bench.ts';
import { soakBench } from './soak/soak.ts';
import { trackingBench } from './tracking/mod.ts';
import type { Bench } from './types.ts';
import { visionBench } from './vision/vision.ts';

export type { Bench, BenchOptions, BenchResult } from './types.ts';

export const BENCHES: readonly Bench[] = [
  edgeBench,
  ingestBench,
  latencyBench,
  drainBench,
  trackingBench,
  visionBench,
  soakBench,
  simulatorsBench,
  consoleBench,
];
