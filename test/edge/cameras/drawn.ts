import { silentLog, systemClock } from '#service/mod.ts';
import {
  createStreetRenderer,
  RtspServer,
  SimulatedCamera,
  type StagePlan,
  type StreetScript,
  stageStreet,
} from '#simulators/cameras/mod.ts';
import { POSE, STREET } from '../vision/street.ts';
import { type Finish, PASSWORD, PATH, USERNAME } from './painted.ts';

const DAY: StagePlan['light'] = { daylight: 1, rain: 0, sunHeadingDeg: 200, shadow: 0.4 };

/** A street by day, empty but for what the plan says. */
export function drawnStreet(plan: Partial<StagePlan>): StreetScript {
  return stageStreet({
    ...{ street: STREET, light: DAY, seed: 3, stretch: [-10, 30], durationMs: 60_000, incidents: [] },
    ...{ walkersPerMinute: 0, carsPerMinute: 0, decoys: 0 },
    ...plan,
  });
}

/** A camera at the end of a real RTSP address over a drawn street. */
export async function drawnCamera(onTestFinished: Finish, plan: Partial<StagePlan>, { fps = 5 } = {}): Promise<SimulatedCamera> {
  const server = new RtspServer({ config: { port: 0 }, log: silentLog, clock: systemClock });
  await server.start();
  const script = drawnStreet(plan);
  const camera = new SimulatedCamera({
    config: { id: 'cam-01', pose: POSE, script, fps, mount: PATH, username: USERNAME, password: PASSWORD },
    server,
    createRenderer: createStreetRenderer,
    log: silentLog,
    clock: systemClock,
  });
  await camera.start();
  onTestFinished(async () => {
    await camera.stop();
    await server.stop();
  });
  return camera;
}
