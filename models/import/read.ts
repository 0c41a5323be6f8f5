import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ModelError } from '../manifest.ts';
import { isCoco, readCoco } from './coco.ts';
import { completed, type ImportedDataset, SPLITS, type Split } from './dataset.ts';
import { isVersion, readVersion } from './version.ts';
import { isYolo, readYolo } from './yolo.ts';

/** Reads a dataset in YOLO or COCO layout or one from verdicts, recognised by its files. Throws ModelError when it is none of them. */
export async function readDataset(dir: string): Promise<ImportedDataset> {
  if (await isVersion(dir)) return readVersion(dir);
  const dataset = (await isYolo(dir)) ? await readYolo(dir) : (await isCoco(dir)) ? await readCoco(dir) : null;
  if (dataset === null)
    throw new ModelError(
      `${dir}: neither data.yaml (YOLO) nor annotations/*.json (COCO) nor dataset.json (from verdicts) is there: docs/models.md shows them`,
    );
  return { ...dataset, splits: completed(dataset.splits) };
}

/** Writes the splits as folders that training and evaluation read; the pictures stay where they are. */
export async function writeSplits({ classes, splits }: ImportedDataset, out: string): Promise<Record<Split, string>> {
  for (const split of SPLITS) {
    const dir = join(out, split);
    await mkdir(dir, { recursive: true });
    await writeFile(join(dir, 'classes.json'), `${JSON.stringify(classes)}\n`);
    await writeFile(join(dir, 'truth.jsonl'), splits[split].map((picture) => `${JSON.stringify(picture)}\n`).join(''));
  }
  return { train: join(out, 'train'), val: join(out, 'val'), test: join(out, 'test') };
}
