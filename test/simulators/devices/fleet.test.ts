import { expect, onTestFinished, test } from 'vitest';
import { type DeviceKind, deviceKind, validatePayload } from '#grid/mod.ts';
import { silentLog, systemClock } from '#service/mod.ts';
import { DeviceFleet, type FleetConfig, type FleetDevice } from '#simulators/devices/mod.ts';
import { until } from '../../support/until.ts';
import { type ListeningBroker, listeningBroker, SECRET } from './broker.ts';

const KINDS = ['manhole_cover', 'streetlight', 'fire_hydrant'];
const INTERVAL_MS = 40;

function devicesAt(url: string, count = 3): FleetDevice[] {
  return Array.from({ length: count }, (_, n) => ({ id: `dev-${n + 1}`, kind: KINDS[n % 3] as string, secret: SECRET, url }));
}

/** Started, and stopped with the test. */
async function fleetOf(config: Partial<FleetConfig> & Pick<FleetConfig, 'devices'>): Promise<DeviceFleet> {
  const fleet = new DeviceFleet({
    config: { seed: 1, intervalMs: INTERVAL_MS, hour: 20, ...config },
    clock: systemClock,
    log: silentLog,
  });
  onTestFinished(() => fleet.stop());
  await fleet.start();
  return fleet;
}

/** No more samples, and everything acknowledged. */
async function settle(fleet: DeviceFleet): Promise<void> {
  expect(await fleet.quiesce(10_000)).toBe(true);
}

const range = (last: number) => Array.from({ length: last }, (_, i) => i + 1);

/** Everything that devices were told is heard was heard, and nothing is lost. */
function expectComplete(fleet: DeviceFleet, broker: ListeningBroker): void {
  for (const [id, device] of fleet.devices) {
    const { produced } = device.stats;
    expect([...device.ackedSeqs]).toEqual(range(produced));
    expect([...new Set(broker.seqs(id))].sort((a, b) => a - b)).toEqual(range(produced));
  }
}

test('every device reports by the clock, in order, with payloads that its kind allows, and counts PUBACKs', async () => {
  const broker = await listeningBroker();
  const before = Date.now();
  const fleet = await fleetOf({ devices: devicesAt(broker.url, 6) });
  await until(() => broker.samples('dev-6').length >= 10);
  await settle(fleet);
  const tookMs = Date.now() - before;
  expectComplete(fleet, broker);
  for (const [id, device] of fleet.devices) {
    expect(broker.seqs(id)).toEqual(range(device.stats.produced));
    const kind = deviceKind(KINDS[(Number(id.slice(4)) - 1) % 3] as string) as DeviceKind;
    const times = broker.samples(id).map((sample) => {
      const result = validatePayload(kind, sample);
      expect(result).toMatchObject({ ok: true, value: { implausible: [] } });
      return sample.ts as number;
    });
    for (const [i, ts] of times.entries())
      if (i > 0) expect(ts - (times[i - 1] as number)).toBeGreaterThanOrEqual(INTERVAL_MS - 2);
  }
  const { produced, acked, sent, pending, dropped, failed, connects, refused } = fleet.stats;
  expect({ acked, sent, pending, dropped, failed, connects, refused }).toEqual({
    acked: produced,
    sent: produced,
    pending: 0,
    dropped: 0,
    failed: 0,
    connects: 6,
    refused: 0,
  });
  // The schedule is open: it does not wait for answers, and it does not run ahead of the clock either.
  expect(produced).toBeLessThanOrEqual(6 * (tookMs / INTERVAL_MS + 2));
});

test('a slow broker slows no sampling: what waits goes in batches', async () => {
  const broker = await listeningBroker();
  broker.delayMs = 5 * INTERVAL_MS;
  const fleet = await fleetOf({ devices: devicesAt(broker.url, 1), batchMax: 4 });
  await until(() => broker.samples('dev-1').length >= 12);
  await settle(fleet);
  expectComplete(fleet, broker);
  const sizes = broker.heard.filter((h) => h.channel === 'telemetry').map((h) => h.objects.length);
  expect(Math.max(...sizes)).toBe(4);
});

test('a broker that goes away and comes back misses nothing', async () => {
  const broker = await listeningBroker();
  const fleet = await fleetOf({ devices: devicesAt(broker.url) });
  await until(() => fleet.stats.acked >= 9);
  await broker.stop();
  const { produced, connected } = await until(() => (fleet.stats.connected === 0 ? fleet.stats : null));
  expect(connected).toBe(0);
  await until(() => fleet.stats.produced >= produced + 15 && fleet.stats.refused > 0);
  expect(fleet.stats.pending).toBeGreaterThan(0);
  await broker.start();
  await until(() => fleet.stats.connected === 3);
  await settle(fleet);
  expectComplete(fleet, broker);
  expect(fleet.stats).toMatchObject({ dropped: 0, connects: 6 });
});

test('what got no PUBACK is sent again, and only a PUBACK counts', async () => {
  const broker = await listeningBroker();
  const fleet = await fleetOf({ devices: devicesAt(broker.url) });
  await until(() => fleet.stats.acked >= 6);
  broker.refuses = true;
  await until(() => fleet.stats.failed >= 3);
  const { acked } = fleet.stats;
  const heard = broker.heard.length;
  await until(() => fleet.stats.failed >= 6);
  expect(fleet.stats.acked).toBe(acked);
  expect(broker.heard.length).toBe(heard);
  broker.refuses = false;
  await until(() => fleet.stats.acked > acked);
  await settle(fleet);
  expectComplete(fleet, broker);
});

test('a cut connection leaves a will, and the device comes again', async () => {
  const broker = await listeningBroker();
  const fleet = await fleetOf({ devices: devicesAt(broker.url, 1) });
  await until(() => broker.samples('dev-1').length > 0);
  fleet.device('dev-1').cut();
  await until(() => fleet.stats.connects === 2 && broker.states('dev-1').length >= 3);
  expect(broker.states('dev-1')).toEqual(['online', 'offline', 'online']);
  await settle(fleet);
  await fleet.stop();
  expectComplete(fleet, broker);
  // The good-bye is said once: an orderly end leaves no will.
  expect(broker.states('dev-1')).toEqual(['online', 'offline', 'online', 'offline']);
});

test('history is bounded: the oldest goes, and is counted', async () => {
  const broker = await listeningBroker();
  const { url } = broker;
  await broker.stop();
  const fleet = await fleetOf({ devices: devicesAt(url, 1), historyMax: 5, intervalMs: 10 });
  await until(() => fleet.stats.produced >= 20);
  expect(fleet.stats.pending).toBeLessThanOrEqual(5);
  await broker.start();
  await until(() => fleet.stats.acked >= 5);
  await settle(fleet);
  const { produced, acked, dropped } = fleet.stats;
  expect(acked + dropped).toBe(produced);
  expect(dropped).toBeGreaterThanOrEqual(15);
  expect(broker.seqs('dev-1')[0]).toBeGreaterThan(dropped);
});

test('a device with the wrong secret is refused, again and again, and sends nothing', async () => {
  const broker = await listeningBroker();
  const [device] = devicesAt(broker.url, 1) as [FleetDevice];
  const fleet = await fleetOf({ devices: [{ ...device, secret: 'not-the-secret' }] });
  await until(() => fleet.stats.refused >= 2);
  expect(fleet.stats).toMatchObject({ connected: 0, connects: 0, sent: 0, acked: 0 });
  expect(await fleet.quiesce(10)).toBe(false);
});

test('an incident is told from its time on, and no longer than its end', async () => {
  const broker = await listeningBroker();
  const fleet = await fleetOf({ devices: devicesAt(broker.url) });
  const startsAt = Date.now();
  const tilt = { id: 'i-1', device: 'dev-1', fields: { tilt_deg: 25, opened: true }, fromMs: 400, toMs: 1600 };
  fleet.play(tilt, startsAt);
  fleet.play({ ...tilt, id: 'long-over', fromMs: -500, toMs: -100 }, startsAt);
  const over = () => broker.samples('dev-1').some((s) => (s.ts as number) > startsAt + tilt.toMs && s.opened !== true);
  await until(() => fleet.told.has('i-1') && over());
  await settle(fleet);
  const wrong = broker.samples('dev-1').filter((s) => s.opened === true);
  expect(wrong.length).toBeGreaterThan(2);
  for (const s of wrong) expect(s.tilt_deg).toBeCloseTo(25, 0);
  const times = wrong.map((s) => s.ts as number);
  expect(fleet.told).toEqual(new Map([['i-1', { firstAt: times[0], lastAt: times.at(-1), times: times.slice(0, 8) }]]));
  expect(times[0]).toBeGreaterThanOrEqual(startsAt + 400 - 2);
  const after = broker.samples('dev-1').filter((s) => (s.ts as number) > (times.at(-1) as number));
  expect(after.length).toBeGreaterThan(0);
  for (const s of after) expect(s.tilt_deg).toBeLessThan(5);
  for (const s of broker.samples('dev-2')) expect(s.tilt_deg).toBeLessThan(5);
});

test('an alarm is sent at once, not with the next report; the recovery comes with a report', async () => {
  const broker = await listeningBroker();
  const fleet = await fleetOf({ devices: devicesAt(broker.url, 1), intervalMs: 3_600_000 });
  await until(() => fleet.stats.connected === 1);
  const heard = broker.samples('dev-1').length;
  const startsAt = Date.now();
  fleet.play({ id: 'i-1', device: 'dev-1', fields: { tilt_deg: 25 }, fromMs: 20, toMs: 60_000 }, startsAt);
  await until(() => broker.samples('dev-1').length > heard);
  await settle(fleet);
  expect(broker.samples('dev-1').length).toBe(heard + 1);
  const alarm = broker.samples('dev-1').at(-1) as { tilt_deg: number; ts: number };
  expect(alarm.tilt_deg).toBeCloseTo(25, 0);
  expect(alarm.ts).toBeGreaterThanOrEqual(startsAt + 20 - 2);
  expect(alarm.ts - startsAt).toBeLessThan(5_000);
  expect(fleet.told.get('i-1')).toEqual({ firstAt: alarm.ts, lastAt: alarm.ts, times: [alarm.ts] });
  expectComplete(fleet, broker);
});

test('an incident that begins after the last sample is not told: what was counted stays the whole', async () => {
  const broker = await listeningBroker();
  const fleet = await fleetOf({ devices: devicesAt(broker.url, 1) });
  await until(() => fleet.stats.acked > 0);
  await settle(fleet);
  const { produced } = fleet.stats;
  fleet.device('dev-1').stage('too-late', { tilt_deg: 25 });
  await fleet.stop();
  expect(fleet.stats).toMatchObject({ produced, acked: produced, pending: 0 });
  expect(fleet.told.size).toBe(0);
});

test('what a kind has not cannot be staged, and what the fleet has not cannot be named', async () => {
  const broker = await listeningBroker();
  const fleet = await fleetOf({ devices: devicesAt(broker.url, 1) });
  expect(() => fleet.device('dev-1').stage('x', { pressure_mpa: 0 })).toThrow('no field pressure_mpa');
  expect(() => fleet.device('dev-9')).toThrow(expect.objectContaining({ code: 'GEWU_DEVICE_UNKNOWN' }));
  const unknown = new DeviceFleet({
    config: { seed: 1, intervalMs: 100, devices: [{ id: 'a', kind: 'toaster', secret: SECRET, url: broker.url }] },
    clock: systemClock,
    log: silentLog,
  });
  await expect(unknown.start()).rejects.toMatchObject({ code: 'GEWU_DEVICE_UNKNOWN' });
});
