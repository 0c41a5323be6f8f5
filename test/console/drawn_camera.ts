import { distanceM, fitGround, type SiteCamera } from '#grid/mod.ts';
import { silentLog, systemClock } from '#service/mod.ts';
import {
  calibrationPoints,
  createStreetRenderer,
  RtspServer,
  SimulatedCamera,
  sceneAt,
  stageStreet,
} from '#simulators/cameras/mod.ts';
import { PASSWORD, USERNAME } from '../edge/cameras/painted.ts';
import { siteOf } from '../edge/cameras/running.ts';
import { POSE, STREET, siteCamera } from '../edge/vision/street.ts';

/** A drawn street with a stall on it, and one walker: the same from second to second, so that a page can be compared with it. */
export const SCRIPT = stageStreet({
  street: STREET,
  light: { daylight: 1, rain: 0, sunHeadingDeg: 200, shadow: 0.4 },
  seed: 3,
  stretch: [-10, 30],
  durationMs: 600_000,
  incidents: [
    { id: 'stall-1', class: 'stall', place: { alongM: 4, acrossM: -5.5 }, fromMs: -10_000, standsMs: 3_600_000, seed: 12 },
  ],
  walkersPerMinute: 4,
  carsPerMinute: 0,
  decoys: 0,
});

const renderer = createStreetRenderer(STREET, POSE);

export { POSE };

/** Points of the drawn ground, where they are in the picture and in the world. */
export const GROUND = calibrationPoints(POSE, renderer);

/** The worst that a calibration is off the drawn ground, metres, over the part of the picture in which things stand. */
export function groundErrorM(calibration: SiteCamera['calibration']): number {
  const [truth, measured] = [GROUND, calibration.points].map((points) => fitGround({ ...POSE, calibration: { points } }));
  if (!truth?.ok || !measured?.ok) return Number.POSITIVE_INFINITY;
  const [{ ground: drawn }, { ground }] = [truth, measured];
  const errors = [0.2, 0.5, 0.8].flatMap((x) =>
    [0.3, 0.6, 0.9].map((y) => {
      const [expected, got] = [drawn.at(x, y), ground.at(x, y)];
      return expected && got ? distanceM(drawn.toPosition(expected), ground.toPosition(got)) : Number.POSITIVE_INFINITY;
    }),
  );
  return Math.max(...errors);
}

/** Where the stall is: left, top, right, bottom in fractions of the picture. */
export function stallBox(): [number, number, number, number] {
  const { street, light } = SCRIPT;
  const { truth } = renderer.render({ street, light, objects: sceneAt(SCRIPT, 5000), ts: 0 });
  const [left = 0, top = 0, right = 0, bottom = 0] = truth.find((t) => t.class === 'stall')?.box ?? [];
  return [left / POSE.widthPx, top / POSE.heightPx, right / POSE.widthPx, bottom / POSE.heightPx];
}

/** Cameras that see it, at RTSP addresses of one server. */
export class DrawnStreet {
  readonly #server = new RtspServer({ config: { port: 0 }, log: silentLog, clock: systemClock });
  readonly cameras = new Map<string, SimulatedCamera>();

  async start(ids: readonly string[]): Promise<void> {
    await this.#server.start();
    for (const id of ids) {
      const config = { id, pose: POSE, script: SCRIPT, fps: 5, mount: `/${id}`, username: USERNAME, password: PASSWORD };
      const camera = new SimulatedCamera({
        config,
        server: this.#server,
        createRenderer: createStreetRenderer,
        log: silentLog,
        clock: systemClock,
      });
      await camera.start();
      this.cameras.set(id, camera);
    }
  }

  async stop(): Promise<void> {
    await Promise.all([...this.cameras.values()].map((camera) => camera.stop()));
    await this.#server.stop();
  }

  /** The site of an edge that has them, without zones. */
  site(changes: Partial<SiteCamera> = {}) {
    const cameras = [...this.cameras].map(([id, { url }]) =>
      siteCamera({ id, url, username: USERNAME, password: PASSWORD, fps: 2, zones: [], ...changes }),
    );
    return siteOf(cameras);
  }
}
