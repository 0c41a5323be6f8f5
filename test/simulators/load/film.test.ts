import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '#cli/servers/mod.ts';
import type { FailureReason } from '#edge/cameras/reason.ts';
import { FrameSource } from '#edge/cameras/source.ts';
import { checkConfig, silentLog, systemClock } from '#service/mod.ts';
import { buildDistrict } from '#simulators/city/mod.ts';
import { Film } from '#simulators/load/film.ts';
import { Scenario, stageScenario } from '#simulators/scenarios/mod.ts';
import { DeviceTable } from '#simulators/world/mod.ts';
import { until } from '../../support/until.ts';

const PATIENCE = { timeoutMs: 60_000 };
const DURATION_S = 6;
const [FROM, TO] = [0.2, 0.6];
const CREDENTIALS = { username: 'edge', password: 'of the cameras' };

const scenario = checkConfig('test', Scenario, {
  version: 1,
  scenario: 'faults-of-cameras',
  title: { zh: '', en: '' },
  stages: [{ kind: 'steady', forS: 60, perDevicePerMin: 1 }],
  cameras: {
    faults: [
      { what: 'black', count: 1, from: FROM, to: TO },
      { what: 'cut', count: 1, from: FROM, to: TO },
    ],
  },
});

test('the cameras of a run have the faults of its scenario, each at its time, and are well again', async () => {
  const city = buildDistrict({ seed: 7, cells: 12, edges: 1, sensors: 12, cameras: 3 });
  const table = new DeviceTable(city);
  const devices = Array.from({ length: table.count }, (_, i) => i);
  const terms = { scenario, city, table, devices, seed: 3, durationS: DURATION_S, profile: 'demo' as const };
  const { cameras } = stageScenario({ ...terms, cameraEdges: new Set(['edge-01']) });
  const port = await freePort();
  const rtsp = { host: '127.0.0.1', port, ...CREDENTIALS };
  const film = new Film({ config: { cameras, seed: 3, rtsp }, log: silentLog, clock: systemClock });
  await film.start();
  onTestFinished(() => film.stop());
  let begunMs = Number.POSITIVE_INFINITY;
  const watched = await Promise.all(
    cameras.views
      .flatMap((v) => v.cameras)
      .map(async ({ camera: { id } }) => {
        const seen = { id, brightness: [] as { atS: number; mean: number }[], failures: [] as FailureReason[] };
        const source: FrameSource = new FrameSource({
          address: { id, url: `rtsp://127.0.0.1:${port}/${id}`, ...CREDENTIALS, allowLocalAddress: true, transport: 'tcp' },
          timing: { fps: 2 },
          format: { input: { width: 64, height: 64, letterbox: null }, fullWidthMax: 320 },
          log: silentLog,
          clock: systemClock,
          random: () => 0,
          onFrame: (frame) => {
            const { luma } = frame.full;
            const mean = luma.reduce((sum, value) => sum + value, 0) / luma.length;
            seen.brightness.push({ atS: (performance.now() - begunMs) / 1000, mean });
            source.release(frame);
          },
          onFailure: (reason) => seen.failures.push(reason),
        });
        onTestFinished(() => source.stop());
        await source.start();
        await until(() => seen.brightness.length >= 2, PATIENCE);
        return seen;
      }),
  );
  begunMs = performance.now();
  film.begin();
  const faultOf = (id: string) => cameras.faults.find((f) => f.camera.id === id)?.what ?? 'well';
  await until(() => watched.every((w) => (w.brightness.at(-1)?.atS ?? 0) > TO * DURATION_S + 1), PATIENCE);
  expect(watched.map((w) => faultOf(w.id)).sort()).toEqual(['black', 'cut', 'well']);
  for (const { id, brightness, failures } of watched) {
    const fault = faultOf(id);
    const dark = brightness.filter(({ mean }) => mean < 30).map(({ atS }) => atS);
    expect(dark.length > 0, id).toBe(fault === 'black');
    // What is seen is a little behind what is played.
    if (fault === 'black') expect(Math.min(...dark)).toBeGreaterThanOrEqual(FROM * DURATION_S - 0.1);
    expect(brightness.at(-1)?.mean).toBeGreaterThan(40);
    expect(failures.includes('disconnected'), id).toBe(fault === 'cut');
  }
}, 120_000);
