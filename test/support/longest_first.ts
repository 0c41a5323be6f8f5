import { relative } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * Files that take long, with the seconds that they took in a full run on two cores. They start first, so that no worker
 * is left alone with one of them at the end. Without a run before it, Vitest would go by the size of the files.
 */
const LONG_S: Readonly<Record<string, number>> = {
  'test/bench/bench.test.ts': 180,
  'test/console/troubled.test.ts': 125,
  'test/console/cameras.test.ts': 101,
  'test/console/ops.test.ts': 64,
  'test/chaos/chaos.test.ts': 64,
  'test/flows/loop.test.ts': 60,
  'test/edge/cameras/pipeline.test.ts': 44,
  'test/edge/flood.test.ts': 33,
  'test/console/base_map.test.ts': 31,
  'test/edge/cameras/picture.test.ts': 30,
  'test/models/street.test.ts': 30,
  'test/cli/commands.test.ts': 27,
  'test/console/live.test.ts': 27,
  'test/models/training.test.ts': 25,
  'test/ingest/live/views.test.ts': 25,
  'test/edge/uplink.test.ts': 22,
  'test/edge/alarms/flows.test.ts': 21,
  'test/edge/uplink_faults.test.ts': 20,
  'test/flows/desired.test.ts': 20,
  'test/edge/cameras/storm.test.ts': 19,
  'test/edge/live/views.test.ts': 19,
  'test/simulators/cameras/camera.test.ts': 18,
  'test/edge/outbox.test.ts': 17,
  'test/ingest/database/conformance.test.ts': 17,
  'test/simulation/uplink.test.ts': 16,
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
