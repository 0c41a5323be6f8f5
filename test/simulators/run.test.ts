import { connect } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '#cli/servers/mod.ts';
import { silentLog, systemClock } from '#service/mod.ts';
import { createSimulation, type SimulateConfig, type Simulation, type StagedTruth } from '#simulators/mod.ts';
import { until } from '../support/until.ts';
import { FfmpegClient } from './cameras/rtsp_support.ts';
import { type ListeningBroker, listeningBroker } from './devices/broker.ts';

const LOGIN = { username: 'gewu', password: 'a-password' };
/** Both a sensor's first incident (6 s) and a camera's (8 s, and until it is complete) are in it. */
const FIRST_INCIDENTS_MS = 20_000;

interface Running {
  simulation: Simulation;
  brokers: Record<string, ListeningBroker>;
  rtspPort: number;
}

async function simulate(over: Partial<SimulateConfig> = {}): Promise<Running> {
  const brokers = { 'edge-01': await listeningBroker({ open: true }), 'edge-02': await listeningBroker({ open: true }) };
  const rtspPort = await freePort();
  const config: SimulateConfig = {
    version: 1,
    seed: 7,
    profile: 'demo',
    city: { layout: 'demo', edges: 2, cells: 4, sensors: 6, cameras: 1 },
    intervalS: 0.2,
    brokers: Object.fromEntries(Object.entries(brokers).map(([id, b]) => [id, b.url])),
    rtsp: { host: '127.0.0.1', port: rtspPort, ...LOGIN },
    ...over,
  };
  const simulation = createSimulation({ config, log: silentLog, clock: systemClock });
  onTestFinished(() => simulation.stop());
  await simulation.start();
  return { simulation, brokers, rtspPort };
}

const heardBy = (brokers: Running['brokers']) => Object.values(brokers).flatMap((b) => b.heard);

function samplesOf(brokers: Running['brokers']) {
  return heardBy(brokers)
    .filter((h) => h.channel === 'telemetry')
    .flatMap((h) => h.objects.map((o) => ({ device: h.device, seq: o.seq as number, ts: o.ts as number })));
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

test('a whole city: its sensors speak to their edges, its camera films, and the truth is what was said and shown', async () => {
  const before = Date.now();
  const { simulation, brokers, rtspPort } = await simulate();
  expect(simulation.startedAt).toBeGreaterThanOrEqual(before);
  expect(simulation.truth()).toEqual([]);
  const viewer = new FfmpegClient(`rtsp://127.0.0.1:${rtspPort}/cam-01`, { widthPx: 640, heightPx: 360, login: LOGIN });
  await viewer.next(3);
  await viewer.stop();

  const sources = () => new Set(simulation.truth().map((t) => t.source));
  await until(() => sources().size === 2, { timeoutMs: FIRST_INCIDENTS_MS });
  await simulation.stopSensors(10_000);
  const { sensors, cameras } = simulation.stats();
  expect(sensors).toMatchObject({ devices: 6, connected: 6, pending: 0, dropped: 0, acked: sensors.produced });
  expect(cameras['cam-01']?.drawn).toBeGreaterThan(20);
  expect(cameras['cam-01']?.drawErrors).toBe(0);

  const samples = samplesOf(brokers);
  expect(new Set(samples.map((s) => `${s.device} ${s.seq}`)).size).toBe(sensors.produced);
  for (const broker of Object.values(brokers)) expect(new Set(broker.heard.map((h) => h.device)).size).toBe(3);

  const truth = simulation.truth();
  const staged = truth.find((t) => t.source === 'sensor') as StagedTruth;
  expect(staged.component).toMatch(/^110101\d{10}$/);
  // The truth begins with a sample that an edge's broker really got.
  expect(samples.some((s) => s.ts === staged.standsFrom)).toBe(true);
  expect(staged.standsFrom - simulation.startedAt).toBeGreaterThanOrEqual(6_000 - 2);
  const shown = truth.find((t) => t.source === 'camera') as StagedTruth;
  expect(shown.standsFrom - simulation.startedAt).toBeGreaterThanOrEqual(8_000);
  expect(shown).toMatchObject({ confirmMs: 5_000 });

  await simulation.stop();
  const count = samplesOf(brokers).length;
  const said = (state: string) => heardBy(brokers).filter((h) => h.channel === 'status' && h.objects[0]?.state === state);
  await until(() => said('offline').length === 6);
  expect(said('online').length).toBe(6);
  expect(samplesOf(brokers).length).toBe(count);
  expect(await listens(rtspPort)).toBe(false);
}, 45_000);

test('only cameras: no device connects', async () => {
  const { simulation, brokers, rtspPort } = await simulate({ only: 'cameras' });
  expect(await listens(rtspPort)).toBe(true);
  await until(() => (simulation.stats().cameras['cam-01']?.drawn ?? 0) >= 3);
  await simulation.stopSensors(1_000);
  expect(heardBy(brokers)).toEqual([]);
  expect(simulation.stats().sensors.devices).toBe(0);
});

test('only sensors: nobody listens for viewers', async () => {
  const { simulation, rtspPort } = await simulate({ only: 'sensors' });
  await until(() => simulation.stats().sensors.acked >= 6);
  expect(await listens(rtspPort)).toBe(false);
  expect(Object.values(simulation.stats().cameras).every((c) => c.drawn === 0)).toBe(true);
});
