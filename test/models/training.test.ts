import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { TRAINING_PROGRAMS } from '#cli/models/python.ts';
import { missingPrograms } from '#cli/programs.ts';
import { type LabelledPicture, readFolder } from '#models/eval/mod.ts';
import { loadManifest } from '#models/mod.ts';
import { weightsOf } from '#models/train/mod.ts';
import { writeDataset } from '#simulators/mod.ts';
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

/** Drawn pictures as a city would label its own, in COCO layout; one class is new to the shipped weights. */
async function cocoOf(pictures: readonly LabelledPicture[], dir: string): Promise<void> {
  const names = ['kiosk', 'garbage', 'ponding', 'open_manhole', 'vehicle', 'person'];
  const images = pictures.map(({ file }, id) => ({ id, file_name: basename(file), width: 640, height: 360 }));
  const annotations = pictures.flatMap(({ boxes }, image_id) =>
    boxes.map(({ class: name, box: [l, t, r, b] }) => ({
      image_id,
      category_id: Math.max(0, names.indexOf(name)),
      bbox: [l, t, r - l, b - t],
    })),
  );
  const categories = names.map((name, id) => ({ id, name }));
  await mkdir(join(dir, 'annotations'), { recursive: true });
  await mkdir(join(dir, 'images'));
  for (const { file } of pictures) await writeFile(join(dir, 'images', basename(file)), await readFile(file));
  for (const split of ['train', 'val', 'test'])
    await writeFile(join(dir, 'annotations', `instances_${split}.json`), JSON.stringify({ images, annotations, categories }));
}

describe.skipIf(missing.length > 0)('training, in small', () => {
  test('a dataset of somebody else is imported, fine-tuned from the shipped weights and measured', async () => {
    const dir = await tempDir();
    await writeDataset({ out: join(dir, 'drawn'), seed: 31, images: 4 });
    await cocoOf((await readFolder(join(dir, 'drawn'))).pictures, join(dir, 'city'));
    const out = join(dir, 'mine');
    const args = ['--steps', '1', '--threads', '1', '--work', join(dir, 'work'), '--out', out, '--provenance', 'real-scenes'];
    const { code, stdout, said } = await gewu(['import', join(dir, 'city'), ...args, '--json']);
    expect(code, said).toBe(0);
    expect(said).toContain('classes that begin anew: kiosk');
    const { manifest } = await loadManifest(out);
    expect(manifest).toMatchObject({
      name: 'mine',
      provenance: 'real-scenes',
      classes: ['kiosk', 'garbage', 'ponding', 'open_manhole', 'vehicle', 'person'],
      trainedOn: { layout: 'coco', begunFrom: expect.stringContaining('street-drawn') },
    });
    expect(JSON.parse(stdout)).toMatchObject({ images: 4, before: null });
  }, 180_000);

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
    expect(manifest.metrics).toMatchObject({
      alarmThresholdsFrom: '1 quiet camera-hours of seed 6001 on which things come, a picture every 30 s',
    });
    expect(JSON.stringify(manifest.trainedOn)).toContain('"drawer":"quiet"');
    expect(JSON.parse(stdout).thresholds).toEqual(manifest.thresholds);
    await expect(weightsOf(out, manifest)).resolves.toBe(join(out, 'weights.npz'));
    // Two steps give another model than the shipped one, and one look at the same pictures says so.
    const against = ['--model', out, '--against', 'models/street-drawn', '--data', join(work, 'test-7001-4'), '--json'];
    const compared = await gewu(['eval', ...against]);
    expect(compared.code, compared.said).toBe(1);
    expect(JSON.parse(compared.stdout).difference.map50).toBeGreaterThan(0.5);
    // The same once more has nothing left to draw or to learn: the model is the same, byte for byte.
    const before = await readFile(join(out, 'model.onnx'));
    const again = await gewu(args);
    expect(again.said).toContain('goes on after step 2');
    expect((await readFile(join(out, 'model.onnx'))).equals(before)).toBe(true);
  }, 180_000);
});
