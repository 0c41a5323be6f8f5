import { setTimeout as pause } from 'node:timers/promises';
import { silentLog, systemClock } from '#service/mod.ts';
import {
  type AccessUnit,
  createStreetRenderer,
  H264Encoder,
  type RtspMount,
  RtspServer,
  sceneAt,
  stageStreet,
} from '#simulators/cameras/mod.ts';
import { ORIGIN, PASSWORD, POSE, pathOf, USERNAME } from './site.ts';

/**
 * N cameras on one RTSP server: ten seconds of a drawn street, coded once and sent over and over, so that the cameras cost next
 * to nothing beside what is measured. Each is a little further in it than the one before.
 */
const FPS = 10;
const LOOP_S = 10;
const LIGHT = { daylight: 1, rain: 0, sunHeadingDeg: 200, shadow: 0.4 };

const count = Number(process.argv[2]);
const server = new RtspServer({ config: { port: 0, connectionsMax: 4 * count + 16 }, log: silentLog, clock: systemClock });
await server.start();
const mounts: RtspMount[] = Array.from({ length: count }, (_, n) =>
  server.mount(pathOf(n), { credentials: { username: USERNAME, password: PASSWORD }, fps: FPS }),
);
const loop = await codedLoop();
let tick = 0;
setInterval(() => {
  for (const [n, mount] of mounts.entries()) {
    // Whole seconds apart: each begins with a key picture.
    const unit = loop[(tick + (n % LOOP_S) * FPS) % loop.length] as AccessUnit;
    mount.push({ ...unit, capturedMs: systemClock.monotonic() });
  }
  tick++;
}, 1000 / FPS);
process.send?.({ port: server.port });
process.once('disconnect', () => process.exit(0));

async function codedLoop(): Promise<AccessUnit[]> {
  const street = {
    seed: 7,
    originLon: ORIGIN.lon,
    originLat: ORIGIN.lat,
    roadHeadingDeg: 0,
    roadWidthM: 9,
    pavementWidthM: 4,
    roadOffsetM: 0,
  };
  const place = { alongM: 4, acrossM: -5.5 };
  const script = stageStreet({
    street,
    light: LIGHT,
    seed: 3,
    stretch: [-10, 30],
    durationMs: LOOP_S * 1000,
    incidents: [{ id: 'stall-1', class: 'stall', place, fromMs: -10_000, standsMs: 600_000, seed: 12 }],
    walkersPerMinute: 20,
    carsPerMinute: 20,
    decoys: 2,
  });
  const units: AccessUnit[] = [];
  const config = { widthPx: POSE.widthPx, heightPx: POSE.heightPx, fps: FPS };
  const encoder = new H264Encoder({ config, log: silentLog, clock: systemClock, onUnit: (unit) => units.push(unit) });
  await encoder.start();
  const renderer = createStreetRenderer(street, POSE);
  for (let n = 0; n < FPS * LOOP_S; n++) {
    const objects = sceneAt(script, (n * 1000) / FPS);
    encoder.encode(renderer.render({ street, light: LIGHT, objects, ts: n }).rgba, n);
    while (units.length <= n) await pause(1);
  }
  await encoder.stop();
  return units;
}
