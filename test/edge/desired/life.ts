import type { KeyObject } from 'node:crypto';
import { appendFile, writeFile } from 'node:fs/promises';
import { onTestFinished } from 'vitest';
import { ModelKeeper, type ModelUser, openStartingModel } from '#edge/desired/mod.ts';
import { InferencePool, openModel } from '#edge/vision/mod.ts';
import type { ModelReport } from '#grid/wire/mod.ts';
import { GewuError, publicKeyOf, silentLog, systemClock } from '#service/mod.ts';
import { BRIGHT_STREET, type variant } from '../../support/models.ts';
import { until } from '../../support/until.ts';

/** A model keeper over a real pool of threads and a folder that outlives it; packages come from memory, piece by piece. */
export async function live(dataDir: string, { key, proofMs = 60_000 }: { key: KeyObject; proofMs?: number }) {
  const start = await openStartingModel({ ownFolder: BRIGHT_STREET, dataDir, ignored: false, log: silentLog });
  const model = await openModel(start.folder);
  const pool = new InferencePool({ model, workers: 1, log: silentLog });
  await pool.start();
  const [reports, packages, deaths] = [[] as ModelReport[], new Map<string, Buffer>(), [] as (() => void)[]];
  let manifest = model.manifest;
  const node = { wantedMs: 100, cut: 0, used: [] as string[], downloads: [] as number[] };
  const user: ModelUser = {
    prepareModel: async (dir) => pool.prepare(await openModel(dir)),
    discardModel: (prepared) => pool.discard(prepared),
    async switchModel(prepared) {
      await pool.activate(prepared);
      manifest = prepared.model.manifest;
      node.used.push(manifest.version);
    },
    manifest: () => manifest,
    silentRules: ({ classes }) => (classes.includes('stall') ? [] : ['cameras.cam-1.zones.0.rules.0']),
    load: () => ({ wantedMs: node.wantedMs, availableMs: 1000 }),
    onModelDeath: (listener) => {
      deaths.push(listener);
      return () => {};
    },
  };
  const keeper = new ModelKeeper({
    ...{ edge: 'edge-01', start, trustedKeys: [publicKeyOf(key)], user, clock: systemClock, log: silentLog, proofMs },
    health: { report: async (report) => void reports.push(report as ModelReport) },
    async download({ sha256, file, from }) {
      const bytes = packages.get(sha256);
      node.downloads.push(from);
      if (bytes === undefined) throw new GewuError('GEWU_MODEL_UNREADABLE', 'the centre is away');
      const to = node.cut === 0 ? bytes.length : node.cut;
      node.cut = 0;
      await (from === 0 ? writeFile : appendFile)(file, bytes.subarray(from, to));
      if (to < bytes.length) throw new GewuError('GEWU_MODEL_UNREADABLE', 'cut off');
    },
  });
  await keeper.start();
  const end = async (): Promise<void> => {
    await keeper.stop();
    await pool.stop();
  };
  onTestFinished(end);
  const want = async (packed: Awaited<ReturnType<typeof variant>>, more = {}): Promise<ModelReport> => {
    packages.set(packed.sha256, packed.package);
    const before = reports.length;
    keeper.want({ package: packed.sha256, ...more });
    return until(() => reports.slice(before).find((r) => r.phase !== 'fetching'), { timeoutMs: 60_000 });
  };
  return { ...{ keeper, reports, packages, node, want, start, end }, die: () => void deaths.map((told) => told()) };
}
