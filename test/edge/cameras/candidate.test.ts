import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import type { CameraPipeline } from '#edge/cameras/mod.ts';
import { CandidateKeeper } from '#edge/desired/mod.ts';
import { ModelFiles } from '#edge/desired/model_store.ts';
import { InferencePool, openModel } from '#edge/vision/mod.ts';
import type { EventRecord } from '#grid/mod.ts';
import { type CandidateReport, checkHealthLine, type WatchReport } from '#grid/wire/mod.ts';
import { newSigningKey, publicKeyOf, silentLog, systemClock } from '#service/mod.ts';
import { BRIGHT_STREET, variant } from '../../support/models.ts';
import { tempDir } from '../../support/temp.ts';
import { until } from '../../support/until.ts';
import { paintedCamera } from './painted.ts';
import { run } from './running.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

const modelOf = ({ data: { origin } }: EventRecord): string => (origin.by === 'camera' ? origin.model : '');
const PACKAGE = 'c'.repeat(64);

test('a candidate raises its own events in shadow, with pictures, beside those of the model in use, which notices nothing', async ({
  onTestFinished,
}) => {
  const painted = await paintedCamera(onTestFinished);
  const { pipeline, events, health } = await run(onTestFinished, painted);
  const dir = join(await tempDir(), 'candidate');
  await variant(dir, newSigningKey(), { manifest: { version: '2.0.0', provenance: 'real-scenes' } });
  const own = async (p: CameraPipeline) => ({
    ...{ prepared: await p.prepareModel(dir), package: PACKAGE },
    onDeath: () => {},
    onEnd: () => {},
  });
  const raised = (version: string) => events.find((e) => e.type === 'gewu.event.raised' && modelOf(e).endsWith(`@${version}`));
  const active = await until(() => events.find((e) => e.type === 'gewu.event.raised'), { timeoutMs: 30_000 });
  await pipeline.setCandidate(await own(pipeline));
  const shadow = await until(() => raised('2.0.0'), { timeoutMs: 30_000 });
  expect([active.data.suppressed, shadow.data.suppressed]).toEqual([undefined, 'shadow']);
  expect(shadow.subject).not.toBe(active.subject);
  // It says itself by whose word it was taken, and where the thing is.
  const { manifest } = shadow.data.evidence[0]?.signed ?? {};
  expect(manifest).toMatchObject({
    model: modelOf(shadow),
    event: shadow.subject,
    masked: true,
    shows: { widthPx: 320, heightPx: 180 },
  });
  await pipeline.setCandidate(null);
  const cleared = await until(() => events.find((e) => e.type === 'gewu.event.cleared'), { timeoutMs: 30_000 });
  expect(cleared.subject).toBe(shadow.subject);
  const watched = health.filter((r): r is WatchReport => r.of === 'watch').at(-1);
  expect(watched).toMatchObject({ id: 'cam-01', package: PACKAGE, model: modelOf(shadow), against: modelOf(active) });
  expect(watched?.pictures).toBeGreaterThan(2);
  expect(watched?.watchedMs).toBeGreaterThan(1000);
  for (const record of health) expect(checkHealthLine.Check(record)).toBe(true);
  // The same model twice cannot be told apart.
  const twin = { ...(await own(pipeline)), prepared: await pipeline.prepareModel(BRIGHT_STREET) };
  await expect(pipeline.setCandidate(twin)).rejects.toMatchObject({ code: 'GEWU_MODEL_INVALID' });
});

test('a candidate that asks for too much is refused, one whose threads die or that ends the node is left; nobody else is told', async () => {
  const dir = await tempDir();
  const key = newSigningKey();
  const files = () => new ModelFiles({ dataDir: join(dir, 'data'), log: silentLog });
  const pool = new InferencePool({ model: await openModel(BRIGHT_STREET), workers: 1, log: silentLog });
  await pool.start();
  const reports: CandidateReport[] = [];
  const packages = new Map<string, Buffer>();
  const node = { wantedMs: 10, set: [] as (string | null)[], die: () => {} };
  const live = () =>
    new CandidateKeeper({
      ...{ edge: 'edge-01', files: files(), trustedKeys: [publicKeyOf(key)], clock: systemClock, log: silentLog },
      health: { report: async (report) => void reports.push(report as CandidateReport) },
      download: async ({ sha256, file }) => writeFile(file, packages.get(sha256) ?? Buffer.alloc(0)),
      user: {
        prepareModel: async (folder) => pool.prepare(await openModel(folder)),
        discardModel: (prepared) => pool.discard(prepared),
        async setCandidate(candidate) {
          node.set.push(candidate?.package ?? null);
          node.die = candidate?.onDeath ?? node.die;
          await candidate?.prepared.crew.close();
        },
        load: () => ({ wantedMs: node.wantedMs, availableMs: 1000 }),
        cpuMs: () => 5,
      },
    });
  const said = (from: number) => until(() => reports.slice(from).find((r) => r.phase !== 'fetching'), { timeoutMs: 60_000 });
  const good = await variant(join(dir, 'good'), key, { manifest: { version: '2.0.0' } });
  packages.set(good.sha256, good.package);
  const keeper = live();
  keeper.want({ package: good.sha256 });
  await keeper.start();
  expect(await said(0)).toMatchObject({ phase: 'shadow', package: good.sha256, cpuMs: expect.any(Number) });
  expect(node.set).toEqual([null, good.sha256]);
  // Both models together, and one thread alone.
  node.wantedMs = 801;
  let before = reports.length;
  keeper.want({ package: good.sha256, cameras: ['cam-01'] });
  expect(await said(before)).toMatchObject({ phase: 'refused', code: 'GEWU_MODEL_BUDGET' });
  node.wantedMs = 10;
  before = reports.length;
  keeper.want({ package: good.sha256 });
  expect(await said(before)).toMatchObject({ phase: 'shadow' });
  before = reports.length;
  for (let n = 0; n < 3; n++) node.die();
  expect(await said(before)).toMatchObject({ phase: 'refused', code: 'GEWU_MODEL_CRASHED' });
  expect(node.set.at(-1)).toBeNull();
  before = reports.length;
  keeper.want(undefined);
  await keeper.stop();

  // Nobody stops this node: three lives end with another one.
  const worse = await variant(join(dir, 'worse'), key, { manifest: { version: '3.0.0' } });
  packages.set(worse.sha256, worse.package);
  for (let life = 1; life <= 4; life++) {
    before = reports.length;
    const next = live();
    next.want({ package: worse.sha256 });
    await next.start();
    expect(await said(before)).toMatchObject(life < 4 ? { phase: 'shadow' } : { phase: 'refused', code: 'GEWU_MODEL_CRASHED' });
  }
  for (const report of reports) expect(checkHealthLine.Check(report)).toBe(true);
  await pool.stop();
});
