import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { GatherPace } from '#service/gather.ts';

/** So many turns of five ms in which a loop works `worked` ms and waits the rest, resting when told to; returns the rests. */
function turns(pace: GatherPace, count: number, worked: number, loop = { idle: 0, active: 0 }): number {
  let rests = 0;
  for (let n = 0; n < count; n++) {
    loop.idle += 5 - worked;
    loop.active += worked;
    const restMs = pace.restMs(loop.idle, loop.active);
    if (restMs === 0) continue;
    rests++;
    // As the loop's own figures have it: a rest is work.
    loop.active += restMs;
    pace.rested(restMs);
  }
  return rests;
}

test('a loop that works a little rests after each turn; one that hardly works, or all the time, does not', () => {
  const [pace, loop] = [new GatherPace(), { idle: 0, active: 0 }];
  turns(pace, 1000, 2, loop);
  expect(turns(pace, 100, 2, loop)).toBe(100);
  expect(turns(pace, 1000, 5, loop)).toBe(0);
  expect(turns(new GatherPace(), 1000, 0.05)).toBe(0);
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
