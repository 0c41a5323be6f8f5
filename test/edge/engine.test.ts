import { expect, onTestFinished, test } from 'vitest';
import type { ThresholdRule } from '#grid/mod.ts';
import { createCellIndex } from '#grid/mod.ts';
import { checkEvent, type EventRecord } from '#grid/wire/mod.ts';
import { ManualClock, silentLog } from '#service/mod.ts';
import type { Outbox } from '../../edge/outbox/mod.ts';
import { createRegistry } from '../../edge/registry.ts';
import { RuleEngine } from '../../edge/rules/mod.ts';
import { coverDevice, edgeConfig } from '../support/edge.ts';
import { openOutbox } from '../support/outbox.ts';
import { tempDir } from '../support/temp.ts';
import { until } from '../support/until.ts';

const NOW = 1_700_000_000_000;
const openRule: ThresholdRule = {
  id: 'open',
  when: [{ field: 'opened', op: 'eq', value: true }],
  confirm: { forS: 3, samples: 1 },
  clear: { when: [{ field: 'opened', op: 'eq', value: false }], forS: 4 },
  raises: { fault: 'cover_open' },
  severity: 'critical',
};
const batteryRule: ThresholdRule = {
  ...openRule,
  id: 'battery',
  when: [{ field: 'battery_v', op: 'le', value: 3.1 }],
  confirm: { forS: 0, samples: 1 },
  clear: { when: [{ field: 'battery_v', op: 'gt', value: 3.2 }], forS: 0 },
  raises: { fault: 'battery_low' },
};

interface Setup {
  clock: ManualClock;
  outbox: Outbox;
  engine: RuleEngine;
  events(): Promise<EventRecord[]>;
}

/** One cover under the given rules alone, a real outbox, and a clock that stands still. */
async function setUp({
  dir,
  rules,
  clock = new ManualClock(NOW),
  syncFaults,
}: {
  dir: string;
  rules: ThresholdRule[];
  clock?: ManualClock;
  syncFaults?: Int32Array;
}): Promise<Setup> {
  const { site } = edgeConfig({ dataDir: dir, centreUrl: 'mqtt://127.0.0.1:9', devices: [coverDevice('mc-1')] });
  const registered = createRegistry(site, createCellIndex(site.cells), 'default').get('mc-1');
  if (registered === undefined) throw new Error('no such device');
  const outbox = await openOutbox(dir, syncFaults ? { syncFaults } : {});
  const engine = new RuleEngine({
    edge: 'edge-01',
    registry: new Map([['mc-1', { ...registered, rules, checks: [], absence: null }]]),
    outbox,
    clock,
    log: silentLog,
  });
  await engine.start();
  onTestFinished(() => engine.stop());
  const events = async () => {
    const chunk = await outbox.take('events', 1, Number.MAX_SAFE_INTEGER, 1e7, 1e6);
    const lines = Buffer.from(chunk?.body ?? [])
      .toString()
      .split('\n')
      .filter(Boolean);
    return lines.map((l) => JSON.parse(l) as EventRecord);
  };
  return { clock, outbox, engine, events };
}

const said = (events: EventRecord[]) => events.map((e) => `${e.type.slice('gewu.event.'.length)} ${e.data.revision}`);

test('raised, updated once a minute while it is seen, cleared: valid records with exact times', async () => {
  const { clock, engine, events } = await setUp({ dir: await tempDir(), rules: [openRule] });
  await engine.sample('mc-1', { opened: true }, []);
  clock.advance(3210);
  engine.tick();
  for (let s = 0; s < 130; s += 10) {
    await engine.sample('mc-1', { opened: true }, []);
    clock.advance(10_000);
  }
  await engine.sample('mc-1', { opened: false }, []);
  clock.advance(4100);
  engine.tick();
  const all = await until(async () => ((await events()).length === 4 ? events() : null));
  expect(said(all)).toEqual(['raised 1', 'updated 2', 'updated 3', 'cleared 4']);
  expect(new Set(all.map((e) => e.subject)).size).toBe(1);
  for (const e of all) {
    expect(checkEvent.Check(e)).toBe(true);
    expect(e.data).toMatchObject({ startedAt: NOW, confirmedAt: NOW + 3000, origin: { field: 'opened', value: true } });
  }
  expect(all[3]?.data).toMatchObject({ lastSeenAt: NOW + 3210 + 120_000, clearedAt: NOW + 3210 + 130_000 + 4000 });
});

test('what a sample brings about is on disk when its promise resolves', async () => {
  const { engine, events, outbox } = await setUp({ dir: await tempDir(), rules: [openRule, batteryRule] });
  await engine.sample('mc-1', { battery_v: 3 }, []);
  expect(said(await events())).toEqual(['raised 1']);
  await engine.sample('mc-1', { opened: true }, []);
  expect((await outbox.state('rule/mc-1/')).size).toBe(2);
  expect(engine.sample('mc-1', { opened: true }, [])).toBeUndefined();
});

test('a confirm time goes on after the end of the process, and so does a clear time', async () => {
  const dir = await tempDir();
  const first = await setUp({ dir, rules: [openRule] });
  await first.engine.sample('mc-1', { opened: true }, []);
  await first.outbox.stop();

  const second = await setUp({ dir, rules: [openRule], clock: new ManualClock(NOW + 10_000) });
  second.engine.tick();
  const [raised] = await until(async () => ((await second.events()).length === 1 ? second.events() : null));
  expect(raised?.data).toMatchObject({ startedAt: NOW, confirmedAt: NOW + 3000 });
  await second.engine.sample('mc-1', { opened: false }, []);
  await second.outbox.stop();

  const third = await setUp({ dir, rules: [openRule], clock: new ManualClock(NOW + 20_000) });
  await third.engine.sample('mc-1', { opened: false }, []);
  const all = await until(async () => ((await third.events()).length === 2 ? third.events() : null));
  expect(all[1]).toMatchObject({
    subject: raised?.subject,
    data: { revision: 2, clearedAt: NOW + 14_000, origin: { value: true } },
  });
  expect((await third.outbox.state('rule/')).size).toBe(0);
});

test('a clock that was set back between two lives does not put the beginning into the future', async () => {
  const dir = await tempDir();
  const first = await setUp({ dir, rules: [openRule] });
  await first.engine.sample('mc-1', { opened: true }, []);
  await first.outbox.stop();
  const second = await setUp({ dir, rules: [openRule], clock: new ManualClock(NOW - 3_600_000) });
  second.clock.advance(3100);
  second.engine.tick();
  await until(async () => (await second.events()).length === 1);
});

test('somebody sets the clock: confirm times are kept', async () => {
  const { clock, engine, events } = await setUp({ dir: await tempDir(), rules: [openRule] });
  await engine.sample('mc-1', { opened: true }, []);
  clock.jump(3_600_000);
  clock.advance(1000);
  engine.tick();
  clock.jump(-7_200_000);
  clock.advance(1000);
  engine.tick();
  expect(await events()).toEqual([]);
  clock.advance(1000);
  engine.tick();
  const [event] = await until(async () => ((await events()).length === 1 ? events() : null));
  expect((event?.data.confirmedAt ?? 0) - (event?.data.startedAt ?? 0)).toBe(3000);
});

test('raised and cleared between two looks at the time: both are told', async () => {
  const { clock, engine, events } = await setUp({
    dir: await tempDir(),
    rules: [{ ...openRule, clear: { ...openRule.clear, forS: 0 } }],
  });
  await engine.sample('mc-1', { opened: true }, []);
  clock.advance(3050);
  await engine.sample('mc-1', { opened: false }, []);
  expect(said(await events())).toEqual(['raised 1', 'cleared 2']);
});

test('a value that cannot be neither raises, nor breaks a confirm time, nor clears', async () => {
  const tilt: ThresholdRule = {
    ...openRule,
    when: [{ field: 'tilt_deg', op: 'ge', value: 10 }],
    clear: { when: [{ field: 'tilt_deg', op: 'lt', value: 5 }], forS: 0 },
  };
  const { clock, engine, events } = await setUp({ dir: await tempDir(), rules: [tilt] });
  await engine.sample('mc-1', { tilt_deg: 999 }, ['tilt_deg']);
  clock.advance(5000);
  engine.tick();
  expect(await events()).toEqual([]);
  await engine.sample('mc-1', { tilt_deg: 20 }, []);
  clock.advance(1000);
  await engine.sample('mc-1', { tilt_deg: -50 }, ['tilt_deg']);
  clock.advance(2000);
  engine.tick();
  await until(async () => (await events()).length === 1);
  await engine.sample('mc-1', { tilt_deg: -50 }, ['tilt_deg']);
  expect(said(await events())).toEqual(['raised 1']);
});

test('an event waits for a disk that fails, and is there once', async () => {
  const syncFaults = new Int32Array(new SharedArrayBuffer(4));
  const { engine, events } = await setUp({ dir: await tempDir(), rules: [batteryRule], syncFaults });
  Atomics.store(syncFaults, 0, 2);
  let durable = false;
  const saved = Promise.resolve(engine.sample('mc-1', { battery_v: 3 }, [])).then(() => {
    durable = true;
  });
  await until(() => Atomics.load(syncFaults, 0) < 2);
  expect(durable).toBe(false);
  await saved;
  expect(said(await events())).toEqual(['raised 1']);
});

test('state of a rule that is configured no more is let go', async () => {
  const dir = await tempDir();
  const first = await setUp({ dir, rules: [batteryRule] });
  await first.engine.sample('mc-1', { battery_v: 3 }, []);
  await first.outbox.stop();
  const second = await setUp({ dir, rules: [openRule] });
  expect((await second.outbox.state('rule/')).size).toBe(0);
});

test('stored state that makes no sense is as good as none', async () => {
  for (const value of ['null', '{}', '{"state":{"phase":"odd"}}', '{"state":{"phase":"active"},"open":null}', 'x']) {
    const dir = await tempDir();
    const first = await setUp({ dir, rules: [] });
    await first.outbox.append('events', [], [{ key: 'rule/mc-1/battery', value }]);
    await first.outbox.stop();
    const second = await setUp({ dir, rules: [batteryRule] });
    await second.engine.sample('mc-1', { battery_v: 3 }, []);
    expect(said(await second.events())).toEqual(['raised 1']);
  }
});
