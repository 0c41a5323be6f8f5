import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { RefusedChange } from '#edge/desired/mod.ts';
import { checkHealthLine } from '#grid/wire/mod.ts';
import { ZONE } from '../../ingest/api/fixture.ts';
import { tempDir } from '../../support/temp.ts';
import { until } from '../../support/until.ts';
import { dwellOf, FILE, live, noticeOf, stateOf } from './support.ts';

const said = (life: Awaited<ReturnType<typeof live>>) => life.reports.map((r) => [r.verdict, r.revision, r.running]);

test('the newest revision wins over the file, in whatever order and however often it is told, and over a restart', async () => {
  const dir = await tempDir();
  const life = await live(dir);
  life.tell(2, stateOf(20));
  await until(() => life.reports.length === 2);
  for (const revision of [1, 2, 2]) life.tell(revision, stateOf(revision * 10));
  life.tell(3, stateOf(30));
  await until(() => life.reports.length === 3);
  expect(said(life)).toEqual([
    ['confirmed', 0, 0],
    ['confirmed', 2, 2],
    ['confirmed', 3, 3],
  ]);
  expect([life.sites.map(dwellOf), life.fetched]).toEqual([
    [undefined, 20, 30],
    [2, 3],
  ]);
  for (const report of life.reports) expect(checkHealthLine.Check(report)).toBe(true);
  await life.keeper.stop();
  const next = await live(dir);
  expect([next.sites.map(dwellOf), said(next)]).toEqual([[30], [['confirmed', 3, 3]]]);
  expect(next.sites[0]?.cameras[0]?.url).toBe(FILE.cameras[0]?.url);
});

test('what is wrong is refused with its keys, and the one before stays', async () => {
  const dir = await tempDir();
  const life = await live(dir);
  life.tell(1, stateOf(10));
  await until(() => life.reports.length === 2);
  life.tell(2, { cameras: { 'cam-1': { zones: [{ ...ZONE, rules: [{ ...ZONE.rules[0], detects: 'person' }] }] } }, colour: 1 });
  life.tell(3, { cameras: { 'cam-1': { zones: [{ ...ZONE, rules: [{ ...ZONE.rules[0], detects: 'person' }] }] } } });
  await until(() => life.keeper.judged === 3);
  expect(life.reports.at(-1)).toMatchObject({ verdict: 'refused', revision: 3, running: 1 });
  expect(life.reports.at(-1)?.notes.map((n) => n.key)).toEqual(['cameras.cam-1.zones.0.rules.0.detects']);
  // What only the running node can tell, too: then what was in force is put back.
  life.refuse = new RefusedChange([{ code: 'GEWU_CAMERA_URL', key: 'cameras.cam-1', message: 'no' }]);
  life.tell(4, stateOf(40));
  await until(() => life.keeper.judged === 4);
  expect(life.reports.at(-1)).toMatchObject({ verdict: 'refused', running: 1, notes: [{ key: 'cameras.cam-1' }] });
  life.refuse = new Error('out of the blue');
  life.tell(5, stateOf(50));
  await until(() => life.keeper.judged === 5);
  expect(life.reports.at(-1)?.notes).toEqual([{ code: 'GEWU_INTERNAL', key: '', message: 'out of the blue' }]);
  expect(life.sites.map(dwellOf)).toEqual([undefined, 10, 10, 10]);
  await life.keeper.stop();
  expect((await live(dir)).sites.map(dwellOf)).toEqual([10]);
});

test('what cannot be fetched is no verdict, and is tried when it is told again', async () => {
  const life = await live(await tempDir());
  life.keeper.receive(noticeOf(1, stateOf(10)));
  await until(() => life.fetched.length === 1);
  for (const junk of [null, 7, {}, { ...noticeOf(2, {}), edge: 'edge-2' }, { ...noticeOf(2, {}), more: 1 }])
    life.keeper.receive(junk);
  expect([life.keeper.judged, said(life)]).toEqual([0, [['confirmed', 0, 0]]]);
  life.tell(1, stateOf(10));
  await until(() => life.keeper.running === 1);
});

test('a revision that ends the node again and again is given up, and not tried again', async () => {
  const dir = await tempDir();
  const first = await live(dir, { proofMs: 0 });
  first.tell(1, stateOf(10));
  // Proved: this is what is gone back to.
  await until(async () => (await readFile(join(dir, 'desired/desired.json'), 'utf8')).includes('"trial":null'));
  const second = await live(dir);
  second.tell(2, stateOf(20));
  await until(() => second.keeper.running === 2);
  // Nobody stops it: three lives end with it.
  for (const life of [2, 3]) expect([life, dwellOf((await live(dir)).sites[0])]).toEqual([life, 20]);
  const last = await live(dir);
  expect(dwellOf(last.sites[0])).toBe(10);
  expect(last.reports).toMatchObject([
    { verdict: 'refused', revision: 2, running: 1, notes: [{ code: 'GEWU_DESIRED_CRASHED' }] },
  ]);
  last.tell(2, stateOf(20));
  last.tell(3, stateOf(30));
  await until(() => last.keeper.running === 3);
  expect(last.fetched).toEqual([3]);
});

test('a file that was changed since takes back only what no longer fits it; --ignore-desired takes back all', async () => {
  const dir = await tempDir();
  const life = await live(dir);
  const window = { devices: ['mh-1'], from: '2026-11-23T08:00:00Z', to: '2026-11-23T09:00:00Z', reason: 'works' };
  life.tell(1, { ...stateOf(10), maintenance: [window] });
  await until(() => life.keeper.running === 1);
  await life.keeper.stop();
  const without = await live(dir, { file: { ...FILE, devices: FILE.devices.filter((d) => d.id !== 'mh-1') } });
  expect([dwellOf(without.sites[0]), without.sites[0]?.maintenance]).toEqual([10, undefined]);
  expect(without.reports).toMatchObject([{ verdict: 'confirmed', running: 1, notes: [{ key: 'maintenance.0.devices.0' }] }]);
  await without.keeper.stop();
  const ignoring = await live(dir, { ignored: true });
  ignoring.tell(2, stateOf(20));
  expect([ignoring.sites, said(ignoring), ignoring.fetched]).toEqual([[FILE], [['ignored', 0, 0]], []]);
  await ignoring.keeper.stop();
  expect(dwellOf((await live(dir)).sites[0])).toBe(10);
  // A disk that flips bits: begun anew, and the centre tells its newest again.
  await writeFile(join(dir, 'desired/desired.json'), '{"v":1,');
  expect(said(await live(dir))).toEqual([['confirmed', 0, 0]]);
});
