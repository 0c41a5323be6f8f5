import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import type { QueuedFrame } from '#ingest/intake/frame.ts';
import { LaneQueue } from '#ingest/intake/queue.ts';
import { until } from '../../support/until.ts';

const LIMITS = { queueBytesMax: 10_000_000, queueFramesMax: 1000, edgeBytesMax: 10_000_000 };

const frame = (n: number): QueuedFrame =>
  ({ edge: 'edge-1', key: `e-1 health ${n}`, payload: Buffer.alloc(100_000) }) as unknown as QueuedFrame;

/** Takes so many and is done with them; of each, whether anybody still holds its bytes. */
function work(queue: LaneQueue, count: number): WeakRef<Buffer>[] {
  return Array.from({ length: count }, () => {
    const taken = queue.take() as QueuedFrame;
    queue.release(taken);
    return new WeakRef(taken.payload);
  });
}

test('what was taken and done with is held by nobody, however few frames come after it; what waits comes in its order', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const queue = new LaneQueue(LIMITS);
  for (let n = 0; n < 10; n++) expect(queue.offer(frame(n))).toBe('taken');
  const done = work(queue, 8);
  expect([queue.waiting, queue.bytes, queue.waitingBytes]).toEqual([2, 200_000, 200_000]);
  await until(() => {
    collect();
    return done.every((payload) => payload.deref() === undefined);
  });
  expect([queue.take()?.key, queue.take()?.key, queue.take()]).toEqual([frame(8).key, frame(9).key, undefined]);
});
