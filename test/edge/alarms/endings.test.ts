import { expect, test } from 'vitest';
import type { Site, ThresholdRule } from '#grid/mod.ts';
import {
  circuit,
  DARK,
  deviceOf,
  LIT,
  lamp,
  latest,
  NOW,
  openOf,
  siteOf,
  startNode,
  type TestNode,
  told,
} from '../../support/alarms.ts';
import { coverDevice } from '../../support/edge.ts';

/** What was told by one event for many ends, whatever comes in between, and nobody who is still concerned is forgotten. */

const at = (s: number) => new Date(NOW + s * 1000).toISOString();
const faults = (list: ReturnType<typeof openOf>) => list.map((e) => `${e.data.class.fault} ${deviceOf(e)}`).sort();

const quick = (id: string, field: string, fault: string, severity: ThresholdRule['severity'] = 'normal'): ThresholdRule => ({
  id,
  when: [{ field, op: 'eq', value: true }],
  confirm: { forS: 0, samples: 1 },
  clear: { when: [{ field, op: 'eq', value: false }], forS: 0 },
  raises: { fault },
  severity,
});
const doorRule = quick('door-open', 'door_open', 'base_opened');
const stormSite = (n: number, more: Partial<Site> = {}) =>
  siteOf(
    Array.from({ length: n }, (_, i) => lamp(i + 1, { rules: { 'door-open': doorRule } })),
    { alarms: { storm: { raises: 4, windowS: 60 } }, ...more },
  );
async function doors(node: TestNode, from: number, to: number, open = true) {
  for (let n = from; n <= to; n++) await node.engine.sample(`sl-${n}`, { door_open: open }, []);
}

test('a storm ends although an alarm comes between its end and the next look at the time', async () => {
  const node = await startNode(stormSite(12));
  await doors(node, 1, 8);
  await node.pass(59.9, 0.1);
  expect(openOf(await node.events()).filter((e) => e.data.class.fault === 'alarm_storm')).toHaveLength(1);
  node.clock.advance(200);
  await doors(node, 9, 9);
  await node.pass(300);
  // All nine doors stand open; the storm is over.
  expect(faults(openOf(await node.events()))).toEqual(Array.from({ length: 9 }, (_, i) => `base_opened sl-${i + 1}`));
});

test('a storm that comes all at once says how many it has become', async () => {
  const node = await startNode(stormSite(12));
  await doors(node, 1, 12);
  await node.pass(5);
  const storm = openOf(await node.events()).find((e) => e.data.class.fault === 'alarm_storm');
  expect(storm?.data.children?.count).toBe(8);
});

test('a storm goes on counting when the clock is set back', async () => {
  const node = await startNode(stormSite(12));
  await doors(node, 1, 6);
  await node.pass(5);
  node.clock.jump(-3_600_000);
  await node.pass(5);
  await doors(node, 7, 12);
  await node.pass(5);
  const storm = openOf(await node.events()).find((e) => e.data.class.fault === 'alarm_storm');
  expect(storm?.data.children?.count).toBe(8);
});

test('the device at which a storm began is gone from the configuration: the storm ends, and what it stood for is told', async () => {
  const site = stormSite(8);
  const first = await startNode(site);
  await doors(first, 1, 8);
  await first.pass(5);
  const at = openOf(await first.events()).find((e) => e.data.class.fault === 'alarm_storm');
  const gone = deviceOf(at as NonNullable<typeof at>);
  const second = await first.restart(10, { ...site, devices: site.devices.filter((d) => d.id !== gone) });
  await second.pass(300);
  expect(openOf(await second.events()).map((e) => e.data.class.fault)).not.toContain('alarm_storm');
  const open = openOf(await second.events()).filter((e) => e.data.class.fault === 'base_opened');
  expect(open.map(deviceOf).sort()).toEqual(site.devices.map((d) => d.id).filter((id) => id !== gone));
});

test('the first dark lamps of a circuit are held on after a restart, and become one event with those that follow', async () => {
  const first = await startNode(siteOf(...circuit(12)));
  for (const _ of [1, 2]) for (let n = 1; n <= 2; n++) await first.engine.sample(`sl-${n}`, DARK, []);
  await first.pass(10);
  for (const _ of [1, 2]) for (let n = 3; n <= 12; n++) await first.engine.sample(`sl-${n}`, DARK, []);
  await first.pass(293);
  expect(await first.events()).toEqual([]);
  const second = await first.restart(2);
  await second.pass(60);
  const all = await second.events();
  expect(told(all).filter((t) => t.startsWith('raised'))).toEqual(['raised circuit_dark c-1']);
});

test('what was held for others and is over before it was told is on record', async () => {
  const rules = {
    offline: { id: 'offline', missing: { forS: 600 }, raises: { fault: 'device_offline' }, severity: 'normal' as const },
  };
  const [devices, more] = circuit(12);
  const node = await startNode(
    siteOf(
      devices.map((d) => ({ ...d, rules })),
      more,
    ),
  );
  await node.engine.sample('sl-1', LIT, []);
  await node.pass(620);
  await node.engine.sample('sl-1', LIT, []);
  await node.pass(100);
  expect(told(await node.events())).toEqual(['raised device_offline sl-1', 'cleared device_offline sl-1']);
});

test('while a device is unstable, what a group stood for before is not told by itself either', async () => {
  const rules = { 'door-open': doorRule };
  const [devices, more] = circuit(12);
  const node = await startNode(
    siteOf(
      devices.map((d) => ({ ...d, rules })),
      more,
    ),
  );
  for (const _ of [1, 2]) for (let n = 1; n <= 4; n++) await node.engine.sample(`sl-${n}`, DARK, []);
  await node.pass(310);
  for (let i = 0; i < 8; i++) {
    await doors(node, 1, 1, i % 2 === 0);
    await node.pass(5);
  }
  for (let n = 2; n <= 4; n++) await node.engine.sample(`sl-${n}`, LIT, []);
  await node.pass(200);
  expect(faults(openOf(await node.events()))).toEqual(['device_unstable sl-1']);
});

test('a confirm time goes on after a restart although the device sends only what changed', async () => {
  const first = await startNode(siteOf([lamp(1)]));
  await first.engine.sample('sl-1', DARK, []);
  await first.engine.sample('sl-1', DARK, []);
  await first.pass(100);
  const second = await first.restart(10);
  await second.engine.sample('sl-1', { power_w: 0.5 }, []);
  await second.pass(300);
  expect(faults(openOf(await second.events()))).toEqual(['lamp_out sl-1']);
});

test('a clear time goes on after a restart although the device sends only what changed', async () => {
  const first = await startNode(siteOf([lamp(1)]));
  for (const _ of [1, 2]) await first.engine.sample('sl-1', DARK, []);
  await first.pass(400);
  expect(faults(openOf(await first.events()))).toEqual(['lamp_out sl-1']);
  await first.engine.sample('sl-1', LIT, []);
  await first.pass(30);
  const second = await first.restart(10);
  await second.engine.sample('sl-1', { voltage_v: 222 }, []);
  await second.pass(600);
  expect(openOf(await second.events())).toEqual([]);
});

test('n of the last m samples with a confirm time: all that the pure machine raises is raised', async () => {
  const rule: ThresholdRule = { ...doorRule, confirm: { forS: 60, samples: 2, of: 5 } };
  const node = await startNode(siteOf([lamp(1, { rules: { 'door-open': rule } })]));
  const pattern = [1, 1, 0, 1, 0, 1, 0, 0];
  for (const wrong of pattern) {
    await node.engine.sample('sl-1', { door_open: wrong === 1 }, []);
    await node.pass(7);
  }
  await node.pass(60);
  expect(told(await node.events())).toEqual(['raised base_opened sl-1']);
});

test('an alarm under a work permit that ends while the node is down becomes one with the next start', async () => {
  const site = siteOf([coverDevice('mc-1')], {
    maintenance: [{ devices: ['mc-1'], from: at(-60), to: at(120), reason: 'cleaning' }],
  });
  const first = await startNode(site);
  await first.engine.sample('mc-1', { opened: true }, []);
  await first.pass(10);
  expect(openOf(await first.events()).map((e) => e.data.suppressed)).toEqual(['maintenance']);
  const second = await first.restart(600);
  await second.pass(10);
  expect(openOf(await second.events()).map((e) => e.data.suppressed)).toEqual([undefined]);
});

test('a work permit is taken back in the configuration: what is still so becomes an alarm', async () => {
  const maintenance = [{ group: 'c-1', from: at(-60), to: at(36_000), reason: 'cable' }];
  const [devices, more] = circuit(6);
  const site = siteOf(devices, { ...more, maintenance });
  const first = await startNode(site);
  for (const _ of [1, 2]) for (let n = 1; n <= 6; n++) await first.engine.sample(`sl-${n}`, DARK, []);
  await first.pass(310);
  expect(openOf(await first.events()).map((e) => [e.data.class.fault, e.data.suppressed])).toEqual([
    ['circuit_dark', 'maintenance'],
  ]);
  const second = await first.restart(10, siteOf(devices, more));
  await second.pass(100);
  expect(openOf(await second.events()).map((e) => [e.data.class.fault, e.data.suppressed])).toEqual([
    ['circuit_dark', undefined],
  ]);
});

test('an alarm that was recorded under a work permit and is over when it ends opens no case by its end', async () => {
  const site = siteOf([lamp(1, { rules: { 'door-open': doorRule } })], {
    maintenance: [{ devices: ['sl-1'], from: at(-60), to: at(10.5), reason: 'lamp' }],
  });
  const node = await startNode(site);
  await doors(node, 1, 1);
  await node.pass(10);
  node.clock.advance(600);
  await doors(node, 1, 1, false);
  await node.pass(10);
  expect((await node.events()).map((e) => [e.type, e.data.suppressed])).toEqual([
    ['gewu.event.raised', 'maintenance'],
    ['gewu.event.cleared', 'maintenance'],
  ]);
});

const cases = (all: Awaited<ReturnType<TestNode['events']>>) => all.filter((e) => e.data.suppressed === undefined);

test('work on lamps of a circuit, each under its permit, is no dark circuit; what is still dark after it is', async () => {
  const [devices, more] = circuit(12);
  const ids = devices.slice(0, 4).map((d) => d.id);
  const site = siteOf(devices, { ...more, maintenance: [{ devices: ids, from: at(-60), to: at(1200), reason: 'lamps' }] });
  const node = await startNode(site);
  for (const _ of [1, 2]) for (const id of ids) await node.engine.sample(id, DARK, []);
  await node.pass(600);
  expect(openOf(await node.events()).length).toBeGreaterThan(0);
  expect(cases(await node.events())).toEqual([]);
  await node.pass(700);
  expect(faults(openOf(await node.events()))).toEqual(['circuit_dark c-1']);
});

test('alarms under a work permit make no storm', async () => {
  const site = stormSite(8);
  const ids = site.devices.map((d) => d.id);
  const node = await startNode({ ...site, maintenance: [{ devices: ids, from: at(-60), to: at(36_000), reason: 'doors' }] });
  await doors(node, 1, 8);
  await node.pass(100);
  expect(cases(await node.events())).toEqual([]);
  expect(openOf(await node.events())).toHaveLength(8);
});

test('a cover that is opened and closed again and again under a work permit is not unstable', async () => {
  const site = siteOf([coverDevice('mc-1')], {
    maintenance: [{ devices: ['mc-1'], from: at(-60), to: at(3600), reason: 'cleaning' }],
  });
  const node = await startNode(site);
  for (let i = 0; i < 8; i++) {
    await node.engine.sample('mc-1', { opened: i % 2 === 0 }, []);
    await node.pass(100);
  }
  expect(cases(await node.events())).toEqual([]);
  expect(latest(await node.events()).every((e) => e.data.class.fault === 'cover_open')).toBe(true);
});

test('a sensor that is stuck is so after a restart, and not well again by it', async () => {
  const site = siteOf([lamp(1)]);
  const first = await startNode(site);
  for (let i = 0; i < 30; i++) {
    await first.engine.sample('sl-1', { voltage_v: 220.5 }, []);
    await first.pass(60, 10);
  }
  expect(faults(openOf(await first.events()))).toEqual(['device_fault sl-1']);
  const second = await first.restart(10);
  for (let i = 0; i < 30; i++) {
    await second.engine.sample('sl-1', { voltage_v: 220.5 }, []);
    await second.pass(60, 10);
  }
  expect(told(await second.events()).filter((t) => !t.startsWith('updated'))).toEqual(['raised device_fault sl-1']);
  await second.engine.sample('sl-1', { voltage_v: 220.7 }, []);
  expect(openOf(await second.events())).toEqual([]);
});

test('what was found in late data and refused by a full disk is told when the sample comes again', async () => {
  const node = await startNode(siteOf([coverDevice('mc-1')]));
  const ago = NOW - 5 * 3_600_000;
  await node.engine.lateSample('mc-1', { opened: true }, [], ago);
  node.disk.refuses = 1;
  await expect(node.engine.lateSample('mc-1', { opened: true }, [], ago + 60_000)).rejects.toThrow('full');
  // Nobody acknowledged it.
  await node.engine.lateSample('mc-1', { opened: true }, [], ago + 60_000);
  expect(told(await node.events())).toEqual(['raised cover_open mc-1']);
});

test('an event does not end before it began when the clock is set back', async () => {
  const node = await startNode(siteOf([lamp(1, { rules: { 'door-open': doorRule } })]));
  await doors(node, 1, 1);
  await node.pass(10);
  node.clock.jump(-3_600_000);
  await doors(node, 1, 1, false);
  await node.pass(10);
  const last = (await node.events()).at(-1)?.data;
  expect(last?.clearedAt).toBeGreaterThanOrEqual(last?.startedAt ?? 0);
});

test('what was told for people stays so under a later window', async () => {
  const window = (from: number, to: number) => ({ devices: ['mc-1'], from: at(from), to: at(to), reason: 'cleaning' });
  const node = await startNode(siteOf([coverDevice('mc-1')], { maintenance: [window(-60, 60), window(120, 3600)] }));
  for (let i = 0; i < 6; i++) {
    await node.engine.sample('mc-1', { opened: true }, []);
    await node.pass(61);
  }
  const all = (await node.events()).map((e) => e.data.suppressed);
  expect(all.slice(0, 2)).toEqual(['maintenance', undefined]);
  expect(all.slice(1).filter(Boolean)).toEqual([]);
});

test('a rule becomes critical in the configuration: no storm keeps it back any longer', async () => {
  const site = stormSite(8);
  const first = await startNode(site);
  await doors(first, 1, 8);
  await first.pass(5);
  const critical = site.devices.map((d) => ({ ...d, rules: { 'door-open': { ...doorRule, severity: 'critical' as const } } }));
  const second = await first.restart(1, { ...site, devices: critical });
  await second.pass(2);
  expect(faults(openOf(await second.events())).filter((f) => f.startsWith('base_opened'))).toHaveLength(8);
});
