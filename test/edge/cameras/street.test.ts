import { readFile } from 'node:fs/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createCameraPipeline } from '#edge/cameras/mod.ts';
import type { EventRecord } from '#grid/wire/mod.ts';
import { createMetrics, silentLog, systemClock } from '#service/mod.ts';
import { createStreetRenderer, RtspServer, SimulatedCamera, stageStreet, toEnu, toLocal } from '#simulators/cameras/mod.ts';
import { evidenceRoom } from '#test/support/evidence.ts';
import { tempDir } from '#test/support/temp.ts';
import { until } from '#test/support/until.ts';
import { ORIGIN, POSE, RULE, STREET, siteCamera } from '../vision/street.ts';
import { PASSWORD, PATH, USERNAME } from './painted.ts';

// They wait for real processes; a busy machine needs longer, and a wrong result is told long before.
vi.setConfig({ testTimeout: 90_000 });

const MODEL = 'models/street-drawn';
const PLACE = { alongM: 4, acrossM: -5.5 };
/** What the project asks of the shipped model; a checkout with a lesser one (training under way) is told so by its own test. */
const MAP50_WANTED = 0.8;
const { metrics } = JSON.parse(await readFile(`${MODEL}/manifest.json`, 'utf8')) as { metrics: { map50: number } };

async function drawnCamera(): Promise<SimulatedCamera> {
  const server = new RtspServer({ config: { port: 0 }, log: silentLog, clock: systemClock });
  await server.start();
  const script = stageStreet({
    street: STREET,
    light: { daylight: 1, rain: 0, sunHeadingDeg: 200, shadow: 0.4 },
    seed: 3,
    stretch: [-10, 30],
    durationMs: 60_000,
    incidents: [{ id: 'stall-1', class: 'stall', place: PLACE, fromMs: -10_000, standsMs: 600_000, seed: 12 }],
    walkersPerMinute: 0,
    carsPerMinute: 0,
    decoys: 0,
  });
  const camera = new SimulatedCamera({
    config: { id: 'cam-01', pose: POSE, script, fps: 5, mount: PATH, username: USERNAME, password: PASSWORD },
    server,
    createRenderer: createStreetRenderer,
    log: silentLog,
    clock: systemClock,
  });
  await camera.start();
  onTestFinished(async () => {
    await camera.stop();
    await server.stop();
  });
  return camera;
}

test.skipIf(metrics.map50 < MAP50_WANTED)(
  'the shipped model finds a stall on a drawn street and places it within 1.5 m',
  async () => {
    const camera = await drawnCamera();
    const events: EventRecord[] = [];
    const [w, e, s, n] = [ORIGIN.lon - 0.002, ORIGIN.lon + 0.002, ORIGIN.lat - 0.002, ORIGIN.lat + 0.002];
    const rule = { ...RULE, dwellS: 2 };
    const polygon: [number, number][] = [
      [0, 0],
      [1, 0],
      [1, 1],
      [0, 1],
    ];
    const dataDir = await tempDir();
    const { room, close } = await evidenceRoom({ dataDir });
    onTestFinished(close);
    const pipeline = createCameraPipeline({
      site: {
        timeZone: 'Asia/Shanghai',
        cells: [
          {
            code: '110101001001017',
            polygon: [
              [w, s],
              [e, s],
              [e, n],
              [w, n],
            ],
          },
        ],
        components: [],
        devices: [],
        gateways: [],
        cameras: [
          siteCamera({ url: camera.url, username: USERNAME, password: PASSWORD, zones: [{ id: 'all', polygon, rules: [rule] }] }),
        ],
      },
      profile: 'default',
      vision: { model: MODEL, workers: 1, filesDir: null },
      events: { emit: async (record) => void events.push(record) },
      health: { report: async () => {} },
      caseStates: { stateOf: () => 'unknown' },
      clock: systemClock,
      log: silentLog,
      metrics: createMetrics(),
      dataDir,
      edgeId: 'edge-01',
      evidence: room,
    });
    await pipeline.start();
    onTestFinished(() => pipeline.stop());
    const raised = await until(() => events[0], { timeoutMs: 40_000 });
    const { place, evidence, origin } = raised.data;
    const truth = toEnu(STREET, PLACE);
    const [xM, yM] = toLocal(place.lon, place.lat, ORIGIN.lon, ORIGIN.lat);
    expect(Math.hypot(xM - truth.xM, yM - truth.yM)).toBeLessThan(1.5);
    expect(origin).toMatchObject({ provenance: 'drawn-scenes', simulated: true });
    expect(evidence).toHaveLength(1);
    expect(events).toHaveLength(1);
  },
);
