import { readOrigin } from '../dataset/mod.ts';
import { readFolder } from '../eval/mod.ts';
import { ModelError } from '../manifest.ts';
import { type ImportedDataset, SPLITS } from './dataset.ts';

export const isVersion = async (dir: string): Promise<boolean> => (await readOrigin(dir)) !== null;

/** A dataset from verdicts, as `gewu models dataset` writes it: already split. Throws ModelError naming file and line. */
export async function readVersion(dir: string): Promise<ImportedDataset> {
  const origin = await readOrigin(dir);
  if (origin === null) throw new ModelError(`${dir}: no dataset.json: the download is not complete`);
  const [train, val, test] = await Promise.all(SPLITS.map((split) => readFolder(`${dir}/${split}`)));
  if (train === undefined || val === undefined || test === undefined) throw new ModelError(`${dir}: three splits are wanted`);
  const splits = { train: [...train.pictures], val: [...val.pictures], test: [...test.pictures] };
  return { layout: 'verdicts', classes: [...train.classes], splits, faults: [], origin };
}
