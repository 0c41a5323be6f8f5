import { ModelError } from '#models/mod.ts';
import { GewuError } from '#service/mod.ts';
import type { Command } from '../command.ts';
import { ATTEST_USAGE, attest } from './attest.ts';
import { CHECK_USAGE, check } from './check.ts';
import { DATASET_USAGE, dataset } from './dataset.ts';
import { EVAL_USAGE, evaluation } from './eval.ts';
import { IMPORT_USAGE, importDataset } from './import.ts';
import { KEYGEN_USAGE, keygen, PUSH_USAGE, push, SIGN_USAGE, sign } from './push.ts';
import { QUIET_USAGE, quiet } from './quiet.ts';
import { STREET_USAGE, street } from './street.ts';
import { TRAIN_USAGE, train } from './train.ts';
import { COMPARE_USAGE, compare, PROMOTE_USAGE, promote, RETURN_USAGE, returnModel } from './trial.ts';

interface Part {
  usage: string;
  run(args: readonly string[]): Promise<number>;
}

/** What can be done with models, by its word. */
const PARTS: Readonly<Record<string, Part>> = {
  check: { usage: CHECK_USAGE, run: check },
  eval: { usage: EVAL_USAGE, run: evaluation },
  quiet: { usage: QUIET_USAGE, run: quiet },
  street: { usage: STREET_USAGE, run: street },
  dataset: { usage: DATASET_USAGE, run: dataset },
  import: { usage: IMPORT_USAGE, run: importDataset },
  train: { usage: TRAIN_USAGE, run: train },
  keygen: { usage: KEYGEN_USAGE, run: keygen },
  sign: { usage: SIGN_USAGE, run: sign },
  push: { usage: PUSH_USAGE, run: push },
  compare: { usage: COMPARE_USAGE, run: compare },
  promote: { usage: PROMOTE_USAGE, run: promote },
  return: { usage: RETURN_USAGE, run: returnModel },
  attest: { usage: ATTEST_USAGE, run: attest },
};

export const models: Command = {
  name: 'models',
  summary: 'models: check, evaluate, train, learn from verdicts, sign, push, compare, promote, attest',
  usage: Object.values(PARTS)
    .map((part) => part.usage)
    .join('\n\n'),
  async run([what = '', ...args]) {
    const part = PARTS[what];
    if (part === undefined) throw new GewuError('GEWU_USAGE', `gewu models ${Object.keys(PARTS).join('|')}`);
    try {
      return await part.run(args);
    } catch (error) {
      if (error instanceof ModelError) throw new GewuError(error.code, error.message, { cause: error });
      throw error;
    }
  },
};
