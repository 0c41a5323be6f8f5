import { afterEach, expect, test, vi } from 'vitest';
import { planOf } from '#bench/simulators/plan.ts';
import { LoadRun, targetOfPlan } from '#simulators/load/mod.ts';
import { loadScenario, shippedScenario } from '#simulators/scenarios/mod.ts';

const target = targetOfPlan(planOf({ cells: 60, edges: 2, sensors: 600, cameras: 0 }));
const runOf = async (name: string, part = { number: 1, of: 1 }) =>
  new LoadRun({ target, scenario: await loadScenario(shippedScenario(name)), durationS: 60, seed: 4, part });

afterEach(() => void vi.useRealTimers());

test('a device whose clock may be behind numbers its samples elsewhere in each run; all others begin at one', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  const firsts: number[] = [];
  for (let n = 0; n < 3; n++) {
    vi.setSystemTime(1_800_000_000_000 + n * 1_000);
    const run = await runOf('faulty-devices');
    const jumping = run.staged.faults.filter((f) => /^clock-/.test(f.what)).map((f) => f.device);
    expect(run.devices.filter((i) => run.numberingOf(i).first > 0).toSorted()).toEqual(jumping.toSorted());
    const { first, backMs } = run.numberingOf(jumping[0] as number);
    expect([backMs, run.clockBackMs]).toEqual([600_000, 600_000]);
    firsts.push(first);
  }
  const [one = 0, two = 0, three = 0] = firsts;
  // A run has a million numbers of its own, and all of them are 32 bits.
  expect([two - one, three - two]).toEqual([1_000_000, 1_000_000]);
  expect(three + 1_000_000).toBeLessThan(2 ** 32);
  expect((await runOf('quiet-day')).clockBackMs).toBe(0);
});

test('what goes wrong is staged once, and parts of a run have each incident and fault once', async () => {
  for (const name of ['rain-storm', 'faulty-devices', 'power-failure', 'quiet-day']) {
    const whole = await runOf(name);
    const parts = [await runOf(name, { number: 1, of: 2 }), await runOf(name, { number: 2, of: 2 })];
    const idsOf = (run: LoadRun) => [
      ...run.staged.incidents.map((i) => i.id),
      ...run.staged.faults.map((f) => `${f.what} ${f.device}`),
    ];
    expect(parts.flatMap(idsOf).sort()).toEqual(idsOf(whole).sort());
    for (const run of parts) {
      const own = new Set(run.devices);
      for (const { id, devices } of run.staged.incidents) expect([id, devices.filter((i) => !own.has(i))]).toEqual([id, []]);
    }
  }
});
