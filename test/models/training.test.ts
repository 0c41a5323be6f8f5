import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { TRAINING_PROGRAMS } from '#cli/models/python.ts';
import { missingPrograms } from '#cli/programs.ts';
import { loadManifest } from '#models/mod.ts';
import { weightsOf } from '#models/train/mod.ts';
import { tempDir } from '../support/temp.ts';

const GEWU = join(import.meta.dirname, '../../gewu');

async function gewu(args: readonly string[]) {
  const child = spawn(GEWU, ['models', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const [stdout, said, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  return { code: code as number, stdout, said };
}

test('gewu models eval prints one line of figures on held-out scenes', async () => {
  const { code, stdout, said } = await gewu(['eval', '--images', '6', '--json']);
  expect(code, said).toBe(0);
  const result = JSON.parse(stdout);
  expect(Object.keys(result)).toEqual(['map50', 'map', 'perClass', 'images']);
  expect(result.images).toBe(6);
  expect(Object.keys(result.perClass)).toEqual(['stall', 'garbage', 'ponding', 'open_manhole', 'vehicle', 'person']);
  // Six pictures say little, but a decoder or a letterbox that is off finds nothing.
  expect(result.map50).toBeGreaterThan(0.5);
}, 60_000);

const missing = await missingPrograms(TRAINING_PROGRAMS);
if (missing.length > 0) console.warn(`training is not tested: ${missing.join(', ')} not installed (\`./gewu test\` installs it)`);

describe.skipIf(missing.length > 0)('training, in small', () => {
  test('ends with a model folder that can be run and fine-tuned; the same once more goes on from where it was', async () => {
    const dir = await tempDir();
    const [work, out] = [join(dir, 'work'), join(dir, 'model')];
    const args = ['train', '--images', '16', '--steps', '2', '--threads', '1', '--work', work, '--out', out, '--json'];
    const { code, stdout, said } = await gewu(args);
    expect(code, said).toBe(0);
    expect(said).toContain('step 2 of 2');
    const { manifest } = await loadManifest(out);
    expect(manifest).toMatchObject({ family: 'gewu-uint8', provenance: 'drawn-scenes', trainedOn: { steps: 2, seed: 1 } });
    expect(manifest.metrics).toMatchObject({ images: 4, evaluatedOn: '4 drawn street scenes of seed 7001' });
    expect(JSON.parse(stdout).thresholds).toEqual(manifest.thresholds);
    await expect(weightsOf(out, manifest)).resolves.toBe(join(out, 'weights.npz'));
    // The same once more has nothing left to draw or to learn: the model is the same, byte for byte.
    const before = await readFile(join(out, 'model.onnx'));
    const again = await gewu(args);
    expect(again.said).toContain('goes on after step 2');
    expect((await readFile(join(out, 'model.onnx'))).equals(before)).toBe(true);
  }, 180_000);
});
