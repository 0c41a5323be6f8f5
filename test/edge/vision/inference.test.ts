import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { InferencePool, type LaneFrame, openModel } from '#edge/vision/mod.ts';
import type { Detection } from '#models/mod.ts';
import { silentLog } from '#service/mod.ts';
import { until } from '#test/support/until.ts';

// Threads take their time to begin on a busy machine; a wrong result is told long before.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

const BRIGHT_STREET = join(import.meta.dirname, '../../models/fixtures/bright-street');
const SHIPPED = 'models/street-drawn';
const WORKER = join(import.meta.dirname, '../../../edge/vision/worker.ts');
const INPUT_BYTES = 320 * 320 * 3;

interface Numbered extends LaneFrame {
  n: number;
}
function frame(n: number, grey = 255): Numbered {
  const input = new ArrayBuffer(INPUT_BYTES);
  new Uint8Array(input).fill(grey);
  return { n, input };
}

/** A worker that is ready and dies of its first picture. */
const DIES = `const { parentPort } = require('node:worker_threads');
parentPort.on('message', () => process.exit(1));
parentPort.postMessage({ kind: 'ready' });`;

async function pool(workers: number, createWorker?: (data: unknown) => Worker, dir = BRIGHT_STREET) {
  const model = await openModel(dir);
  const inference = new InferencePool({
    model,
    workers,
    log: silentLog,
    ...(createWorker && { createWorker }),
  });
  await inference.start();
  const lane = () => {
    const done: { n: number; detections: Detection[] }[] = [];
    const dropped: { n: number; reason: string }[] = [];
    const back: ArrayBuffer[] = [];
    const handlers = {
      onDone: (f: Numbered, detections: Detection[]) => {
        done.push({ n: f.n, detections });
        back.push(f.input);
      },
      onDropped: (f: Numbered, reason: string) => void dropped.push({ n: f.n, reason }),
    };
    return { offer: inference.lane<Numbered>(handlers), done, dropped, back };
  };
  return { inference, lane };
}

let one: Awaited<ReturnType<typeof pool>>;
beforeAll(async () => {
  one = await pool(1);
});
afterAll(() => one.inference.stop());

test('workers give the graph its known answer and the frame its memory back', async () => {
  const { lane } = one;
  const { offer, done, back } = lane();
  const sent = frame(1);
  const { input } = sent;
  offer.offer(sent);
  // Handed over, not copied.
  expect(input.byteLength).toBe(0);
  await until(() => done.length === 1);
  expect(done[0]?.detections.map((d) => d.class)).toEqual(['stall', 'person']);
  expect(back[0]?.byteLength).toBe(INPUT_BYTES);
  offer.offer(frame(2, 40));
  await until(() => done.length === 2);
  expect(done[1]?.detections).toEqual([]);
});

test('the newest frame wins: while one is looked at only the last of those that came is next', async () => {
  const { lane } = one;
  const { offer, done, dropped } = lane();
  for (let n = 1; n <= 5; n++) offer.offer(frame(n));
  await until(() => done.length === 2);
  expect(done.map((d) => d.n)).toEqual([1, 5]);
  expect(dropped).toEqual([2, 3, 4].map((n) => ({ n, reason: 'replaced' })));
});

test('no camera starves another: lanes get their turn in order', async () => {
  const { lane } = one;
  const [a, b] = [lane(), lane()];
  for (let n = 1; n <= 20; n++) a.offer.offer(frame(n));
  b.offer.offer(frame(1));
  await until(() => b.done.length === 1 && a.done.length === 2);
  expect(a.done.map((d) => d.n)).toEqual([1, 20]);
});

test('a worker that dies is started again; its frame is dropped, not lost without a word', async () => {
  let started = 0;
  const { inference, lane } = await pool(1, (workerData) => {
    started++;
    return started === 1 ? new Worker(DIES, { eval: true }) : new Worker(WORKER, { workerData });
  });
  onTestFinished(() => inference.stop());
  const { offer, done, dropped } = lane();
  offer.offer(frame(1));
  await until(() => dropped.length === 1);
  expect(dropped).toEqual([{ n: 1, reason: 'failed' }]);
  offer.offer(frame(2));
  await until(() => done.length === 1, { timeoutMs: 60_000 });
  expect(done[0]?.n).toBe(2);
  expect(inference.restarts).toBe(1);
});

test('stopping in the middle of a run ends the workers in peace: the process lives', async () => {
  for (let round = 0; round < 2; round++) {
    const { inference, lane } = await pool(1, undefined, SHIPPED);
    const { offer } = lane();
    const { width, height } = (await openModel(SHIPPED)).manifest.input;
    offer.offer({ n: 1, input: new ArrayBuffer(width * height * 3) });
    await new Promise((resolve) => setTimeout(resolve, round * 8));
    await inference.stop();
  }
});

test('a frame of the wrong size is dropped and its memory comes back', async () => {
  const { offer, dropped } = one.lane();
  offer.offer({ n: 1, input: new ArrayBuffer(5) });
  await until(() => dropped.length === 1);
  expect(dropped).toEqual([{ n: 1, reason: 'failed' }]);
});

/** The same graph, whose first class has another name. */
async function renamed() {
  const model = await openModel(BRIGHT_STREET);
  const classes = model.manifest.classes.map((name) => (name === 'stall' ? 'kiosk' : name));
  return { ...model, manifest: { ...model.manifest, classes, thresholds: Object.fromEntries(classes.map((c) => [c, 0.4])) } };
}

test('what a model costs is told alike on a quiet machine and on one that is full: the budget would refuse it there', async () => {
  const { inference } = one;
  const timed = async () => {
    const prepared = await inference.prepare(await openModel(SHIPPED));
    await inference.discard(prepared);
    return prepared.cpuMs;
  };
  const quiet = await timed();
  const others = Array.from({ length: 2 * availableParallelism() }, () => spawn(process.execPath, ['-e', 'for (;;);']));
  onTestFinished(() => {
    for (const other of others) other.kill('SIGKILL');
  });
  await Promise.all(others.map((other) => once(other, 'spawn')));
  expect(quiet).toBeGreaterThan(0);
  expect(await timed()).toBeLessThan(2 * quiet);
});

test('another model takes over between two pictures: none is lost, and the order stays', async () => {
  const { inference } = await pool(2);
  onTestFinished(() => inference.stop());
  const prepared = await inference.prepare(await renamed());
  expect(prepared.cpuMs).toBeGreaterThan(0);
  const [done, dropped, found] = [[] as number[], [] as string[], [] as (string | undefined)[]];
  let [sent, more] = [0, true];
  // There is always one under way: before, during and after the change.
  const next = () => offer.offer(frame(++sent));
  const offer = inference.lane<Numbered>({
    onDone({ n }, detections) {
      done.push(n);
      found.push(detections[0]?.class);
      if (more) next();
    },
    onDropped: (_, reason) => void dropped.push(reason),
  });
  next();
  await until(() => done.length >= 3, { everyMs: 1 });
  await inference.activate(prepared);
  const before = done.length;
  await until(() => done.length >= before + 3, { everyMs: 1, timeoutMs: 60_000 });
  more = false;
  await until(() => done.length === sent, { everyMs: 1 });
  expect([dropped, done]).toEqual([[], Array.from({ length: sent }, (_, i) => i + 1)]);
  // It is really the other one that looks in the end.
  expect([found.at(0), found.at(-1)]).toEqual(['stall', 'kiosk']);
  expect(inference.restarts).toBe(0);
});

test('a candidate in shadow sees the same pictures of the lanes that it is for; what it cannot keep up with is counted', async () => {
  const { inference } = await pool(1);
  onTestFinished(() => inference.stop());
  const seen: string[] = [];
  const prepared = await inference.prepare(await renamed());
  await inference.shadow(prepared, {
    lanes: new Set(['a']),
    onResult: ({ lane, frame: f, detections }) => void seen.push(`${lane}${(f as Numbered).n}:${detections.length}`),
  });
  let done = 0;
  const handlers = { onDone: () => void done++, onDropped: () => undefined };
  const [a, b] = ['a', 'b'].map((name) => inference.lane<Numbered>(handlers, name));
  for (let n = 1; n <= 20; n++) {
    a?.offer(frame(n));
    b?.offer(frame(n));
    await until(() => done === 2 * n, { everyMs: 1 });
  }
  const counts = inference.shadowed;
  expect(counts.seen + counts.skipped).toBe(20);
  await until(() => seen.length === counts.seen);
  expect(seen[0]).toMatch(/^a1:/);
  expect(seen.every((s) => s.startsWith('a'))).toBe(true);
  await inference.shadow(null);
  a?.offer(frame(21));
  await until(() => done === 41);
  expect(seen).toHaveLength(counts.seen);
});

test('a model that does not load is told so, and the one in use goes on', async () => {
  const model = await openModel(BRIGHT_STREET);
  const broken = { ...model, bytes: Buffer.from('garbage') };
  await expect(one.inference.prepare(broken)).rejects.toMatchObject({ code: 'GEWU_MODEL_INVALID' });
  const { offer, done } = one.lane();
  offer.offer(frame(1));
  await until(() => done.length === 1);
});

test('a file that is no model fails the start', async () => {
  const model = await openModel(BRIGHT_STREET);
  const broken = { ...model, bytes: (await readFile(join(BRIGHT_STREET, 'model.onnx'))).subarray(0, 200) };
  const inference = new InferencePool({ model: broken, workers: 1, log: silentLog });
  await expect(inference.start()).rejects.toMatchObject({ code: 'GEWU_MODEL_INVALID' });
});
