import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, onTestFinished, test } from 'vitest';
import { createMetrics, silentLog } from '#service/mod.ts';
import { Outbox, type SalvageReport } from '../../edge/outbox/mod.ts';
import { OutboxStore } from '../../edge/outbox/store.ts';
import { openOutbox } from '../support/outbox.ts';
import { tempDir } from '../support/temp.ts';
import { until } from '../support/until.ts';
import { commit, lines, storeOptions } from './outbox/files.ts';

const rows = (...texts: string[]) => texts.map((t) => Buffer.from(t));
const ALL = Number.MAX_SAFE_INTEGER;

const bodyOf = async (o: Outbox, lane: 'events' | 'health' | 'readings', from = 1) => {
  const chunk = await o.take(lane, from, ALL, 1e6, 1e6);
  return chunk && { ...chunk, body: Buffer.from(chunk.body).toString() };
};

test('rows come back in order, by lane, within the size asked for', async () => {
  const o = await openOutbox(await tempDir());
  await Promise.all([o.append('readings', rows('a', 'b')), o.append('events', rows('e')), o.append('readings', rows('c'))]);
  expect(await bodyOf(o, 'readings')).toEqual({ first: 1, last: 3, count: 3, body: 'a\nb\nc\n' });
  expect(await bodyOf(o, 'events')).toEqual({ first: 1, last: 1, count: 1, body: 'e\n' });
  expect((await o.take('readings', 1, ALL, 4, 100))?.count).toBe(2);
  expect((await o.take('readings', 1, ALL, 1, 100))?.count).toBe(1);
  expect((await o.take('readings', 2, 2, 100, 100))?.first).toBe(2);
  expect(await o.take('readings', 4, ALL, 100, 100)).toBeNull();
});

test('rows, state and the sequence outlive a restart; a sequence number is never used again', async () => {
  const dir = await tempDir();
  const first = await openOutbox(dir);
  await first.append('events', rows('raise'), [{ key: 'rule/x', value: '1' }]);
  await first.append('readings', rows('a', 'b'));
  first.remove('readings', 1, 2);
  await until(() => first.stats.readings.records === 0);
  await first.stop();
  const second = await openOutbox(dir);
  expect((await second.state('rule/')).get('rule/x')).toBe('1');
  await second.append('readings', rows('c'));
  expect((await bodyOf(second, 'readings'))?.first).toBe(3);
  expect(second.stats.events.records).toBe(1);
});

test('a row whose bytes changed is quarantined and the others go on', async () => {
  const dir = await tempDir();
  const first = await openOutbox(dir);
  await first.append('readings', rows('good', 'broken', 'fine'));
  await first.stop();
  const db = new DatabaseSync(join(dir, 'o.db'));
  db.exec("UPDATE readings SET block = CAST(replace(block, CAST('broken' AS BLOB), CAST('brokem' AS BLOB)) AS BLOB)");
  db.close();
  const second = await openOutbox(dir);
  expect((await bodyOf(second, 'readings'))?.body).toBe('good\nfine\n');
  await until(() => second.stats.readings.quarantined === 1);
  await second.stop();
  const third = await openOutbox(dir);
  expect(third.stats.readings).toMatchObject({ records: 2, quarantined: 1 });
});

test('at the quota the oldest readings go, never events, and each drop is counted', async () => {
  const o = await openOutbox(await tempDir(), { quotaBytes: 100_000 });
  await o.append('events', rows('x'.repeat(40_000)));
  for (let i = 0; i < 30; i++)
    await o.append(
      'readings',
      Array.from({ length: 100 }, () => Buffer.alloc(100, 'r')),
    );
  expect(o.stats.events.records).toBe(1);
  expect(o.stats.readings.dropped).toBeGreaterThan(0);
  expect(o.stats.readings.records + o.stats.readings.dropped).toBe(3000);
  expect(o.stats.readings.bytes + o.stats.events.bytes).toBeLessThanOrEqual(100_000);
  await expect(o.append('events', rows('y'.repeat(70_000)))).rejects.toMatchObject({ code: 'GEWU_OUTBOX_FULL' });
  expect(o.stats.events.records).toBe(1);
});

test('a file that is no database is put aside and told of, and the node goes on with a fresh one', async () => {
  const dir = await tempDir();
  const text = 'this is not a database, and long enough to be read as one'.repeat(100);
  await writeFile(join(dir, 'o.db'), text);
  const o = new Outbox({ file: join(dir, 'o.db'), quotaBytes: 1e9, ageMsMax: 1e12, log: silentLog, metrics: createMetrics() });
  const reports: SalvageReport[] = [];
  o.onSalvaged((report) => reports.push(report));
  onTestFinished(() => o.stop());
  await o.start();
  await o.append('readings', rows('a'));
  expect((await bodyOf(o, 'readings'))?.body).toBe('a\n');
  expect(reports).toMatchObject([{ saved: { readings: 0 }, reason: expect.stringContaining('header') }]);
  expect(await readFile(join(reports[0]?.quarantine ?? '', 'o.db'), 'utf8')).toBe(text);
});

test('a slow disk delays the answer, groups what waits, and does not stall the main thread', async () => {
  const o = await openOutbox(await tempDir(), { syncDelayMs: 50 });
  let ticks = 0;
  const ticker = setInterval(() => ticks++, 5);
  const began = performance.now();
  await Promise.all(Array.from({ length: 500 }, (_, i) => o.append('readings', rows(`r${i}`))));
  const tookMs = performance.now() - began;
  clearInterval(ticker);
  expect(tookMs).toBeGreaterThan(45);
  // 500 commits of their own would take 25 s.
  expect(tookMs).toBeLessThan(2000);
  expect(ticks).toBeGreaterThan(tookMs / 5 / 4);
});

test('after a failed sync nothing is acknowledged until the file was reopened; then all goes on', async () => {
  const syncFaults = new Int32Array(new SharedArrayBuffer(4));
  const o = await openOutbox(await tempDir(), { syncFaults });
  await o.append('readings', rows('before'));
  Atomics.store(syncFaults, 0, 1);
  await expect(o.append('readings', rows('lost'))).rejects.toMatchObject({ code: 'GEWU_OUTBOX_BROKEN' });
  expect(o.working).toBe(false);
  await o.append('readings', rows('after'));
  expect(o.working).toBe(true);
  expect((await bodyOf(o, 'readings'))?.body).toBe('before\nafter\n');
});

test('acknowledged rows go although the commit that carried them failed', async () => {
  const syncFaults = new Int32Array(new SharedArrayBuffer(4));
  const o = await openOutbox(await tempDir(), { syncFaults });
  await o.append('readings', rows('a', 'b', 'c'));
  Atomics.store(syncFaults, 0, 1);
  o.remove('readings', 1, 2);
  await until(() => o.stats.readings.records === 1);
});

test('events that fill the quota are refused; the ack of the oldest makes room in the same commit', async () => {
  const o = await openOutbox(await tempDir(), { quotaBytes: 10_000 });
  await o.append('events', [Buffer.alloc(9_000, 'e')]);
  await expect(o.append('events', [Buffer.alloc(2_000, 'f')])).rejects.toMatchObject({ code: 'GEWU_OUTBOX_FULL' });
  o.remove('events', 1, 1);
  await o.append('events', [Buffer.alloc(2_000, 'g')]);
  expect(o.stats.events).toMatchObject({ records: 1, dropped: 0 });
  // Even when what comes with the ack does not fit.
  const tooLarge = o.append('events', [Buffer.alloc(20_000, 'h')]);
  o.remove('events', 1, 100);
  await expect(tooLarge).rejects.toMatchObject({ code: 'GEWU_OUTBOX_FULL' });
  await until(() => o.stats.events.records === 0);
});

test('on a full disk the oldest readings make room for events, and each is counted', async () => {
  const o = await openOutbox(await tempDir(), { pagesMax: 250 });
  for (let i = 0; i < 40; i++)
    await o.append(
      'readings',
      Array.from({ length: 200 }, () => Buffer.alloc(150, 'r')),
    );
  await o.append('events', [Buffer.alloc(50_000, 'e')]);
  expect(o.stats.events.records).toBe(1);
  expect(o.stats.readings.dropped).toBeGreaterThan(0);
  expect(o.stats.readings.records + o.stats.readings.dropped).toBe(8000);
});

test('what is too old goes, oldest first, by the time that the node ran', async () => {
  const HOUR = 3_600_000;
  const dir = await tempDir();
  const options = storeOptions(dir, { ageMsMax: 1.5 * HOUR });
  const first = new OutboxStore(options, 0);
  for (const [from, at] of [0, HOUR].entries())
    for (let i = 0; i < 50; i++) commit(first, { rows: { readings: [`${from}/${i}`], events: [`${from}/${i}`] } }, at);
  first.close();
  // The clock of a process begins anew.
  const second = new OutboxStore(options, 0);
  expect(second.dropAged(0.4 * HOUR)).toBe(false);
  expect(second.stats.readings.dropped).toBe(0);
  let steps = 0;
  while (second.dropAged(0.6 * HOUR)) steps++;
  expect(steps).toBeGreaterThan(1);
  expect(second.stats.readings).toMatchObject({ records: 50, dropped: 50, lastSeq: 100 });
  expect(second.stats.events).toMatchObject({ records: 100, dropped: 0 });
  expect(lines(second, 'readings')[0]).toBe('1/0');
  second.close();
});

test('a second node on the same folder does not start', async () => {
  const dir = await tempDir();
  await openOutbox(dir);
  const o = new Outbox({ file: join(dir, 'o.db'), quotaBytes: 1e9, ageMsMax: 1e12, log: silentLog, metrics: createMetrics() });
  await expect(o.start()).rejects.toMatchObject({ code: 'GEWU_OUTBOX_BROKEN' });
});

test('beyond what may wait for the disk, appends are refused at once', async () => {
  const o = await openOutbox(await tempDir(), { syncDelayMs: 300 });
  const first = o.append('readings', rows('x'));
  const many = Array.from({ length: 30_000 }, () => Buffer.from('x'));
  const second = o.append('readings', many);
  await expect(o.append('readings', many)).rejects.toMatchObject({ code: 'GEWU_OUTBOX_FULL' });
  await Promise.all([first, second]);
});

test('a thread that dies is replaced: what it had not committed is refused, and the acks are not forgotten', async () => {
  const syncFaults = new Int32Array(new SharedArrayBuffer(8));
  const o = await openOutbox(await tempDir(), { syncFaults });
  await o.append('readings', rows('a', 'b'));
  Atomics.store(syncFaults, 1, 1);
  const refused = o.append('readings', rows('lost'));
  o.remove('readings', 1, 1);
  await expect(refused).rejects.toMatchObject({ code: 'GEWU_OUTBOX_BROKEN' });
  await until(() => o.append('readings', rows('c')).then(() => true));
  await until(() => o.stats.readings.records === 2);
  expect((await bodyOf(o, 'readings'))?.body).toBe('b\nc\n');
});
