import { expect, onTestFinished, test } from 'vitest';
import { createCellIndex, type Site, type SiteDevice } from '#grid/mod.ts';
import { checkEvent, type EventRecord } from '#grid/wire/mod.ts';
import { ManualClock, silentLog } from '#service/mod.ts';
import { createRegistry } from '../../../edge/registry.ts';
import { RuleEngine } from '../../../edge/rules/mod.ts';
import { circuit, DARK, FEEDER, LIT, lamp, NOW, openOf, siteOf, told } from '../../support/alarms.ts';
import { coverDevice } from '../../support/edge.ts';
import { openOutbox } from '../../support/outbox.ts';
import { tempDir } from '../../support/temp.ts';

/** The engine over a real outbox and a clock that stands still: what people hear of many alarms. */

async function setUp(site: Site, { dir, clock = new ManualClock(NOW) }: { dir: string; clock?: ManualClock }) {
  const outbox = await openOutbox(dir);
  const registry = createRegistry(site, createCellIndex(site.cells), 'default');
  const engine = new RuleEngine({ edge: 'edge-01', registry, outbox, clock, log: silentLog });
  await engine.start();
  onTestFinished(() => engine.stop());
  const events = async () => {
    // Behind everything that ticks have begun to write: what changed meanwhile is written in a second go.
    for (let i = 0; i < 3; i++) await outbox.append('health', [Buffer.from('{}')]);
    const chunk = await outbox.take('events', 1, Number.MAX_SAFE_INTEGER, 1e7, 1e6);
    const all = Buffer.from(chunk?.body ?? [])
      .toString()
      .split('\n')
      .filter(Boolean)
      .map((l) => JSON.parse(l) as EventRecord);
    for (const e of all) expect(checkEvent.Check(e), JSON.stringify(e)).toBe(true);
    return all;
  };
  const pass = (s: number) => {
    for (let left = s; left > 0; left -= 1) {
      clock.advance(Math.min(1, left) * 1000);
      engine.tick();
    }
  };
  return { clock, engine, outbox, events, pass, stop: () => outbox.stop() };
}

test('a dark circuit of twelve lamps is one event with children, and ends as one', async () => {
  const { engine, events, pass } = await setUp(siteOf(...circuit(12)), { dir: await tempDir() });
  for (let n = 1; n <= 12; n++) await engine.sample(`sl-${n}`, DARK, []);
  pass(200);
  for (let n = 1; n <= 12; n++) await engine.sample(`sl-${n}`, DARK, []);
  pass(150);
  const all = await events();
  expect(new Set(all.map((e) => e.subject)).size).toBe(1);
  const [open] = openOf(all);
  expect(open?.data).toMatchObject({
    class: { code: '0110', fault: 'circuit_dark' },
    place: { component: FEEDER },
    children: { count: 12 },
  });
  expect(open?.data.children?.devices).toHaveLength(12);
  for (let n = 1; n <= 12; n++) await engine.sample(`sl-${n}`, LIT, []);
  pass(200);
  const after = await events();

  expect(openOf(after)).toEqual([]);
  expect(new Set(after.map((e) => e.subject)).size).toBe(1);
});

test('one dark lamp of a circuit is told by itself, after the others had time to show', async () => {
  const { engine, events, pass } = await setUp(siteOf(...circuit(12)), { dir: await tempDir() });
  await engine.sample('sl-1', DARK, []);
  await engine.sample('sl-1', DARK, []);
  pass(330);
  expect(await events()).toEqual([]);
  pass(40);
  expect(told(await events())).toEqual(['raised lamp_out sl-1']);
});

test('a circuit that was dark when the node was killed goes on as one event', async () => {
  const dir = await tempDir();
  const site = siteOf(...circuit(12));
  const first = await setUp(site, { dir });
  for (const _ of [1, 2]) for (let n = 1; n <= 12; n++) await first.engine.sample(`sl-${n}`, DARK, []);
  first.pass(310);
  expect(openOf(await first.events())).toHaveLength(1);
  await first.stop();
  const second = await setUp(site, { dir, clock: new ManualClock(NOW + 400_000) });
  second.pass(100);
  expect(openOf(await second.events())).toHaveLength(1);
  for (let n = 1; n <= 11; n++) await second.engine.sample(`sl-${n}`, LIT, []);
  second.pass(200);
  // Most are back: the one that is still dark speaks for itself.
  expect(openOf(await second.events()).map((e) => e.data.class.fault)).toEqual(['lamp_out']);
});

test('lamps whose circuit is gone from the configuration speak for themselves after a restart', async () => {
  const dir = await tempDir();
  const [lamps, groups] = circuit(12);
  const first = await setUp(siteOf(lamps, groups), { dir });
  for (const _ of [1, 2]) for (let n = 1; n <= 12; n++) await first.engine.sample(`sl-${n}`, DARK, []);
  first.pass(310);
  expect(openOf(await first.events())).toHaveLength(1);
  await first.stop();
  const alone = siteOf(Array.from({ length: 12 }, (_, i) => lamp(i + 1)));
  const second = await setUp(alone, { dir, clock: new ManualClock(NOW + 400_000) });
  second.pass(5);
  expect(told(await second.events()).filter((t) => t.startsWith('raised lamp_out'))).toHaveLength(12);
});

test('lamps that are gone from the configuration keep no circuit dark', async () => {
  const dir = await tempDir();
  const first = await setUp(siteOf(...circuit(12)), { dir });
  for (const _ of [1, 2]) for (let n = 1; n <= 12; n++) await first.engine.sample(`sl-${n}`, DARK, []);
  first.pass(310);
  expect(openOf(await first.events())).toHaveLength(1);
  await first.stop();
  const [lamps, groups] = circuit(12);
  const second = await setUp(siteOf(lamps.slice(0, 3), groups), { dir, clock: new ManualClock(NOW + 400_000) });
  for (let n = 1; n <= 3; n++) await second.engine.sample(`sl-${n}`, LIT, []);
  second.pass(300);
  expect(openOf(await second.events())).toEqual([]);
});

test('what stood for others and is switched off after a restart ends, and they speak for themselves', async () => {
  const dir = await tempDir();
  const lamps = Array.from({ length: 40 }, (_, i) => lamp(i + 1));
  const cover = {
    ...coverDevice('mc-1'),
    rules: {
      'battery-low': {
        id: 'battery-low',
        when: [{ field: 'battery_v', op: 'le' as const, value: 3.1 }],
        confirm: { forS: 0, samples: 1 },
        clear: { when: [{ field: 'battery_v', op: 'gt' as const, value: 3.2 }], forS: 0 },
        raises: { fault: 'battery_low' },
        severity: 'low' as const,
      },
    },
  };
  const first = await setUp(siteOf([...lamps, cover], { alarms: { storm: { raises: 20, windowS: 600 } } }), { dir });
  for (let i = 0; i < 9; i++) {
    await first.engine.sample('mc-1', { battery_v: i % 2 === 0 ? 3 : 3.5 }, []);
    first.pass(1);
  }
  for (const _ of [1, 2]) for (let n = 1; n <= 40; n++) await first.engine.sample(`sl-${n}`, DARK, []);
  first.pass(310);
  const before = openOf(await first.events()).map((e) => e.data.class.fault);
  expect(before).toEqual(expect.arrayContaining(['alarm_storm', 'device_unstable']));
  expect(before).not.toContain('battery_low');
  await first.stop();

  const off = siteOf([...lamps, cover], { alarms: { storm: false, flapping: false } });
  const second = await setUp(off, { dir, clock: new ManualClock(NOW + 700_000) });
  second.pass(5);
  const open = openOf(await second.events()).map((e) => e.data.class.fault);
  expect(open.filter((f) => f === 'lamp_out')).toHaveLength(40);
  expect(open.filter((f) => f === 'battery_low')).toHaveLength(1);
  expect(open).not.toContain('alarm_storm');
  expect(open).not.toContain('device_unstable');
});

test('a device that comes and goes is one unstable device; what is critical on it is still told', async () => {
  const quick = { forS: 0, samples: 1 };
  const battery = {
    id: 'battery-low',
    when: [{ field: 'battery_v', op: 'le' as const, value: 3.1 }],
    confirm: quick,
    clear: { when: [{ field: 'battery_v', op: 'gt' as const, value: 3.2 }], forS: 0 },
    raises: { fault: 'battery_low' },
    severity: 'low' as const,
  };
  const device = { ...coverDevice('mc-1'), rules: { 'battery-low': battery } };
  const dir = await tempDir();
  const first = await setUp(siteOf([device]), { dir });
  for (let i = 0; i < 10; i++) {
    await first.engine.sample('mc-1', { battery_v: i % 2 === 0 ? 3 : 3.5 }, []);
    first.pass(60);
  }
  const all = await first.events();
  expect(told(all).filter((t) => t.includes('device_unstable'))).toEqual(['raised device_unstable mc-1']);
  // Two before it was unstable, and none after.
  expect(told(all).filter((t) => t.startsWith('raised battery_low'))).toHaveLength(2);
  await first.engine.sample('mc-1', { opened: true }, []);
  first.pass(4);
  expect(told(await first.events())).toContain('raised cover_open mc-1');
  await first.stop();

  const second = await setUp(siteOf([device]), { dir, clock: new ManualClock(NOW + 700_000) });
  await second.engine.sample('mc-1', { battery_v: 3 }, []);
  second.pass(10);
  expect(told(await second.events()).filter((t) => t.startsWith('raised battery_low'))).toHaveLength(2);
  second.pass(3700);
  const settled = told(await second.events());
  expect(settled.filter((t) => t === 'cleared device_unstable mc-1')).toHaveLength(1);
  // It is believed again, and its battery is still low.
  expect(settled.filter((t) => t.startsWith('raised battery_low'))).toHaveLength(3);
});

test('under a work permit an alarm is recorded as such, and becomes one when the work is over and it is still so', async () => {
  const from = new Date(NOW - 60_000).toISOString();
  const to = new Date(NOW + 120_000).toISOString();
  const site = siteOf([coverDevice('mc-1'), coverDevice('mc-2', 2)], {
    maintenance: [{ devices: ['mc-1'], from, to, reason: 'cleaning' }],
  });
  const { engine, events, pass } = await setUp(site, { dir: await tempDir() });
  for (const id of ['mc-1', 'mc-2']) await engine.sample(id, { opened: true }, []);
  pass(5);
  const raised = await events();
  expect(raised.map((e) => [(e.data.origin as { device: string }).device, e.data.suppressed])).toEqual([
    ['mc-1', 'maintenance'],
    ['mc-2', undefined],
  ]);
  pass(130);
  const last = (await events()).filter((e) => (e.data.origin as { device: string }).device === 'mc-1').at(-1);
  expect([last?.data.revision, last?.data.suppressed]).toEqual([2, undefined]);
});

test('a storm in one unit grid is one event that stands for the rest; critical ones come through, and what lasts is told after it', async () => {
  const device = (n: number): SiteDevice => lamp(n, { rules: {} });
  const site = siteOf(Array.from({ length: 40 }, (_, i) => device(i + 1)).concat([coverDevice('mc-1')]), {
    alarms: { storm: { raises: 20, windowS: 60 } },
  });
  const { engine, events, pass } = await setUp(site, { dir: await tempDir() });
  for (const _ of [1, 2]) for (let n = 1; n <= 40; n++) await engine.sample(`sl-${n}`, DARK, []);
  pass(310);
  await engine.sample('mc-1', { opened: true }, []);
  pass(4);
  const during = told(await events());
  expect(during.filter((t) => t.startsWith('raised lamp_out'))).toHaveLength(20);
  expect(during.filter((t) => t.startsWith('raised alarm_storm'))).toHaveLength(1);
  expect(during).toContain('raised cover_open mc-1');
  const storm = openOf(await events()).find((e) => e.data.class.fault === 'alarm_storm');
  expect(storm?.data.children?.count).toBeGreaterThan(0);
  pass(120);
  const after = told(await events());
  expect(after.filter((t) => t.startsWith('cleared alarm_storm'))).toHaveLength(1);
  // None was dropped.
  expect(after.filter((t) => t.startsWith('raised lamp_out'))).toHaveLength(40);
});

test('a sensor that says what cannot be is a fault of the device, and no alarm of the city', async () => {
  const { engine, events, pass } = await setUp(siteOf([coverDevice('mc-1')]), { dir: await tempDir() });
  for (let i = 0; i < 3; i++) {
    await engine.sample('mc-1', { tilt_deg: 999 }, ['tilt_deg']);
    pass(10);
  }
  expect(told(await events())).toEqual(['raised device_fault mc-1']);
  for (let i = 0; i < 8; i++) {
    await engine.sample('mc-1', { tilt_deg: 1 + i / 10 }, []);
    pass(10);
  }
  expect(told(await events()).at(-1)).toBe('cleared device_fault mc-1');
});

test('one glitch is none', async () => {
  const { engine, events, pass } = await setUp(siteOf([coverDevice('mc-1')]), { dir: await tempDir() });
  for (let i = 0; i < 12; i++) {
    await engine.sample('mc-1', { tilt_deg: i === 3 ? 999 : 1 }, i === 3 ? ['tilt_deg'] : []);
    pass(10);
  }
  expect(await events()).toEqual([]);
});

test('a device that falls silent is told so, once it was heard, and again when it speaks', async () => {
  const rule = { id: 'offline', missing: { forS: 600 }, raises: { fault: 'device_offline' }, severity: 'normal' as const };
  const devices = [1, 2].map((n) => ({ ...coverDevice(`mc-${n}`, n), rules: { offline: rule } }));
  const { engine, events, pass } = await setUp(siteOf(devices), { dir: await tempDir() });
  await engine.sample('mc-1', { tilt_deg: 1 }, []);
  pass(599);
  expect(await events()).toEqual([]);
  pass(2);
  const [raised] = await events();
  expect(raised?.data).toMatchObject({ class: { fault: 'device_offline' }, startedAt: NOW, confirmedAt: NOW + 600_000 });
  await engine.sample('mc-1', { tilt_deg: 1 }, []);
  expect(told(await events())).toEqual(['raised device_offline mc-1', 'cleared device_offline mc-1']);
});

test('what is found in data of hours ago is history: told as late, the same each time it comes', async () => {
  const { engine, events } = await setUp(siteOf([coverDevice('mc-1')]), { dir: await tempDir() });
  const ago = NOW - 5 * 3_600_000;
  const send = async () => {
    for (const [s, opened] of [
      [0, true],
      [60, true],
      [120, false],
      [240, false],
    ] as const)
      await engine.lateSample('mc-1', { opened }, [], ago + s * 1000);
  };
  await send();
  const all = await events();
  expect(told(all)).toEqual(['raised cover_open mc-1', 'cleared cover_open mc-1']);
  expect(all.every((e) => e.data.late === true)).toBe(true);
  expect(all[0]?.data).toMatchObject({ startedAt: ago, confirmedAt: ago + 60_000 });
  expect(all[1]?.data.clearedAt).toBe(ago + 240_000);
  await send();
  expect(await events()).toHaveLength(2);
  const other = await setUp(siteOf([coverDevice('mc-1')]), { dir: await tempDir() });
  await other.engine.lateSample('mc-1', { opened: true }, [], ago);
  await other.engine.lateSample('mc-1', { opened: true }, [], ago + 60_000);
  expect((await other.events())[0]?.subject).toBe(all[0]?.subject);
});
