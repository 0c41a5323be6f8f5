import { expect, test } from 'vitest';
import { randomSchedule } from './schedule.ts';
import { type Broken, type Outcome, World } from './world.ts';

/** `GEWU_SEED=n` repeats one schedule. */
const given = process.env.GEWU_SEED === undefined ? null : Number(process.env.GEWU_SEED);
const SUITE_MS = 15_000;
const BROKEN_SCHEDULES_MAX = 300;

const runOnce = (seed: number, broken: Broken | null = null): Promise<Outcome> => new World(seed, broken).run(randomSchedule);
const told = ({ seed, violations }: Outcome) => `GEWU_SEED=${seed} npx vitest run test/simulation\n  ${violations.join('\n  ')}`;

test('whatever goes wrong, what was acknowledged is stored once, in order, within bounded memory', async () => {
  if (given !== null) {
    const outcome = await runOnce(given);
    console.info(outcome);
    expect(outcome.violations, told(outcome)).toEqual([]);
    return;
  }
  const base = Math.floor(Math.random() * 2 ** 31);
  const began = performance.now();
  const cpu = process.cpuUsage();
  let schedules = 0;
  const sums = { appended: 0, acked: 0, frames: 0, faults: 0, seconds: 0, timers: 0 };
  while (performance.now() - began < SUITE_MS) {
    const outcome = await runOnce(base + schedules++);
    expect(outcome.violations, told(outcome)).toEqual([]);
    for (const key of Object.keys(sums) as (keyof typeof sums)[]) sums[key] += outcome[key];
  }
  const { user, system } = process.cpuUsage(cpu);
  console.info({ base, schedules, perCpuMinute: Math.round((60e6 * schedules) / (user + system)), ...sums });
  expect(sums.acked).toBeGreaterThan(schedules);
}, 60_000);

test('the same seed gives the same run', async () => {
  const [first, second] = [await runOnce(1234), await runOnce(1234)];
  expect(second).toEqual(first);
  expect((await runOnce(1235)).digest).not.toBe(first.digest);
});

const variants: Broken[] = ['acks all up to', 'removes on PUBACK', 'ignores the epoch', 'acks before it stores'];
test.each(variants)(
  'a protocol that %s is caught',
  async (broken) => {
    let schedules = 0;
    let caught = false;
    while (!caught && schedules < BROKEN_SCHEDULES_MAX) {
      const { violations } = await runOnce(++schedules, broken);
      caught = violations.some((v) => v.includes('removed before it was stored') || v.includes('lost'));
    }
    console.info({ broken, caughtAfter: schedules });
    expect(caught).toBe(true);
  },
  60_000,
);
