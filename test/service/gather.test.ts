import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { GatherPace } from '#service/gather.ts';

interface Turn {
  /** Of its five ms: how long it has a core, and how long it wants one and has none. */
  works: number;
  queues?: number;
}

/** So many turns of five ms of a loop, which rests when told to; returns the rests, ms. */
function turns(pace: GatherPace, count: number, { works, queues = 0 }: Turn, loop = { idle: 0, active: 0, worked: 0 }): number[] {
  const rests: number[] = [];
  for (let n = 0; n < count; n++) {
    loop.idle += 5 - works - queues;
    loop.active += works + queues;
    loop.worked += works;
    const restMs = pace.restMs(loop);
    if (restMs === 0) continue;
    rests.push(restMs);
    // As the loop's own figures have it: a rest is work.
    loop.active += restMs;
    pace.rested(restMs);
  }
  return rests;
}

test('a loop that works a little rests after each turn; one that hardly works, or all the time, does not', () => {
  const [pace, loop] = [new GatherPace(), { idle: 0, active: 0, worked: 0 }];
  turns(pace, 1000, { works: 2 }, loop);
  expect(turns(pace, 100, { works: 2 }, loop)).toEqual(Array(100).fill(20));
  expect(turns(pace, 1000, { works: 5 }, loop)).toEqual([]);
  expect(turns(new GatherPace(), 1000, { works: 0.05 })).toEqual([]);
});

test('where others have the cores it rests longer, and also when it is behind', () => {
  const [pace, loop] = [new GatherPace(), { idle: 0, active: 0, worked: 0 }];
  turns(pace, 1000, { works: 1, queues: 4 }, loop);
  expect(turns(pace, 100, { works: 1.5, queues: 3.5 }, loop)).toEqual(Array(100).fill(40));
  // All of what it waits for is its own work.
  expect(turns(pace, 1000, { works: 5 }, loop).length).toBeLessThan(100);
});

const MESSAGES = 500;
const EVERY_MS = 3;

/** In how many groups a child gets so many messages, sent one by one. */
async function groups(how: 'gathers' | 'takes each'): Promise<number> {
  const child = fork(join(import.meta.dirname, 'gather_child.ts'), [how]);
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child, 'message');
  const began = performance.now();
  for (let n = 0; n < MESSAGES; n++) {
    // By the clock and not by the wait before it: a machine that comes late must not send them slower.
    await pause(Math.max(0, began + n * EVERY_MS - performance.now()));
    child.send(n);
  }
  child.send('end');
  const [counts] = (await once(child, 'message')) as [{ messages: number; groups: number }];
  expect(counts.messages).toBe(MESSAGES);
  return counts.groups;
}

test('what comes one by one is taken in groups, and all of it', async () => {
  const each = await groups('takes each');
  expect(await groups('gathers')).toBeLessThan(each / 2);
});
