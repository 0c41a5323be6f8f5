import { relative } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * Files that take long, with the seconds that they took in a full run on two cores. They start first, so that no worker
 * is left alone with one of them at the end. Without a run before it, Vitest would go by the size of the files.
 */
const LONG_S: Readonly<Record<string, number>> = {
  'test/bench/bench.test.ts': 241,
  'test/console/cameras.test.ts': 160,
  'test/console/troubled.test.ts': 117,
  'test/console/ops.test.ts': 95,
  'test/chaos/chaos.test.ts': 66,
  'test/models/training.test.ts': 60,
  'test/flows/loop.test.ts': 49,
  'test/simulators/load/processes.test.ts': 44,
  'test/flows/desired.test.ts': 43,
  'test/edge/cameras/damaged.test.ts': 41,
  'test/edge/flood.test.ts': 36,
  'test/edge/cameras/picture.test.ts': 36,
  'test/cli/commands.test.ts': 36,
  'test/edge/cameras/faulty.test.ts': 35,
  'test/edge/live/limits.test.ts': 34,
  'test/console/base_map.test.ts': 34,
  'test/ingest/database/conformance.test.ts': 32,
  'test/models/street.test.ts': 30,
  'test/ingest/live/views.test.ts': 30,
  'test/console/live.test.ts': 29,
  'test/edge/cameras/pipeline.test.ts': 26,
  'test/edge/live/views.test.ts': 23,
  'test/ingest/devices/stores.test.ts': 22,
  'test/flows/promotion.test.ts': 22,
  'test/edge/uplink.test.ts': 22,
  'test/edge/cameras/storm.test.ts': 22,
  'test/edge/uplink_faults.test.ts': 21,
  'test/simulators/cameras/camera.test.ts': 18,
  'test/simulation/uplink.test.ts': 16,
  'test/ingest/centre.test.ts': 15,
  'test/flows/kill.test.ts': 15,
  'test/flows/evidence.test.ts': 15,
};

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const usual = await super.sort(files);
    const seconds = ({ moduleId }: TestSpecification) => LONG_S[relative(this.ctx.config.root, moduleId)] ?? 0;
    return usual.toSorted((a, b) => seconds(b) - seconds(a));
  }
}
