import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { GewuError } from '#service/mod.ts';
import { say } from '../command.ts';
import { ensurePrograms, type Program, PYTHON } from '../programs.ts';

const SCRIPT = join(import.meta.dirname, '../../models/train/train.py');
export const TRAINING_PROGRAMS: readonly Program[] = ['torch', 'pillow', 'onnx'];
/** Of `train.py`: its time was over before its steps were. */
const NOT_THROUGH = 3;

export interface Training {
  /** Folders in the form of docs/models.md. */
  data: readonly string[];
  /** Where state and results go. */
  out: string;
  /** Where the pictures go as the net reads them; `out` unless told. Runs with the same pictures share it. */
  cache?: string;
  steps: number;
  minutes: number;
  seed: number;
  threads: number;
  /** To go on from; none: from nothing. */
  from?: { weights: string; classes: readonly string[] };
}

/**
 * Runs `train.py`, its lines for people on stderr. True when it is through, false when its minutes were over first: the same call
 * goes on then. Throws GEWU_MISSING_PROGRAM, or GEWU_INTERNAL when it fails.
 */
export async function trainWith({ data, out, cache = out, steps, minutes, seed, threads, from }: Training): Promise<boolean> {
  await ensurePrograms(TRAINING_PROGRAMS);
  const args = ['-W', 'ignore', SCRIPT, '--out', out, '--cache', cache, '--data', ...data];
  for (const [name, value] of Object.entries({ steps, minutes, seed, threads })) args.push(`--${name}`, String(value));
  if (from !== undefined) args.push('--weights', from.weights, '--weights-classes', ...from.classes);
  // No sets or threads of the runtime's own beside those asked for.
  const env = { ...process.env, OMP_NUM_THREADS: String(threads) };
  const child = spawn(PYTHON, args, { stdio: ['ignore', 'pipe', 'inherit'], env });
  const ended = once(child, 'exit');
  for await (const line of createInterface({ input: child.stdout })) say(`gewu: ${line}`);
  const [code] = await ended;
  if (code === NOT_THROUGH) return false;
  if (code !== 0) throw new GewuError('GEWU_INTERNAL', `training ended with ${code}: see above`);
  return true;
}
