import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { BRIGHT_STREET } from '#test/support/models.ts';
import { tempDir } from '#test/support/temp.ts';
import { until } from '#test/support/until.ts';
import { codedCameras, codedLoop } from './coded.ts';
import { brightCamera } from './running.ts';
import { nodeWith, PATIENCE } from './whole_node.ts';

vi.setConfig({ testTimeout: 180_000 });

/** Seventeen at ten a second: whoever looks once a second never sees the same picture twice in a row. */
const PICTURES = 17;
const drawn = (codec: 'h264' | 'h265', widthPx = 320, heightPx = 180) =>
  codedLoop(codec, { widthPx, heightPx, pictures: PICTURES, drawn: true });

/** A camera that has known for long what it shows. */
async function knownReference(dataDir: string, id: string): Promise<void> {
  await mkdir(join(dataDir, 'references'), { recursive: true });
  const luma = Array.from({ length: 64 * 36 }, (_, n) => (n * 37) % 256);
  const reference = { v: 1, widthPx: 320, heightPx: 180, detail: 10, luma };
  await writeFile(join(dataDir, 'references', `${id}.json`), JSON.stringify(reference));
}

test('streams that change or are damaged: each fault is named, each camera is back, the others and the node go on', async () => {
  const names = ['size', 'codec', 'bits', 'framing', 'thin', 'well'];
  const streams = await codedCameras(
    onTestFinished,
    names.map(() => drawn('h264')),
  );
  const cameras = streams.urls.map((url, n) =>
    brightCamera({ url }, { id: names[n] as string, fps: names[n] === 'thin' ? 5 : 2, zones: [] }),
  );
  const dataDir = await tempDir();
  await knownReference(dataDir, 'size');
  const { historyOf, failures, alive } = await nodeWith(cameras, { dataDir });
  const online = (id: string) => historyOf(id).at(-1) === 'online connected';
  await until(() => names.every(online), PATIENCE);
  streams.play(0, drawn('h264', 160, 96));
  streams.play(1, drawn('h265'));
  streams.setFault(2, { kind: 'corrupt', probability: 0.3 });
  streams.setFault(3, { kind: 'garbage' });
  // Two of ten a second are left, and five are wanted.
  streams.setFault(4, { kind: 'drop', probability: 0.8 });
  await until(() => historyOf('size').at(-1) === 'degraded resolution', PATIENCE);
  expect(await failures('size')).not.toEqual([]);
  await until(async () => (await failures('codec')).length > 0 && online('codec'), PATIENCE);
  // The decoder makes up what is missing: pictures come, and people are told what they are worth.
  await until(() => historyOf('bits').includes('degraded damaged'), PATIENCE);
  await until(() => historyOf('thin').includes('degraded slow'), PATIENCE);
  // Who has lost the frame of the packets begins anew; it is away in between, for longer or less than what counts as offline.
  await until(async () => (await failures('framing')).length > 0, PATIENCE);
  for (const n of [2, 3]) streams.setFault(n, null);
  await until(() => ['bits', 'framing'].every(online), PATIENCE);
  // A machine that is too busy stalls any of them, or has it slow.
  const busy = ['offline stalled', 'degraded slow'];
  expect(new Set(historyOf('well').filter((state) => !busy.includes(state)))).toEqual(new Set(['online connected']));
  await alive();
});

test('a model of garbage, recordings of garbage and cut ones: the cameras are offline by their fault, the node goes on', async () => {
  const model = await tempDir();
  await writeFile(join(model, 'manifest.json'), await readFile(join(BRIGHT_STREET, 'manifest.json')));
  await writeFile(join(model, 'model.onnx'), randomBytes(10_000));
  const blind = await nodeWith([brightCamera({ url: 'rtsp://127.0.0.1:1/x' }, { id: 'cam-01' })], { model });
  await until(() => blind.historyOf('cam-01').at(-1) === 'offline model', PATIENCE);
  await blind.alive();

  const filesDir = await tempDir();
  const whole = join(filesDir, 'whole.mp4');
  execFileSync('ffmpeg', [
    '-v',
    'error',
    '-f',
    'lavfi',
    '-i',
    'testsrc=s=320x180:r=10',
    '-frames:v',
    '40',
    '-c:v',
    'libx264',
    whole,
  ]);
  const bytes = await readFile(whole);
  await writeFile(join(filesDir, 'cut.mp4'), bytes.subarray(0, bytes.length / 2));
  await writeFile(join(filesDir, 'garbage.mp4'), randomBytes(50_000));
  const { url: _, ...shared } = brightCamera({ url: '' }, { fps: 2, zones: [] });
  const cameras = ['whole', 'cut', 'garbage'].map((id) => ({ ...shared, id, file: `${id}.mp4` }));
  const { historyOf, alive } = await nodeWith(cameras, { filesDir });
  await until(() => historyOf('whole').at(-1) === 'online connected', PATIENCE);
  for (const id of ['cut', 'garbage']) await until(() => historyOf(id).at(-1) === 'offline failed', PATIENCE);
  expect(historyOf('whole')).toEqual(['online connected']);
  await alive();
});
