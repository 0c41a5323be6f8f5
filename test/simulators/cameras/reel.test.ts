import { afterAll, beforeAll, test, vi } from 'vitest';
import type { FailureReason } from '#edge/cameras/reason.ts';
import { FrameSource } from '#edge/cameras/source.ts';
import { silentLog, systemClock } from '#service/mod.ts';
import { createStreetRenderer, type Reel, ReelCamera, RtspServer, recordReel } from '#simulators/cameras/mod.ts';
import { buildDistrict } from '#simulators/city/mod.ts';
import { until } from '../../support/until.ts';

vi.setConfig({ testTimeout: 120_000 });
const PATIENCE = { timeoutMs: 60_000 };
const FPS = 4;
const CREDENTIALS = { username: 'edge', password: 'of the cameras' };
const [camera] = buildDistrict({ seed: 7, cells: 12, edges: 1, sensors: 0, cameras: 1 }).edges[0]?.cameras ?? [];
if (camera === undefined) throw new Error('the district has no camera');
const { street, pose, light } = camera;

let reel: Reel;
let server: RtspServer;

beforeAll(async () => {
  const plan = { street, pose, actors: [], lightAt: () => light, fps: FPS, durationMs: 4_000 };
  reel = await recordReel({ renderer: createStreetRenderer(street, pose), ...plan }, { log: silentLog, clock: systemClock });
  server = new RtspServer({ config: { port: 0 }, log: silentLog, clock: systemClock });
  await server.start();
}, 120_000);
afterAll(() => server.stop());

type Finish = (after: () => Promise<void>) => void;

/** A camera that plays the reel, and an edge's source that looks at it. */
async function watched(onTestFinished: Finish, name: string, phaseMs = 0) {
  const config = { mount: `/${name}`, credentials: CREDENTIALS, phaseMs, seed: 7 };
  const playing = new ReelCamera({ config, reel, spoilt: new Map(), server, clock: systemClock });
  await playing.start();
  playing.begin();
  const seen = { frames: 0, failures: [] as FailureReason[] };
  const address = { id: name, url: server.url(`/${name}`), ...CREDENTIALS, allowLocalAddress: true, transport: 'tcp' as const };
  const source: FrameSource = new FrameSource({
    address,
    timing: { fps: FPS },
    format: { input: { width: 64, height: 64, letterbox: null }, fullWidthMax: 1280 },
    log: silentLog,
    clock: systemClock,
    random: () => 0,
    onFrame: (frame) => {
      seen.frames++;
      source.release(frame);
    },
    onFailure: (reason) => seen.failures.push(reason),
  });
  onTestFinished(async () => {
    await source.stop();
    await playing.stop();
  });
  await source.start();
  await until(() => seen.frames >= 2, PATIENCE);
  const more = async (n: number) => {
    const before = seen.frames;
    await until(() => seen.frames >= before + n, PATIENCE);
  };
  return { playing, seen, more };
}

test('a reel has a key picture at its beginning and each second, and as many pictures as were asked for', ({ expect }) => {
  expect(reel.units).toHaveLength(reel.prologue + 4 * FPS);
  expect(reel.units.map((u) => u.key)).toEqual(reel.units.map((_, n) => n % FPS === 0));
});

test.concurrent('cameras that share it are seen each by itself, and go on when it is over', async ({
  expect,
  onTestFinished,
}) => {
  const [one, other] = await Promise.all([watched(onTestFinished, 'cam-1'), watched(onTestFinished, 'cam-2', 1_700)]);
  await Promise.all([one.more(6 * FPS), other.more(6 * FPS)]);
  expect([one.seen.failures, other.seen.failures]).toEqual([[], []]);
});

test.concurrent('a camera that leaves pictures out is still seen, with fewer', async ({ expect, onTestFinished }) => {
  const { playing, seen, more } = await watched(onTestFinished, 'cam-3');
  playing.setFault({ kind: 'drop', probability: 0.4 });
  await more(6);
  playing.setFault(null);
  await more(FPS);
  expect(seen.failures.filter((f) => f !== 'stalled')).toEqual([]);
});
