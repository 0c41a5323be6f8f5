import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { join, sep } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { openStartingModel } from '#edge/desired/mod.ts';
import { openModel } from '#edge/vision/mod.ts';
import { newSigningKey, silentLog } from '#service/mod.ts';
import { BRIGHT_STREET, variant } from '../../support/models.ts';
import { tempDir } from '../../support/temp.ts';
import { live } from './life.ts';

// Threads take their time to begin on a busy machine; a wrong result is told long before.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

const KEY = newSigningKey();

/** Calls that change what lies on a disk, or open what is about to be changed. */
const STEPS = ['mkdir', 'open', 'rename', 'rm', 'writeFile', 'appendFile'] as const;

interface Cut {
  /** What a node that is killed at this moment leaves behind. */
  dir: string;
  after: string;
}

/**
 * Runs `work` and copies the folder after each of its steps: what the disk holds when the process is killed there, for the
 * kernel keeps what a process has written. Half-written files have no name that anybody reads (`writeDurably`), but for the one that is fetched.
 */
async function cutAtEveryStep(folder: string, copies: string, work: () => Promise<unknown>): Promise<Cut[]> {
  const cuts: Cut[] = [];
  const real = { ...fs };
  const copy = async (after: string): Promise<void> => {
    const dir = join(copies, String(cuts.length));
    await real.cp(folder, dir, { recursive: true });
    cuts.push({ dir, after });
  };
  const restore = (): void => {
    Object.assign(fs, real);
    syncBuiltinESMExports();
  };
  onTestFinished(restore);
  for (const name of STEPS) {
    const call = real[name] as (...args: unknown[]) => Promise<unknown>;
    const stepping = async (path: string, ...rest: unknown[]): Promise<unknown> => {
      const result = await call(path, ...rest);
      if (path.startsWith(folder + sep)) await copy(`${name} ${path.slice(folder.length + 1)}`);
      return result;
    };
    Object.assign(fs, { [name]: stepping });
  }
  syncBuiltinESMExports();
  await work();
  restore();
  return cuts;
}

test('a node that is killed at any step of an activation begins with a whole, checked model, and comes to the one that is wanted', async () => {
  const dir = await tempDir();
  const data = join(dir, 'data');
  const [old, wanted] = [
    await variant(join(dir, 'a'), KEY, { manifest: { version: '2.0.0' } }),
    await variant(join(dir, 'b'), KEY, { manifest: { version: '3.0.0' } }),
  ];
  const first = await live(data, { key: KEY });
  await first.want(old);
  await first.keeper.stop();
  const node = await live(data, { key: KEY });
  node.node.cut = 700;
  const cuts = await cutAtEveryStep(data, join(dir, 'cuts'), async () => {
    await node.want(wanted);
    await node.keeper.stop();
  });
  const begins = new Set<string>();
  for (const { dir: dataDir, after } of cuts) {
    const start = await openStartingModel({ ownFolder: BRIGHT_STREET, dataDir, ignored: false, log: silentLog });
    // Its bytes are held against the hash of its manifest.
    begins.add((await openModel(start.folder)).manifest.version);
    expect([after, start.note]).toEqual([after, null]);
  }
  expect([...begins]).toEqual(['2.0.0', '3.0.0']);
  // From where a restart finds another thing each, one goes on: half a package, a model without manifest, one that is unpacked, one in use.
  const { sha256 } = wanted;
  const names = [
    `writeFile models/${sha256}.part`,
    ...['model.onnx', 'manifest.json'].map((n) => `rename models/${sha256}/${n}.part`),
  ];
  const goingOn = [...names, 'rename models/state.json.part'].map((name) => cuts.find(({ after }) => after === name) as Cut);
  for (const { dir: dataDir, after } of goingOn) {
    const life = await live(dataDir, { key: KEY });
    life.packages.set(sha256, wanted.package);
    const report = life.start.state.active === sha256 ? life.reports[0] : await life.want(wanted);
    expect([after, report]).toMatchObject([after, { phase: 'active', package: sha256, code: '' }]);
    await life.end();
    expect((await fs.readdir(join(dataDir, 'models'))).filter((name) => name.endsWith('.part'))).toEqual([]);
  }
});
