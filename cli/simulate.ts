import { createLog, GewuError, systemClock } from '#service/mod.ts';
import { createSimulation, loadSimulateConfig, type Simulation, writeDataset } from '#simulators/mod.ts';
import { type Command, parseDurationS, parseFlags, parseInteger, print, say } from './command.ts';
import { ensurePrograms } from './programs.ts';
import { ACCEPT_USAGE, accept } from './simulate/accept.ts';
import { CAPACITY_USAGE, capacity } from './simulate/capacity.ts';
import { CITY_USAGE, city } from './simulate/city.ts';
import { compare, merge, REPORTS_USAGE } from './simulate/reports.ts';
import { RUN_USAGE, run } from './simulate/run.ts';

const STATUS_MS = 5_000;
const REPORT_MS = 250;
/** At the end the devices wait so long for their last acknowledgements. */
const DRAIN_MS_MAX = 15_000;

async function runSimulation(file: string, options: { forS: number | null; json: boolean }): Promise<number> {
  const config = await loadSimulateConfig(file);
  await ensurePrograms(['ffmpeg']);
  const simulation = createSimulation({ config, log: createLog('simulate'), clock: systemClock });
  const ended = untilEnd(options.forS);
  await simulation.start();
  process.on('message', (message: { fail?: Parameters<Simulation['fail']>[0] }) => {
    if (message.fail !== undefined) void simulation.fail(message.fail);
  });
  tellParent(simulation, 'started');
  const reporting = process.send ? setInterval(() => tellParent(simulation, 'stats'), REPORT_MS) : undefined;
  const status = process.send ? undefined : setInterval(() => say(JSON.stringify(simulation.stats())), STATUS_MS);
  const drain = await ended;
  clearInterval(reporting);
  clearInterval(status);
  if (drain) await simulation.stopSensors(DRAIN_MS_MAX);
  const result = { stats: simulation.stats(), truth: simulation.truth() };
  tellParent(simulation, 'finished');
  if (options.json) print(JSON.stringify(result));
  else say(JSON.stringify(result.stats));
  await simulation.stop();
  return 0;
}

/** Resolves at the end of the time, on a signal, on the parent's word or loss; true when there is time to drain. */
function untilEnd(forS: number | null): Promise<boolean> {
  return new Promise((resolve) => {
    if (forS !== null) setTimeout(() => resolve(true), forS * 1000);
    process.on('message', (message) => message === 'finish' && resolve(true));
    process.once('disconnect', () => resolve(false));
    process.once('SIGINT', () => resolve(false));
    process.once('SIGTERM', () => resolve(false));
  });
}

function tellParent(simulation: Simulation, type: 'started' | 'stats' | 'finished'): void {
  if (!process.connected) return;
  process.send?.({ type, startedAt: simulation.startedAt, stats: simulation.stats(), truth: simulation.truth() });
}

async function dataset(args: readonly string[]): Promise<number> {
  const { values } = parseFlags(args, {
    out: { type: 'string' },
    images: { type: 'string', default: '400' },
    seed: { type: 'string', default: '1' },
  });
  if (values.out === undefined) throw new GewuError('GEWU_USAGE', '--out DIR is needed');
  const images = parseInteger('images', values.images, 1, 1_000_000);
  const seed = parseInteger('seed', values.seed, 0, 2 ** 31);
  await writeDataset({ out: values.out, seed, images }, (done: number) => {
    if (done % 100 === 0 || done === images) say(`gewu: ${done} of ${images} images`);
  });
  return 0;
}

const PARTS: Readonly<Record<string, (args: readonly string[]) => Promise<number>>> = {
  dataset,
  city,
  run,
  accept,
  merge,
  compare,
  capacity,
};

export const simulate: Command = {
  name: 'simulate',
  summary: 'a simulated city: sensors, cameras, load; training data',
  usage: `usage: gewu simulate --config FILE [--for 90s] [--json]
       gewu simulate dataset --out DIR [--images 400] [--seed 1]
       ${CITY_USAGE}
       ${RUN_USAGE}
       ${ACCEPT_USAGE}
       ${REPORTS_USAGE}
       ${CAPACITY_USAGE}

The first runs the sensors and cameras of FILE until the time is over or a signal comes; with --json it ends with what was staged.
The second writes drawn scenes with their truth, as models/train reads them.
The third writes a district: maps and tables of it, and the configurations of a centre, its edges and the cameras that serve it.
The fourth plays a scenario against that installation and judges it: a shipped one by name, or a file; the fifth does all of
it on this machine, and ends what it started; the others add up the reports of several generators, tell what got worse from one run to another, and raise
the load until a threshold breaks. docs/simulators.md says how.`,
  async run(args) {
    const part = PARTS[args[0] ?? ''];
    if (part !== undefined) return part(args.slice(1));
    const { values } = parseFlags(args, {
      config: { type: 'string' },
      for: { type: 'string' },
      json: { type: 'boolean', default: false },
    });
    if (values.config === undefined) throw new GewuError('GEWU_USAGE', '--config FILE is needed');
    return runSimulation(values.config, {
      forS: values.for === undefined ? null : parseDurationS(values.for),
      json: values.json,
    });
  },
};
