import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { DrawnSet } from '#models/train/mod.ts';
import { GewuError } from '#service/mod.ts';
import { say } from '../command.ts';
import type { Drawing } from './draw_worker.ts';

const THREADS = 2;
const SAY_EVERY = 400;

/** Draws the sets that are not complete, two at a time, the longest first; returns the folder of each. */
export async function drawSets(sets: readonly DrawnSet[], work: string): Promise<string[]> {
  const folders = sets.map(({ name, seed, images }) => join(work, `${name}-${seed}-${images}`));
  const all = sets.map((set, n) => ({ set, out: folders[n] as string }));
  const complete = await Promise.all(all.map(({ out }) => isComplete(out)));
  const queue = all.filter((_, n) => !complete[n]).sort((a, b) => b.set.images - a.set.images);
  const drawing = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) await drawInThread(next.set, next.out);
  };
  await Promise.all(Array.from({ length: THREADS }, drawing));
  return folders;
}

/** Its truth is written last. */
const isComplete = (out: string): Promise<boolean> =>
  access(join(out, 'truth.jsonl')).then(
    () => true,
    () => false,
  );

function drawInThread({ name, drawer, seed, images }: DrawnSet, out: string): Promise<void> {
  const workerData: Drawing = { drawer, options: { out, seed, images } };
  const worker = new Worker(new URL('./draw_worker.ts', import.meta.url), { workerData });
  return new Promise((resolve, reject) => {
    worker.on('message', (done: number) => {
      if (done % SAY_EVERY === 0 || done === images) say(`gewu: ${name}: ${done} of ${images} pictures drawn`);
    });
    worker.once('error', reject);
    worker.once('exit', (code) =>
      code === 0 ? resolve() : reject(new GewuError('GEWU_INTERNAL', `the thread that draws ${name} ended with ${code}`)),
    );
  });
}
