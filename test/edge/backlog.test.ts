import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '#cli/servers/mod.ts';
import { createMetrics, silentLog, systemClock } from '#service/mod.ts';
import type { Outbox } from '../../edge/outbox/mod.ts';
import { Backoff, CaseStateMap, CommandDispatcher, LaneCursor, RoundTrip, Uplink } from '../../edge/uplink/mod.ts';
import { FakeCentre } from '../support/centre.ts';
import { openOutbox } from '../support/outbox.ts';
import { tempDir } from '../support/temp.ts';
import { until } from '../support/until.ts';

const put = (o: Outbox, count: number, lane: 'events' | 'health' | 'readings' = 'readings') =>
  o.append(
    lane,
    Array.from({ length: count }, (_, i) => Buffer.from(`${lane}-${i}`)),
  );

test('live goes before backlog, backlog oldest first, each row once, whatever comes in between', async () => {
  const outbox = await openOutbox(await tempDir());
  await put(outbox, 4);
  const cursor = new LaneCursor('readings', outbox);
  const next = async () => {
    const chunk = (await cursor.nextLive(1e6, 2)) ?? (await cursor.nextBacklog(1e6, 2));
    return chunk && [chunk.first, chunk.last];
  };
  await put(outbox, 1);
  expect(await next()).toEqual([5, 5]);
  expect(await next()).toEqual([1, 2]);
  await put(outbox, 3);
  expect(await next()).toEqual([6, 7]);
  // The connection is lost: 8 is backlog now, behind what is older.
  cursor.fallBehind();
  await put(outbox, 1);
  cursor.fallBehind();
  await put(outbox, 1);
  expect([await next(), await next(), await next()]).toEqual([
    [10, 10],
    [3, 4],
    [8, 9],
  ]);
  expect(await next()).toBeNull();
  // Rows that had to make room come again, in their place.
  cursor.giveBack(8, 9);
  cursor.giveBack(3, 4);
  cursor.giveBack(1, 2);
  expect([await next(), await next(), await next(), await next()]).toEqual([[1, 2], [3, 4], [8, 9], null]);
});

test('after an outage events go before health, health before readings; a centre that answers late sees no more than the window', async () => {
  const outbox = await openOutbox(await tempDir());
  for (let i = 0; i < 12; i++) await put(outbox, 5000);
  await put(outbox, 3, 'health');
  await put(outbox, 2, 'events');
  const centre = new FakeCentre(await freePort());
  const answer = centre.answer;
  centre.answer = () => [];
  await centre.start();
  onTestFinished(() => centre.stop());
  const uplink = new Uplink({
    edge: 'edge-01',
    url: centre.url,
    password: 'edge-password',
    outbox,
    commands: { receive: () => undefined },
    clock: systemClock,
    log: silentLog,
    metrics: createMetrics(),
  });
  await uplink.start();
  onTestFinished(() => uplink.stop());
  await until(() => centre.frames.length >= 3);
  expect(centre.frames.slice(0, 3).map((f) => [f.lane, f.count])).toEqual([
    ['events', 2],
    ['health', 3],
    ['readings', 5000],
  ]);
  // The window is four frames of readings at first: what comes more is the same again, and ever less of it.
  await until(() => centre.frames.length >= 8);
  expect(new Set(centre.frames.map((f) => `${f.lane}/${f.first}`)).size).toBe(6);
  centre.answer = answer;
  const waiting = () => outbox.stats.readings.records + outbox.stats.events.records + outbox.stats.health.records;
  await until(() => waiting() === 0, { timeoutMs: 20_000 });
}, 30_000);

test('resend times follow the measured round trip, double up to ten seconds, and end at half a minute', () => {
  const rtt = new RoundTrip();
  expect(rtt.resendAfterMs(1)).toBe(2000);
  for (let i = 0; i < 50; i++) rtt.measured(10);
  expect(rtt.resendAfterMs(1)).toBe(500);
  expect(rtt.resendAfterMs(3)).toBe(2000);
  for (let i = 0; i < 50; i++) rtt.measured(3000);
  expect(rtt.resendAfterMs(1)).toBeGreaterThan(3000);
  expect(rtt.resendAfterMs(20)).toBe(10_000);
  for (let i = 0; i < 50; i++) rtt.measured(i % 2 ? 10_000 : 30_000);
  expect(rtt.resendAfterMs(1)).toBe(30_000);
});

test('reconnects wait from half a second up to half a minute, never more', () => {
  const backoff = new Backoff();
  const waits = Array.from({ length: 50 }, () => backoff.next());
  expect(waits[0]).toBeGreaterThanOrEqual(500);
  expect(waits[0]).toBeLessThanOrEqual(1000);
  expect(Math.max(...waits)).toBeLessThanOrEqual(30_000);
  expect(Math.min(...waits.slice(10))).toBeGreaterThanOrEqual(15_000);
  backoff.reset();
  expect(backoff.next()).toBeLessThanOrEqual(1000);
});

test('the latest word about a case counts, in whatever order they come; others are ignored', () => {
  const cases = new CaseStateMap();
  const commands = new CommandDispatcher({ log: silentLog });
  commands.on('case-state', (command) => cases.tell(command));
  const say = (event: string, open: boolean, ts: number) => commands.receive({ command: 'case-state', event, open, ts });
  expect(cases.stateOf('e-1')).toBe('unknown');
  say('e-1', true, 10);
  say('e-1', false, 20);
  say('e-1', true, 15);
  expect(cases.stateOf('e-1')).toBe('closed');
  say('e-1', true, 30);
  commands.receive({ command: 'reboot', event: 'e-1' });
  commands.receive({ command: 'case-state', event: 'e-1', open: 'no', ts: 40 });
  commands.receive(null);
  expect(cases.stateOf('e-1')).toBe('open');
  commands.receive({ command: 'case-state', event: 'e-1', open: false, unfounded: true, ts: 50 });
  expect(cases.stateOf('e-1')).toBe('unfounded');
  for (let i = 0; i < 10_000; i++) say(`x-${i}`, true, i);
  expect(cases.stateOf('e-1')).toBe('unknown');
});
