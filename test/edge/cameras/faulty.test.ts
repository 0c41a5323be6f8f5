import { beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { GRACE_MS } from '#edge/cameras/picture.ts';
import type { SiteCamera } from '#grid/mod.ts';
import { silentLog, systemClock } from '#service/mod.ts';
import {
  createStreetRenderer,
  PICTURE_FAULTS,
  type PictureFault,
  type Reel,
  ReelCamera,
  RTSP_FAULTS,
  RtspServer,
  recordReel,
} from '#simulators/cameras/mod.ts';
import { CAMERA_REACTIONS } from '#simulators/scenarios/mod.ts';
import { until } from '#test/support/until.ts';
import { POSE, STREET } from '../vision/street.ts';
import { codedCameras, codedLoop } from './coded.ts';
import { PASSWORD, USERNAME } from './painted.ts';
import { brightCamera } from './running.ts';
import { nodeWith, PATIENCE } from './whole_node.ts';

vi.setConfig({ testTimeout: 240_000 });

/** All that a camera shows here are key pictures, twenty a second; the node counts one in two seconds as enough. */
const FPS = 20;
const TIMING = { fps: FPS, keyFrameEveryS: 2 };
const POSE_SMALL = { ...POSE, widthPx: 320, heightPx: 180 };
/** So far the node's clock is put forward after each picture: less than what is taken for silence. */
const STEP_MS = 2_500;
const STEPS_MAX = 200;

const reels = new Map<PictureFault | null, Reel>();

beforeAll(async () => {
  const light = { daylight: 1, rain: 0, sunHeadingDeg: 120, shadow: 0.3 };
  for (const spoilt of [null, ...PICTURE_FAULTS]) {
    if (spoilt === 'frozen') continue;
    const plan = { street: STREET, pose: POSE_SMALL, actors: [], lightAt: () => light, fps: 1, durationMs: 9_000 };
    const renderer = createStreetRenderer(STREET, POSE_SMALL);
    const reel = await recordReel({ renderer, ...plan, ...(spoilt && { spoilt }) }, { log: silentLog, clock: systemClock });
    reels.set(spoilt, { ...reel, fps: FPS });
  }
}, 120_000);

/** The cameras of a run, by name: each plays the street, and has the faults that it is told. */
async function streetCameras(names: readonly string[]) {
  const server = new RtspServer({ config: { port: 0 }, log: silentLog, clock: systemClock });
  await server.start();
  onTestFinished(() => server.stop());
  const spoilt = new Map([...reels].flatMap(([fault, reel]) => (fault === null ? [] : [[fault, reel] as const])));
  const cameras = new Map<string, ReelCamera>();
  for (const [n, name] of names.entries()) {
    const config = { mount: `/${name}`, credentials: { username: USERNAME, password: PASSWORD }, phaseMs: 0, seed: n };
    const camera = new ReelCamera({ config, reel: reels.get(null) as Reel, spoilt, server, clock: systemClock });
    await camera.start();
    onTestFinished(() => camera.stop());
    camera.begin();
    cameras.set(name, camera);
  }
  return { cameras, url: (name: string) => server.url(`/${name}`) };
}

const component = (n: number) => `1101010136${String(n + 1).padStart(6, '0')}`;

/** A node whose time passes as fast as its cameras send pictures. */
async function hurriedNode(cameras: SiteCamera[]) {
  let shiftMs = 0;
  const clock = { now: () => Date.now() + shiftMs, monotonic: () => performance.now() + shiftMs };
  const node = await nodeWith(cameras, { clock });
  /** Until it is so: each time all of these cameras have sent one more picture. */
  const pass = async (what: string, sending: readonly string[], isSo: () => boolean | Promise<boolean>): Promise<void> => {
    const decoded = async () => {
      const all = await node.counted('gewu_camera_frames_decoded_total');
      return sending.map((id) => all.find(({ camera }) => camera === id)?.value ?? 0);
    };
    for (let steps = 0; !(await isSo()); steps++) {
      if (steps === STEPS_MAX) throw new Error(`${what}: ${JSON.stringify(cameras.map(({ id }) => [id, node.historyOf(id)]))}`);
      const before = await decoded();
      await until(async () => (await decoded()).every((n, i) => n > (before[i] as number)), { ...PATIENCE, what });
      shiftMs += STEP_MS;
    }
  };
  /** What was said of the component of the n-th camera. */
  const told = (n: number): string[] =>
    node
      .events()
      .flatMap(({ type, data }) =>
        data.place.component === component(n) ? [`${type.split('.').at(-1)} ${data.class.fault}`] : [],
      );
  return { ...node, pass, told };
}

const siteCamera = (id: string, n: number, url: string) =>
  brightCamera({ url }, { id, ...TIMING, zones: [], component: component(n) });

test('a camera whose stream is wrong is offline, with the reason, then a case of its component, and back by itself', async () => {
  const names = ['freeze', 'cut', 'halfOpen', 'password', 'well'] as const;
  const { cameras, url } = await streetCameras(names);
  const { pass, told, historyOf, counted } = await hurriedNode(names.map((name, n) => siteCamera(name, n, url(name))));
  const online = (name: string) => historyOf(name).at(-1) === 'online connected';
  await until(() => names.every(online), PATIENCE);
  const faulty = names.filter((name) => name !== 'well');
  for (const name of faulty) cameras.get(name)?.setFault({ kind: name });
  const isNamed = (name: (typeof faulty)[number]) => {
    const { state, reasons } = CAMERA_REACTIONS[name];
    return reasons.some((reason) => historyOf(name).includes(`${state} ${reason}`));
  };
  // In their own time: whoever tries again must not be hurried.
  await until(() => faulty.every(isNamed), { ...PATIENCE, what: 'offline by its reason' });
  // Whoever is refused does not try without pause: a second password may be the one that locks the account.
  const failures = await counted('gewu_camera_stream_failures_total');
  const refused = failures.find(({ camera, reason }) => camera === 'password' && reason === 'unauthorised');
  expect(refused?.value).toBeLessThanOrEqual(6);
  await pass('their cases', ['well'], () => faulty.every((_, n) => told(n).includes('raised camera_offline')));
  for (const name of faulty) cameras.get(name)?.setFault(null);
  await until(() => faulty.every((name, n) => online(name) && told(n).at(-1) === 'cleared camera_offline'), PATIENCE);
  expect(told(names.indexOf('well'))).toEqual([]);
});

test('a camera whose picture is wrong is degraded, with the reason, then a case of its component, and well again with the picture', async () => {
  const names = [...PICTURE_FAULTS, 'well'] as const;
  const { cameras, url } = await streetCameras(names);
  const { pass, told, historyOf } = await hurriedNode(names.map((name, n) => siteCamera(name, n, url(name))));
  const online = (name: string) => historyOf(name).at(-1) === 'online connected';
  await until(() => names.every(online), PATIENCE);
  // Each learns what it shows.
  let looks = 0;
  await pass('their usual view', names, () => looks++ > 25);
  for (const name of PICTURE_FAULTS) cameras.get(name)?.setPictureFault(name);
  await pass('degraded with its case', names, () =>
    PICTURE_FAULTS.every((name, n) => {
      const { state, reasons, fault } = CAMERA_REACTIONS[name];
      return historyOf(name).at(-1) === `${state} ${reasons[0]}` && told(n).includes(`raised ${fault}`);
    }),
  );
  // Nothing else was said of it on the way, but what a busy machine makes of any.
  const busy = ['online connected', 'offline stalled', 'degraded slow'];
  for (const name of PICTURE_FAULTS)
    expect(historyOf(name).filter((h) => !busy.includes(h))).toEqual([`degraded ${CAMERA_REACTIONS[name].reasons[0]}`]);
  for (const name of PICTURE_FAULTS) cameras.get(name)?.setPictureFault(null);
  await pass('well again', names, () =>
    PICTURE_FAULTS.every((name, n) => online(name) && told(n).at(-1)?.startsWith('cleared') === true),
  );
  expect(told(names.indexOf('well'))).toEqual([]);
});

test('a camera that sees nothing clears nothing, and goes on with what stood there', async () => {
  const streams = await codedCameras(onTestFinished, [codedLoop('h264', { keyEvery: 1 })]);
  const blind = brightCamera({ url: streams.urls[0] as string }, { id: 'blind', ...TIMING, component: component(0) });
  const { pass, told, events, historyOf } = await hurriedNode([blind]);
  const stall = () => events().flatMap(({ type, data }) => (data.class.code === '0501' ? [type.split('.').at(-1)] : []));
  await until(() => historyOf('blind').at(-1) === 'online connected', PATIENCE);
  await pass('a stall', ['blind'], () => stall().includes('raised'));
  streams.play(0, reels.get('black')?.units ?? []);
  await pass('its case', ['blind'], () => told(0).includes('raised camera_offline'));
  expect(historyOf('blind').at(-1)).toBe('degraded black');
  expect(stall()).not.toContain('cleared');
  streams.play(0, codedLoop('h264', { keyEvery: 1 }));
  await pass('it sees again', ['blind'], () => told(0).includes('cleared camera_offline'));
  expect(stall()).not.toContain('cleared');
  // What it sees and what is no longer there is cleared: dark, but not black.
  streams.play(0, reels.get('covered')?.units ?? []);
  await pass('the stall is gone', ['blind'], () => stall().includes('cleared'));
  expect(stall().filter((type) => type === 'raised')).toHaveLength(1);
});

test('the simulators know each fault, and the time after which a node tells it', () => {
  expect(Object.keys(CAMERA_REACTIONS).sort()).toEqual([...PICTURE_FAULTS, ...RTSP_FAULTS].sort());
  for (const fault of PICTURE_FAULTS) expect(CAMERA_REACTIONS[fault].graceMs).toBe(GRACE_MS[fault]);
});
