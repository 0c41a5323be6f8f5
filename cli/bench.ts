import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BENCHES } from '#bench/mod.ts';
import { GewuError } from '#service/mod.ts';
import { type Command, parseFlags, parseInteger, print, say } from './command.ts';

const ROUNDS = 5;
const list = BENCHES.map((b) => `  ${b.name.padEnd(8)} ${b.summary}`).join('\n');

export const bench: Command = {
  name: 'bench',
  summary: 'measure the data plane, each figure beside its yardstick',
  usage: `usage: gewu bench NAME [--rounds ${ROUNDS}] [--cameras 8] [--fps 2] [--minutes 30] [--short] [--keep] [--json]

${list}

Each figure is the median of several rounds, its yardstick measured in turn with it. --short is for a look: a fifth of the
work, one round. --json prints one line of figures. Exit status 1 when a figure of the project is missed.`,
  async run(args) {
    const { values, positionals } = parseFlags(
      args,
      {
        rounds: { type: 'string' },
        cameras: { type: 'string' },
        fps: { type: 'string' },
        minutes: { type: 'string' },
        short: { type: 'boolean' },
        keep: { type: 'boolean' },
        json: { type: 'boolean' },
      },
      1,
    );
    const wanted = BENCHES.find((b) => b.name === positionals[0]);
    if (!wanted) throw new GewuError('GEWU_USAGE', `which one? ${BENCHES.map((b) => b.name).join(', ')}`);
    const { short = false } = values;
    const rounds = values.rounds === undefined ? (short ? 1 : ROUNDS) : parseInteger('rounds', values.rounds, 1, 100);
    const cameras = values.cameras === undefined ? undefined : parseInteger('cameras', values.cameras, 1, 200);
    const fps = values.fps === undefined ? undefined : parseInteger('fps', values.fps, 1, 15);
    const minutes = values.minutes === undefined ? undefined : parseInteger('minutes', values.minutes, 1, 1440);
    const dir = await mkdtemp(join(tmpdir(), 'gewu-bench-'));
    for (const [signal, status] of Object.entries(ENDED_BY)) process.once(signal, () => leave(values.keep ? null : dir, status));
    try {
      const { figures, missed } = await wanted.run({ dir, rounds, short, cameras, fps, minutes, say });
      print(values.json ? JSON.stringify({ ...figures, missed }) : table(figures));
      for (const what of missed) say(`gewu bench ${wanted.name}: missed: ${what}`);
      return missed.length === 0 || short ? 0 : 1;
    } finally {
      if (values.keep) say(`gewu bench: data and logs are in ${dir}`);
      else await rm(dir, { recursive: true, force: true });
    }
  },
};

/** Exit status by signal, as a shell counts. */
const ENDED_BY = { SIGINT: 130, SIGTERM: 143 } as const;

/** Half a bench says nothing: its processes end with this one, and its data goes unless it is to be kept. */
function leave(dir: string | null, status: number): never {
  if (dir !== null) rmSync(dir, { recursive: true, force: true });
  process.exit(status);
}

function table(figures: Readonly<Record<string, unknown>>): string {
  const width = Math.max(...Object.keys(figures).map((name) => name.length));
  return Object.entries(figures)
    .map(([name, value]) => `${name.padEnd(width)}  ${value}`)
    .join('\n');
}
