import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createEdgeNode, type EdgeNode } from '#edge/mod.ts';
import { deviceKind, type EventRecord, type SiteDevice } from '#grid/mod.ts';
import { type HealthLine, parseLine } from '#grid/wire/mod.ts';
import { silentLog } from '#service/mod.ts';
import { createSampler, type Fields } from '#simulators/devices/mod.ts';
import { DEVICE_FAULT_KINDS, type DeviceFaultKind, FaultyDevice, faultsToldOf, type Outgoing } from '#simulators/faults/mod.ts';
import { LoadConnection } from '#simulators/load/mod.ts';
import { coverDevice, edgeConfig, secretOf } from '../../support/edge.ts';
import { tempDir } from '../../support/temp.ts';
import { until } from '../../support/until.ts';

/** One edge, a device for each fault, and a clock that the test puts forward: rules count by it. */
let shiftMs = 0;
const clock = { now: () => Date.now() + shiftMs, monotonic: () => performance.now() + shiftMs };
const KINDS = Object.keys(DEVICE_FAULT_KINDS) as DeviceFaultKind[];
const idOf = (fault: DeviceFaultKind) => `x-${fault}`;
let node: EdgeNode;

beforeAll(async () => {
  const dataDir = join(await tempDir({ keep: true }), 'data');
  const devices = KINDS.map((fault, i): SiteDevice => {
    const cover = coverDevice(idOf(fault), i + 1);
    const hydrant = { ...cover, kind: 'fire_hydrant', component: `1101010113${String(i + 1).padStart(6, '0')}` };
    const offline = { id: 'offline', missing: { forS: 60 }, raises: { fault: 'device_offline' }, severity: 'normal' as const };
    return { ...hydrant, ...(fault === 'silent' ? { rules: { offline } } : {}) };
  });
  const config = edgeConfig({ dataDir, centreUrl: 'mqtt://127.0.0.1:9', devices });
  config.broker.limits.messagesPerSPerClientMax = 50;
  node = createEdgeNode({ config, log: silentLog, clock });
  await node.start();
}, 60_000);
afterAll(() => node.stop());

interface Link {
  acked: Set<number>;
  connection: LoadConnection;
  refused: number;
  ended: number;
  /** What it said, in its order: number, the time that it gave, and how long after it was sent, ms. */
  said: { seq: number; ts: number; afterMs: number }[];
}

function link(fault: DeviceFaultKind, password = secretOf(idOf(fault))): Link {
  const state = { acked: new Set<number>(), refused: 0, ended: 0, said: [] as Link['said'] } as Link;
  state.connection = new LoadConnection(
    { host: '127.0.0.1', port: node.brokerPort },
    { id: idOf(fault), password },
    {
      up: () => undefined,
      down: (refused) => (refused ? state.refused++ : state.ended++),
      acked: (id) => void state.acked.add(id),
    },
  );
  state.connection.connect();
  return state;
}

/** Sends what the faulty device says of `samples` samples, `everyS` seconds of the edge's clock apart; what it keeps back comes when its time has. */
async function suffer(fault: DeviceFaultKind, samples: number, everyS: number, seed = 7): Promise<Link> {
  const kind = deviceKind('fire_hydrant');
  if (kind === undefined) throw new Error('fire_hydrant');
  const [sampler, faulty, state] = [createSampler(kind, 7), new FaultyDevice(fault, kind.kind, seed), link(fault)];
  await until(() => state.connection.up, { what: `${fault} is connected` });
  let seq = 0;
  let kept: (Outgoing & { dueMs: number })[] = [];
  for (let n = 0; n < samples || kept.length > 0; n++) {
    const fields: Fields = sampler({ hour: 12, elapsedS: n });
    if (n < samples) {
      const made = faulty.say({ fields, ts: clock.now(), issue: () => ++seq });
      kept.push(...made.map((m) => ({ ...m, dueMs: clock.now() + m.afterS * 1000 })));
    }
    const due = kept.filter(({ dueMs }) => dueMs <= clock.now());
    kept = kept.filter((k) => !due.includes(k));
    const ids = due.map(({ payload, seq: number }) => {
      if (number !== null) {
        const { ts } = JSON.parse(payload.toString()) as { ts: number };
        state.said.push({ seq: number, ts, afterMs: clock.now() - ts });
      }
      return state.connection.publish(`devices/${idOf(fault)}/telemetry`, payload);
    });
    state.connection.flush();
    await until(() => !state.connection.up || ids.every((id) => state.acked.has(id)), { what: `${fault}: PUBACK` });
    if (!state.connection.up) {
      state.connection.connect();
      await until(() => state.connection.up, { what: `${fault} comes again` });
    }
    shiftMs += everyS * 1000;
  }
  state.connection.close();
  return state;
}

async function lane(name: 'events' | 'health' | 'readings'): Promise<string[]> {
  const chunk = await node.outbox.take(name, 1, Number.MAX_SAFE_INTEGER, 1e8, 1e7);
  return Buffer.from(chunk?.body ?? [])
    .toString()
    .split('\n')
    .filter(Boolean);
}
const readings = async (fault: DeviceFaultKind) =>
  (await lane('readings')).map((l) => parseLine(l)).flatMap((r) => ('device' in r && r.device === idOf(fault) ? [r] : []));
const events = async (fault: DeviceFaultKind) =>
  (await lane('events'))
    .map((l) => JSON.parse(l) as EventRecord)
    .filter((e) => e.data.origin.by === 'sensor' && e.data.origin.device === idOf(fault))
    .map((e) => `${e.data.class.fault}${e.type === 'gewu.event.cleared' ? ' cleared' : ''}`);
/** Number and time of each reading of it that is stored, by number; and of what it said. */
const timesOf = async (fault: DeviceFaultKind) =>
  Object.fromEntries((await readings(fault)).map((r) => [Number(r.fields.seq), r.ts]));
const timesSaid = (said: Link['said']) => Object.fromEntries(said.map(({ seq, ts }) => [seq, ts]));
const letters = async (fault: DeviceFaultKind) =>
  (await lane('health'))
    .map((l) => JSON.parse(l) as HealthLine)
    .flatMap((l) => ('code' in l && l.id === idOf(fault) ? [l.code] : []));
const raised = async (fault: DeviceFaultKind, what: string) =>
  until(async () => (await events(fault)).includes(what), { what: `${fault}: ${what}` });

test('stuck: device_fault', async () => {
  await suffer('stuck', 22, 35);
  await raised('stuck', 'device_fault');
});

test('drifting out of its range, in wrong units, jumping: device_fault', async () => {
  for (const fault of ['drifting', 'wrong-units', 'noisy'] as const) {
    await suffer(fault, 14, 5);
    await raised(fault, 'device_fault');
  }
  // A thousand times the pressure is no burst main, and no over-pressure either.
  expect(faultsToldOf('wrong-units', 'fire_hydrant')).toEqual(['device_fault']);
  // What drifts passes through what is dangerous before it is beyond what can be.
  expect(faultsToldOf('drifting', 'fire_hydrant')).toContain('hydrant_over_pressure');
});

test('flapping: device_unstable', async () => {
  await suffer('flapping', 16, 6);
  await raised('flapping', 'device_unstable');
});

test('silent: device_offline', async () => {
  const state = link('silent');
  await until(() => state.connection.up, { what: 'connected' });
  state.connection.publish(`devices/${idOf('silent')}/telemetry`, Buffer.from('{"pressure_mpa":0.3}'));
  state.connection.flush();
  await until(() => state.acked.size === 1, { what: 'PUBACK' });
  state.connection.close();
  expect(new FaultyDevice('silent', 'fire_hydrant', 1).say({ fields: {}, ts: 0, issue: () => 1 })).toEqual([]);
  shiftMs += 61_000;
  await raised('silent', 'device_offline');
});

test('babbling: slowed down to its own limit, others are not', async () => {
  const began = performance.now();
  let isHeldBack = true;
  const babbling = suffer('babbling', 2, 0).then(() => {
    isHeldBack = false;
  });
  const other = link('twin');
  await until(() => other.connection.up, { what: 'another device is let in' });
  other.connection.publish(`devices/${idOf('twin')}/telemetry`, Buffer.from('{"pressure_mpa":0.3}'));
  other.connection.flush();
  await until(() => other.acked.size === 1, { what: 'another device is heard' });
  // It waited for nobody: all that was said before it is still held back.
  expect(isHeldBack).toBe(true);
  other.connection.close();
  await babbling;
  // 200 messages at 50 a second, the first 50 at once.
  expect(performance.now() - began).toBeGreaterThan(2_000);
  expect(await readings('babbling')).toHaveLength(200);
});

test('duplicated: the second has the identity of the first, so that a store has it once', async () => {
  await suffer('duplicated', 10, 1);
  const identities = new Map((await readings('duplicated')).map((r) => [`${r.ts}.${r.us}`, r.fields.seq]));
  expect([...identities.values()]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
});

test('reordered and late: all are stored at their own times', async () => {
  await suffer('reordered', 10, 1);
  const stored = (await readings('reordered')).sort((a, b) => a.ts - b.ts);
  expect(stored.map((r) => r.fields.seq)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  const { said } = await suffer('late', 12, 1);
  // Many seconds late, and in no order.
  expect(Math.max(...said.map((s) => s.afterMs))).toBeGreaterThan(10_000);
  expect(said.map((s) => s.seq)).not.toEqual(said.map((s) => s.seq).sort((a, b) => a - b));
  expect(await timesOf('late')).toEqual(timesSaid(said));
});

test('a clock that is hours ahead: the time of the edge, marked; one that is minutes behind, or steps: its own times', async () => {
  const isAhead = (seed: number) => {
    const [first] = new FaultyDevice('clock-skew', 'fire_hydrant', seed).say({ fields: {}, ts: 0, issue: () => 1 });
    return (JSON.parse(String(first?.payload)) as { ts: number }).ts > 0;
  };
  const seeds = Array.from({ length: 20 }, (_, seed) => seed);
  const [ahead, behind] = [seeds.find(isAhead), seeds.find((seed) => !isAhead(seed))];
  const before = clock.now();
  const told = await suffer('clock-skew', 5, 1, ahead);
  const skewed = await readings('clock-skew');
  expect(skewed.map((r) => r.fields.clock_skew)).toEqual([true, true, true, true, true]);
  for (const { ts } of told.said) expect(ts).toBeGreaterThan(before + 3_600_000);
  for (const { ts } of skewed) {
    expect(ts).toBeGreaterThanOrEqual(before);
    expect(ts).toBeLessThanOrEqual(clock.now());
  }
  const { said: late } = await suffer('clock-skew', 5, 1, behind);
  const all = await readings('clock-skew');
  const own = all.slice(skewed.length).map((r) => ({ seq: Number(r.fields.seq), ts: r.ts }));
  expect(own).toEqual(late.map(({ seq, ts }) => ({ seq, ts })));
  for (const { afterMs } of late) expect(afterMs).toBeGreaterThan(60_000);
  const { said: jumps } = await suffer('clock-jump', 6, 1);
  expect(await timesOf('clock-jump')).toEqual(timesSaid(jumps));
  const steps = jumps.slice(1).map(({ ts }, n) => ts - (jumps[n]?.ts ?? 0));
  expect([Math.min(...steps) < -60_000, Math.max(...steps) > 60_000]).toEqual([true, true]);
  expect((await readings('clock-jump')).some((r) => r.fields.clock_skew === true)).toBe(false);
});

test('corrupt and hostile payloads: dead letters with their codes, and the next sample is taken', async () => {
  await suffer('corrupt', 12, 1);
  const corrupt = await letters('corrupt');
  expect(corrupt.length).toBe(12);
  expect(corrupt).toContain('GEWU_PAYLOAD_NOT_JSON');
  const hostile = await suffer('hostile', 22, 1);
  expect((await letters('hostile')).length).toBe(21);
  // The one that is larger than any packet may be ends its connection.
  expect(hostile.ended).toBeGreaterThanOrEqual(1);
  for (const fault of ['corrupt', 'hostile'] as const) {
    expect(await readings(fault)).toEqual([]);
    expect(await events(fault)).toEqual([]);
  }
});

test('two devices with one id: the newer connection ends the older, and both are heard', async () => {
  const say = async (who: Link, seq: number) => {
    who.connection.publish(
      `devices/${idOf('twin')}/telemetry`,
      Buffer.from(JSON.stringify({ pressure_mpa: 0.3, seq, ts: clock.now() })),
    );
    who.connection.flush();
    await until(() => who.acked.size === Math.ceil(seq / 2), { what: `${seq} is heard` });
  };
  const one = link('twin');
  await until(() => one.connection.up, { what: 'the first' });
  await say(one, 1);
  const two = link('twin');
  await until(() => two.connection.up && one.ended === 1, { what: 'the second ends the first' });
  await say(two, 2);
  one.connection.connect();
  await until(() => one.connection.up && two.ended === 1, { what: 'and the other way round' });
  await say(one, 3);
  one.connection.close();
  const heard = (await readings('twin')).flatMap((r) => ('seq' in r.fields ? [r.fields.seq] : []));
  expect(heard).toEqual([1, 2, 3]);
});

test('a secret that has expired: not let in', async () => {
  const state = link('expired', 'no longer valid');
  await until(() => state.refused === 1, { what: 'refused' });
  expect(await readings('expired')).toEqual([]);
});

test.each(KINDS)('%s makes nobody lie: what the edge says of its component is what is wrong with it', async (fault) => {
  const allowed = faultsToldOf(fault, 'fire_hydrant');
  const told = (await events(fault)).map((e) => e.replace(' cleared', ''));
  expect(told.filter((key) => !allowed.includes(key))).toEqual([]);
});

test('each fault of the list has its reaction above', () => {
  expect(KINDS).toHaveLength(16);
});
