import fc from 'fast-check';
import { expect, test } from 'vitest';
import { buildDistrict } from '#simulators/city/mod.ts';
import { searchCapacity, stepOf } from '#simulators/load/mod.ts';
import type { RunReport } from '#simulators/report/mod.ts';
import { loadScenario, shippedScenario } from '#simulators/scenarios/mod.ts';
import { REPORT } from '../../support/report.ts';

/** What a target that bears so much says at a rate. */
function reportOf(perMin: number, bearsPerMin: number): RunReport {
  const slow = perMin > bearsPerMin;
  const readings = { ...REPORT.readings, sent: perMin, acked: perMin, stored: perMin };
  return {
    ...REPORT,
    durationS: 1,
    readings,
    latencies: { ack: [[slow ? 100 : 10, 10]], lag: [[1, 10]], case: [], cameraCase: [] },
    curve: [{ atS: 1, due: 10, acked: 10, p99Ms: 1, pending: 0, connected: 1, lagMsMax: 1 }],
    incidents: [],
    limits: { lateMs: 1, lagP99MsMax: 100, thresholds: { ackP99MsMax: 50 } },
  };
}

test('finds what is borne to a fifth, and names what gave way', async () => {
  await fc.assert(
    fc.asyncProperty(fc.double({ min: 2, max: 5_000, noNaN: true }), async (bears) => {
      const tried: number[] = [];
      const found = await searchCapacity({
        play: async (perMin) => {
          tried.push(perMin);
          return reportOf(perMin, bears);
        },
        fromPerMin: 2,
        toPerMin: 6_000,
        ratio: 1.2,
      });
      expect(found.limitedBy).toBe('ackP99Ms');
      expect(found.readingsPerS).toBeLessThanOrEqual(bears + 1);
      expect(found.readingsPerS).toBeGreaterThan(bears / 1.2 - 1);
      expect(tried.length).toBeLessThan(18);
    }),
  );
});

test('incidents of single devices grow with the load, as far as there are devices for them', async () => {
  const city = buildDistrict({ seed: 3, cells: 24, edges: 1, sensors: 240, cameras: 0 });
  const quiet = await loadScenario(shippedScenario('quiet-day'));
  const lamps = city.edges.flatMap((e) => e.devices).filter((d) => d.kind === 'streetlight').length;
  const perMin = (times: number) => {
    const { incidents, stages } = stepOf(quiet, city, { perDevicePerMin: 2 * times, forS: 30, times });
    expect(stages).toEqual([{ kind: 'steady', forS: 30, perDevicePerMin: 2 * times }]);
    return incidents.flatMap((i) => (i.what === 'device-fault' ? [i.perMin] : []));
  };
  expect(perMin(1)).toEqual([6]);
  expect(perMin(4)).toEqual([24]);
  // Within 0.7 of half a minute.
  expect(perMin(1_000)[0]).toBeCloseTo(lamps / 4 / 0.35, 5);
});

test('a target that bears everything is limited by none; one that bears nothing is told as such', async () => {
  const search = (bears: number) =>
    searchCapacity({ play: async (perMin) => reportOf(perMin, bears), fromPerMin: 2, toPerMin: 100, ratio: 1.2 });
  expect(await search(1e9)).toMatchObject({ readingsPerS: 100, limitedBy: 'none' });
  await expect(search(1)).rejects.toThrow('ackP99Ms');
});

test('a generator that fell behind is named before the target', async () => {
  const slow = (perMin: number): RunReport => {
    const report = reportOf(perMin, 10);
    return perMin <= 10 ? report : { ...report, latencies: { ...report.latencies, lag: [[90_000, 10]] } };
  };
  const found = await searchCapacity({ play: async (perMin) => slow(perMin), fromPerMin: 2, toPerMin: 100, ratio: 1.2 });
  expect(found.limitedBy).toBe('generator');
});

test('each step stages its own incidents, and one in which none fell due is borne', async () => {
  const steps: number[] = [];
  const play = async (perMin: number, step: number): Promise<RunReport> => {
    steps.push(step);
    const report = reportOf(perMin, 1e9);
    return {
      ...report,
      limits: { ...report.limits, thresholds: { ackP99MsMax: 50, caseP95MsMax: 3_000, detectedShareMin: 0.9 } },
    };
  };
  expect(await searchCapacity({ play, fromPerMin: 2, toPerMin: 16, ratio: 1.2 })).toMatchObject({ limitedBy: 'none' });
  expect(steps).toEqual([0, 1, 2, 3]);
});

test('a target that acknowledges nothing has kept up with nothing', async () => {
  const silent = async (perMin: number): Promise<RunReport> => {
    const report = reportOf(perMin, 1e9);
    return { ...report, curve: report.curve.map((c) => ({ ...c, acked: 0 })) };
  };
  await expect(searchCapacity({ play: silent, fromPerMin: 2, toPerMin: 16, ratio: 1.2 })).rejects.toThrow('throughput');
});

test('a step that was interrupted says nothing: what was borne before it stands', async () => {
  const until = (last: number) => async (perMin: number, step: number) => ({
    ...reportOf(perMin, 1e9),
    interrupted: step > last,
  });
  const search = (last: number) => searchCapacity({ play: until(last), fromPerMin: 2, toPerMin: 100, ratio: 1.2 });
  expect(await search(1)).toMatchObject({ readingsPerS: 4, limitedBy: 'interrupted' });
  await expect(search(-1)).rejects.toThrow('interrupted');
});
