import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { type Command, parseFlags, say } from './command.ts';
import { TRAINING_PROGRAMS } from './models/python.ts';
import { ensurePrograms } from './programs.ts';

const ROOT = join(import.meta.dirname, '..');

interface Step {
  name: string;
  bin: string;
  args: readonly string[];
}

/** What a full run does, in order; each step is a program of node_modules/.bin, and those of one line run beside each other. */
const STEPS: readonly (readonly Step[])[] = [
  [
    { name: 'types', bin: 'tsc', args: ['--noEmit'] },
    { name: 'types of the console', bin: 'tsc', args: ['--noEmit', '-p', 'console'] },
    { name: 'lint', bin: 'biome', args: ['check', '--error-on-warnings', '.'] },
  ],
  [{ name: 'tests', bin: 'vitest', args: ['run', '--project', 'alone', '--project', 'shared'] }],
  // Whole cities, alone on the machine: what they measure would suffer from neighbours.
  [{ name: 'scenarios', bin: 'vitest', args: ['run', '--project', 'cities'] }],
];
const SOME: Step = { name: 'tests', bin: 'vitest', args: ['run'] };

async function runStep(step: Step, extra: readonly string[]): Promise<boolean> {
  const began = performance.now();
  say(`gewu test: ${step.name} ...`);
  // The children must find Node 24 before the system's Node.
  const path = `${join(ROOT, 'node_modules/node/bin')}:${process.env.PATH ?? ''}`;
  const child = spawn(join(ROOT, 'node_modules/.bin', step.bin), [...step.args, ...extra], {
    cwd: ROOT,
    stdio: 'inherit',
    env: { ...process.env, PATH: path, NODE_OPTIONS: '--disable-warning=ExperimentalWarning' },
  });
  const [code] = await once(child, 'exit');
  say(`gewu test: ${step.name} ${code === 0 ? 'passed' : 'FAILED'} in ${((performance.now() - began) / 1000).toFixed(1)} s`);
  return code === 0;
}

export const test: Command = {
  name: 'test',
  summary: 'install what the tests need and run them',
  usage: 'usage: gewu test [PATH ...]\n\nWithout paths: types, lint and every test. With paths: only the tests below them.',
  async run(args) {
    const { positionals } = parseFlags(args, {}, 100);
    await ensurePrograms([
      'ffmpeg',
      'influxd',
      'postgres',
      'mosquitto',
      'openssl',
      'strace',
      'chromium',
      'chineseFont',
      ...TRAINING_PROGRAMS,
    ]);
    if (positionals.length > 0) return (await runStep(SOME, positionals)) ? 0 : 1;
    let passed = true;
    for (const steps of STEPS) {
      const each = await Promise.all(steps.map((step) => runStep(step, [])));
      passed = each.every(Boolean) && passed;
    }
    return passed ? 0 : 1;
  },
};
