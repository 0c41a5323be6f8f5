import { readdir, readFile } from 'node:fs/promises';
import { loadImage } from '@napi-rs/canvas';
import { expect, test, vi } from 'vitest';
import { Looker, rawGrant } from '../../support/live.ts';
import { h265Camera } from '../cameras/coded.ts';
import { PASSWORD, paintedCamera, USERNAME } from '../cameras/painted.ts';
import { brightCamera } from '../cameras/running.ts';
import { siteCamera } from '../vision/street.ts';
import { startSystem } from './system.ts';

// They wait for real processes; a busy machine needs longer, and a wrong result is told long before.
vi.setConfig({ testTimeout: 90_000 });
const PATIENT = { timeout: 30_000, interval: 50 };

/** Programs that this process has started and that still run. */
async function ffmpegs(): Promise<number> {
  const all = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const stats = await Promise.all(all.map((pid) => readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')));
  return stats.filter((stat) => new RegExp(`^\\d+ \\(ffmpeg\\) [^Z] ${process.pid} `).test(stat)).length;
}

test('masked: made only while somebody looks, in blocks but for things, with boxes of things', async ({ onTestFinished }) => {
  const painted = await paintedCamera(onTestFinished);
  const { centre, edge } = await startSystem({ cameras: [brightCamera(painted)] });
  const sent = async () =>
    Number(/gewu_edge_live_bytes_total\{view="masked"\} (\d+)/.exec(await edge.metrics.metrics())?.[1] ?? 0);
  expect(await sent()).toBe(0);
  const looker = await Looker.open(centre, 'viewer', { camera: 'cam-01' });
  await expect.poll(() => looker.packets.length, PATIENT).toBeGreaterThan(3);
  const [start] = looker.of('start');
  expect(start).toMatchObject({ camera: 'cam-01', view: 'masked', form: 'jpeg', widthPx: 320, heightPx: 180 });
  expect(start.zones).toEqual([
    {
      id: 'all',
      polygon: [
        [0, 0],
        [1, 0],
        [1, 1],
        [0, 1],
      ],
    },
  ]);
  const picture = await loadImage(Buffer.from(looker.packets.at(-1)?.bytes ?? []));
  expect([picture.width, picture.height]).toEqual([320, 180]);
  await expect.poll(() => looker.of('boxes').some((b) => b.boxes.length === 1), PATIENT).toBe(true);
  expect(looker.of('boxes').at(-1)?.boxes[0]).toMatchObject({ class: 'stall' });
  // Each picture has the boxes of its own moment.
  const times = new Set(looker.packets.map((p) => p.at));
  for (const { at } of looker.of('boxes')) expect(times).toContain(at);
  looker.close();
  await expect.poll(async () => /gewu_edge_live_streams (\d+)/.exec(await edge.metrics.metrics())?.[1], PATIENT).toBe('0');
  const after = await sent();
  expect(after).toBeGreaterThan(0);
  await new Promise((resolve) => setTimeout(resolve, 1500));
  expect(await sent()).toBe(after);
});

test('raw H.264: the camera’s own fragments, no further ffmpeg; a camera that comes back begins anew', async ({
  onTestFinished,
}) => {
  const painted = await paintedCamera(onTestFinished);
  const { centre } = await startSystem({ cameras: [brightCamera(painted)] });
  const before = await ffmpegs();
  const grant = await rawGrant(centre, 'ops', { camera: 'cam-01' });
  const looker = await Looker.open(centre, 'ops', { camera: 'cam-01', view: 'raw', grant });
  await expect.poll(() => looker.packets.length, PATIENT).toBeGreaterThan(2);
  expect(looker.of('start')[0]).toMatchObject({ form: 'fmp4', codec: expect.stringMatching(/^avc1\./), widthPx: 320 });
  expect(looker.packets[0]?.kind).toBe('init');
  expect(looker.packets[1]).toMatchObject({ kind: 'media', key: true });
  expect(await ffmpegs()).toBe(before);
  await expect.poll(() => looker.of('boxes').length, PATIENT).toBeGreaterThan(2);
  painted.server.setFault('/cam-01', { kind: 'cut' });
  await new Promise((resolve) => setTimeout(resolve, 500));
  painted.server.setFault('/cam-01', null);
  await expect.poll(() => looker.of('start').length, PATIENT).toBe(2);
  const inits = looker.packets.filter((p) => p.kind === 'init').length;
  await expect.poll(() => looker.packets.at(-1)?.kind, PATIENT).toBe('media');
  expect(inits).toBe(2);
});

test('raw H.265: as it is for who can play it, MPEG-1 by one ffmpeg for who cannot, and that one ends with the last of them', async ({
  onTestFinished,
}) => {
  const { url } = await h265Camera(onTestFinished);
  const { centre } = await startSystem({ cameras: [siteCamera({ url, username: USERNAME, password: PASSWORD })] });
  const before = await ffmpegs();
  const grant = await rawGrant(centre, 'ops', { camera: 'cam-01' });
  const wanted = { camera: 'cam-01', view: 'raw', grant };
  const modern = await Looker.open(centre, 'ops', { ...wanted, plays: ['h264', 'h265'] });
  await expect.poll(() => modern.packets.length, PATIENT).toBeGreaterThan(2);
  expect(modern.of('start')[0]).toMatchObject({ form: 'fmp4', codec: expect.stringMatching(/^h(ev|vc)1\./) });
  expect(await ffmpegs()).toBe(before);
  const [one, two] = [await Looker.open(centre, 'ops', wanted), await Looker.open(centre, 'ops', wanted)];
  for (const looker of [one, two]) {
    await expect.poll(() => looker.packets.length, PATIENT).toBeGreaterThan(5);
    expect(looker.of('start')[0]).toMatchObject({ form: 'mpeg1' });
    // Packets of a transport stream, from one on at which a decoder can begin.
    expect(looker.packets[0]?.key).toBe(true);
    for (const { bytes } of looker.packets) expect([bytes.length % 188, bytes[0]]).toEqual([0, 0x47]);
  }
  expect(await ffmpegs()).toBe(before + 1);
  one.close();
  await expect.poll(() => two.packets.filter((p) => p.key).length, PATIENT).toBeGreaterThan(3);
  expect(await ffmpegs()).toBe(before + 1);
  two.close();
  await expect.poll(ffmpegs, PATIENT).toBe(before);
});
