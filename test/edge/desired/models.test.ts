import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { openStartingModel } from '#edge/desired/mod.ts';
import { openModel } from '#edge/vision/mod.ts';
import { checkHealthLine } from '#grid/wire/mod.ts';
import { newSigningKey, silentLog } from '#service/mod.ts';
import { BRIGHT_STREET, variant } from '../../support/models.ts';
import { tempDir } from '../../support/temp.ts';
import { until } from '../../support/until.ts';
import { live } from './life.ts';

// Threads take their time to begin on a busy machine; a wrong result is told long before.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

const KEY = newSigningKey();

test('a model is fetched from where it stopped, checked, run and used; what is wrong is refused with its code, and the old one stays', async () => {
  const dir = await tempDir();
  const make = (name: string, key = KEY, options = {}) => variant(join(dir, name), key, options);
  const good = await make('good', KEY, { manifest: { version: '2.0.0' } });
  const life = await live(join(dir, 'data'), { key: KEY });
  life.node.cut = 700;
  expect(await life.want(good)).toMatchObject({ phase: 'active', package: good.sha256, code: '', cpuMs: expect.any(Number) });
  expect([life.node.used, life.node.downloads]).toEqual([['2.0.0'], [0, 700]]);

  const refused = async (packed: typeof good, more = {}) => {
    const { phase, code, model } = await life.want(packed, more);
    return [phase, code, model.split('@')[1]];
  };
  expect(await refused(await make('foreign', newSigningKey()))).toEqual(['refused', 'GEWU_MODEL_SIGNATURE', '2.0.0']);
  expect(await refused(await make('garbage', KEY, { bytes: Buffer.from('no model at all') }))).toEqual([
    'refused',
    'GEWU_MODEL_INVALID',
    '2.0.0',
  ]);
  const { classes } = (await openModel(BRIGHT_STREET)).manifest;
  const renamed = classes.map((c) => (c === 'stall' ? 'kiosk' : c));
  const thresholds = Object.fromEntries(renamed.map((c) => [c, 0.5]));
  const other = await make('other', KEY, { manifest: { classes: renamed, thresholds, version: '3.0.0' } });
  expect(await refused(other)).toEqual(['refused', 'GEWU_MODEL_CLASSES', '2.0.0']);
  life.node.wantedMs = 801;
  expect(await refused(other, { silentRules: true })).toEqual(['refused', 'GEWU_MODEL_BUDGET', '2.0.0']);
  life.node.wantedMs = 1;
  life.keeper.want(undefined);
  await until(() => life.reports.at(-1)?.package === '', { timeoutMs: 60_000 });
  const silent = await life.want(other, { silentRules: true });
  expect(silent).toMatchObject({
    phase: 'active',
    notes: [{ code: 'GEWU_MODEL_CLASSES', key: 'cameras.cam-1.zones.0.rules.0' }],
  });
  // Bytes that are no package, under the hash that they have: fetched anew for ever would be of no use to anybody.
  const bytes = Buffer.from('junk');
  const junk = { package: bytes, sha256: createHash('sha256').update(bytes).digest('hex') };
  expect(await refused(junk)).toEqual(['refused', 'GEWU_MODEL_INVALID', '3.0.0']);
  for (const report of life.reports) expect(checkHealthLine.Check(report)).toBe(true);
  // What is not used any more is gone from the disk.
  expect((await readdir(join(dir, 'data/models'))).filter((f) => f.endsWith('.part'))).toEqual([]);
});

test('the one in use is used after a restart; one whose threads die, or that ends the node, is left for the one before', async () => {
  const dir = await tempDir();
  const data = join(dir, 'data');
  const [a, b] = [
    await variant(join(dir, 'a'), KEY, { manifest: { version: '2.0.0' } }),
    await variant(join(dir, 'b'), KEY, { manifest: { version: '3.0.0' } }),
  ];
  const first = await live(data, { key: KEY });
  await first.want(a);
  await first.keeper.stop();
  const second = await live(data, { key: KEY });
  expect(second.reports).toMatchObject([{ phase: 'active', package: a.sha256, model: expect.stringMatching(/@2\.0\.0$/) }]);
  await second.want(b);
  for (let i = 0; i < 3; i++) second.die();
  const returned = await until(() => second.reports.find((r) => r.phase === 'returned'), { timeoutMs: 60_000 });
  expect(returned).toMatchObject({ code: 'GEWU_MODEL_CRASHED', package: a.sha256, wanted: b.sha256 });
  second.keeper.want(undefined);
  await until(() => second.reports.at(-1)?.package === '', { timeoutMs: 60_000 });
  expect(await second.want(b)).toMatchObject({ phase: 'refused', code: 'GEWU_MODEL_CRASHED' });

  // Nobody stops this node: three lives end with the model.
  const c = await variant(join(dir, 'c'), KEY, { manifest: { version: '4.0.0' } });
  await second.want(c);
  for (const life of [2, 3])
    expect([
      life,
      (await openStartingModel({ ownFolder: BRIGHT_STREET, dataDir: data, ignored: false, log: silentLog })).state.active,
    ]).toEqual([life, c.sha256]);
  const last = await live(data, { key: KEY });
  expect(last.start.folder).toBe(BRIGHT_STREET);
  expect(last.reports).toMatchObject([{ phase: 'returned', code: 'GEWU_MODEL_CRASHED', package: '' }]);
});
