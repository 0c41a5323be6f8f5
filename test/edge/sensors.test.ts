import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createEdgeNode, type EdgeNode } from '#edge/mod.ts';
import { checkHealthLine, type HealthLine } from '#grid/wire/mod.ts';
import { silentLog, systemClock } from '#service/mod.ts';
import { DeviceTimes } from '../../edge/sensors/mod.ts';
import { coverDevice, deviceClient, edgeConfig } from '../support/edge.ts';
import { tempDir } from '../support/temp.ts';
import { until } from '../support/until.ts';

const NOW = 1_700_000_000_000;
const HOUR = 3_600_000;
const content = (text: string) => () => text;
const given = (times: DeviceTimes, ts: number | undefined, seq?: number, now = NOW) =>
  times.give({ ts, seq, content: content(`${seq}`) }, now);

test('a device time is kept where it can be believed, else ours is given and marked', () => {
  const times = new DeviceTimes();
  expect(given(times, NOW - 1000, 1)).toEqual({ ts: NOW - 1000, us: 1, skewed: false, late: false });
  expect(given(times, NOW - 8 * 24 * HOUR, 2)).toMatchObject({ ts: NOW, skewed: true, late: false });
  expect(given(times, NOW + 6 * 60_000, 3)).toMatchObject({ skewed: true, late: false });
  expect(given(times, NOW + 4 * 60_000, 4)).toEqual({ ts: NOW + 4 * 60_000, us: 4, skewed: false, late: false });
});

test('five hundred samples of one millisecond get five hundred times', () => {
  const times = new DeviceTimes();
  for (const claim of [{}, { ts: NOW }]) {
    const all = Array.from({ length: 500 }, (_, seq) => times.give({ ...claim, seq, content: content('') }, NOW, 500));
    const order = all.map(({ ts, us }) => ts * 1000 + us);
    expect(new Set(order).size).toBe(500);
    expect(order).toEqual(order.toSorted((a, b) => a - b));
  }
});

test('no two samples share a time, whatever a device and our clock do', () => {
  const step = fc.record({
    wait: fc.integer({ min: 0, max: 3 }),
    ts: fc.option(fc.integer({ min: -20, max: 20 }), { nil: undefined }),
    repeat: fc.boolean(),
    stuck: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const times = new DeviceTimes();
      const seen = new Set<string>();
      let [now, seq] = [NOW, 0];
      for (const { wait, ts, repeat, stuck } of steps) {
        now += wait;
        const claimed = ts === undefined ? undefined : now + ts;
        const content = String(++seq);
        // One that counts nothing says the same number each time.
        const claim = { ts: claimed, seq: stuck ? 0 : seq, content: () => content };
        const { ts: got, us } = times.give(claim, now);
        expect(seen.has(`${got} ${us}`)).toBe(false);
        seen.add(`${got} ${us}`);
        // The same payload again, because its PUBACK was lost.
        if (repeat && claimed !== undefined) expect(times.give(claim, now)).toEqual({ ts: got, us, skewed: false, late: true });
      }
    }),
    { numRuns: 500 },
  );
});

test('a clock of ours that is set back makes no history of the present', () => {
  const times = new DeviceTimes();
  expect(given(times, undefined, 1, NOW).ts).toBe(NOW);
  // A little back: the order is kept. An hour back: the new time is the right one.
  const [first, second] = [given(times, undefined, 2, NOW - 500), given(times, undefined, 3, NOW - 500)];
  expect(first).toMatchObject({ skewed: false, late: false });
  expect([first.ts >= NOW, first.ts <= NOW + 1]).toEqual([true, true]);
  expect(second.ts * 1000 + second.us).toBeGreaterThan(first.ts * 1000 + first.us);
  expect(given(times, undefined, 4, NOW - HOUR)).toMatchObject({ ts: NOW - HOUR, skewed: false, late: false });
});

test('a device that was ahead, or is set back and counts on, is not taken for history; a backlog is', () => {
  const times = new DeviceTimes();
  given(times, NOW + 4 * 60_000, 1);
  expect(given(times, NOW, 2).late).toBe(false);
  expect(given(times, NOW - HOUR, 3).late).toBe(false);
  expect(given(times, NOW - HOUR + 1000, 4).late).toBe(false);
  given(times, NOW, 100);
  expect(given(times, NOW - HOUR, 50)).toEqual({ ts: NOW - HOUR, us: 50, skewed: false, late: true });
});

test('skipped numbers and repeats are counted; a restart of the device and a late sample are neither', () => {
  const times = new DeviceTimes();
  for (const seq of [5, 6, 9]) given(times, NOW + seq, seq);
  expect(times.gaps).toBe(2);
  given(times, NOW + 9, 9);
  expect(times.repeats).toBe(1);
  given(times, NOW - 1000, 7);
  given(times, NOW + 10, 10);
  expect(times.gaps).toBe(2);
  given(times, NOW + 11, 0);
  given(times, NOW + 12, 1);
  expect(times.gaps).toBe(2);
});

test('without a number the content tells a repeat from another sample of the same millisecond', () => {
  const times = new DeviceTimes();
  const give = (text: string) => times.give({ ts: NOW, content: content(text) }, NOW);
  const [a, b] = [give('a'), give('b')];
  expect([a.ts, b.ts]).toEqual([NOW, NOW]);
  expect(a.us).not.toBe(b.us);
  expect([give('a').us, give('b').us]).toEqual([a.us, b.us]);
  // And at a node that remembers nothing.
  expect(new DeviceTimes().give({ ts: NOW, content: content('b') }, NOW).us).toBe(b.us);
});

let node: EdgeNode;
beforeAll(async () => {
  const dataDir = join(await tempDir({ keep: true }), 'data');
  const devices = [coverDevice('mc-1'), coverDevice('mc-2', 2)];
  const config = edgeConfig({ dataDir, centreUrl: 'mqtt://127.0.0.1:9', devices });
  node = createEdgeNode({ config, log: silentLog, clock: systemClock });
  await node.start();
});
afterAll(() => node.stop());

async function lines(lane: 'readings' | 'health', from: number): Promise<string[]> {
  const chunk = await node.outbox.take(lane, from, Number.MAX_SAFE_INTEGER, 1e7, 1e6);
  return Buffer.from(chunk?.body ?? [])
    .toString()
    .split('\n')
    .filter(Boolean);
}
const health = async (from: number) => (await lines('health', from)).map((l) => JSON.parse(l) as HealthLine);

test('an array is taken whole, each sample under a time of its own', async () => {
  const client = await deviceClient(node.brokerPort, 'mc-1');
  const from = node.outbox.stats.readings.lastSeq + 1;
  const samples = Array.from({ length: 500 }, (_, seq) => ({ tilt_deg: 1, seq }));
  await client.publishAsync('devices/mc-1/telemetry', JSON.stringify(samples), { qos: 1 });
  const stored = await lines('readings', from);
  expect(stored).toHaveLength(500);
  expect(new Set(stored.map((l) => l.slice(l.lastIndexOf(' ')))).size).toBe(500);
  const before = node.outbox.stats.health.lastSeq;
  await client.publishAsync('devices/mc-1/telemetry', JSON.stringify([...samples, { tilt_deg: 1 }]), { qos: 1 });
  expect((await health(before + 1)).map((h) => 'code' in h && h.code)).toContain('GEWU_PAYLOAD_TOO_LARGE');
  await client.endAsync();
});

test('a sample of 1970 is stored under our time and marked', async () => {
  const client = await deviceClient(node.brokerPort, 'mc-1');
  const from = node.outbox.stats.readings.lastSeq + 1;
  await client.publishAsync('devices/mc-1/telemetry', '{"tilt_deg":1,"ts":12345,"seq":9}', { qos: 1 });
  const [line] = await lines('readings', from);
  expect(line).toMatch(/ tilt_deg=1,seq=9,clock_skew=true \d{16}$/);
  await client.endAsync();
});

test('births and wills become states of the device, each once; what is neither becomes a dead letter', async () => {
  const from = node.outbox.stats.health.lastSeq + 1;
  const states = async () =>
    (await health(from)).flatMap((h) =>
      h.of === 'device' && h.id === 'mc-2' ? [[h.state, h.reason, h.firmware].filter(Boolean).join(' ')] : [],
    );
  const will = { topic: 'devices/mc-2/status', payload: Buffer.from('{"state":"offline"}'), qos: 1 as const, retain: true };
  const client = await deviceClient(node.brokerPort, 'mc-2', { will });
  await client.publishAsync('devices/mc-2/status', 'degraded', { qos: 1, retain: true });
  await client.publishAsync('devices/mc-2/status', '{"state":"degraded"}', { qos: 1 });
  await client.publishAsync('devices/mc-2/status', '{"state":"degraded","firmware":"1.4.2-rc1"}', { qos: 1 });
  for (const nonsense of ['', 'null', '{"state":"fine"}', '[]', '7', '{"state":"online","firmware":"\\n"}'])
    await client.publishAsync('devices/mc-2/status', nonsense, { qos: 1 });
  client.stream.destroy();
  await until(async () => (await states()).length === 4);
  expect(await states()).toEqual(['online connected', 'degraded announced', 'degraded announced 1.4.2-rc1', 'offline announced']);
  const all = await health(from);
  expect(all.filter((h) => h.of === 'dead-letter')).toHaveLength(6);
  for (const h of all) expect(checkHealthLine.Check(h)).toBe(true);
  client.end(true);
});

test('a device whose clock was ahead and is set right is not late until the wrong time has come', () => {
  const times = new DeviceTimes();
  const ahead = times.give({ ts: NOW + 240_000, content: () => 'a' }, NOW);
  // Right by now, and a fifth of a second under way.
  const right = times.give({ ts: NOW + 60_000 - 200, content: () => 'b' }, NOW + 60_000);
  expect([ahead.late, right.late]).toEqual([false, false]);
});
