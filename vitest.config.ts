import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/support/longest_first.ts';

/**
 * Files that leave nothing behind in their process, and may share one: to load the code again for each of them takes longer than they
 * do. All others have a process of their own.
 */
const SHARED = [
  'test/{grid,house,properties,service}/**/*.test.ts',
  'test/edge/{config,exception,health,mapping,rules,sensors,uplink_window}.test.ts',
  'test/edge/alarms/*.test.ts',
  'test/edge/cameras/{motion,street,units,witness}.test.ts',
  'test/edge/desired/keeper.test.ts',
  'test/edge/evidence/{mask,originals,plan,release,shots,upload}.test.ts',
  'test/edge/outbox/{damage,drops,pace}.test.ts',
  'test/edge/vision/{flows,geometry,report,same_thing,tracker,watch,zones}.test.ts',
  'test/ingest/{config,lines}.test.ts',
  'test/ingest/{api,cases,correlation,deadletters,intake,notify,verdicts}/*.test.ts',
  'test/ingest/trials/compare.test.ts',
  'test/models/{fit,import,models,precision,tracking_metrics}.test.ts',
  'test/simulators/{config,scenarios}.test.ts',
  'test/simulators/{city,devices,report,target,world}/*.test.ts',
  'test/simulators/cameras/{rtsp_rtp,script,street_dataset}.test.ts',
  'test/simulators/faults/{proxy,schedule}.test.ts',
  'test/simulators/load/{capacity,numbers,schedule}.test.ts',
];

/** Whole cities, which `gewu test` runs when nothing else does. */
const CITIES = 'test/scenarios/*.test.ts';

export default defineConfig({
  test: {
    // A busy machine needs longer; what is wrong is told long before.
    testTimeout: 60_000,
    hookTimeout: 90_000,
    // A third would save a minute; with it some of those that start many processes come too late.
    maxWorkers: 2,
    pool: 'forks',
    sequence: { sequencer: LongestFirst },
    // Of the processes that tests start, as ./gewu gives it to its own.
    env: { NODE_COMPILE_CACHE: join(import.meta.dirname, 'node_modules/.cache/gewu') },
    projects: [
      { extends: true, test: { name: 'alone', include: ['test/**/*.test.ts'], exclude: [...SHARED, CITIES] } },
      { extends: true, test: { name: 'shared', include: SHARED, isolate: false } },
      { extends: true, test: { name: 'cities', include: [CITIES] } },
    ],
  },
});
