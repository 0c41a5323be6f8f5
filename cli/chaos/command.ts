import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GewuError } from '#service/mod.ts';
import { FAULTS } from '#simulators/mod.ts';
import { type Command, parseDurationS, parseFlags, parseInteger, print, say } from '../command.ts';
import { ensurePrograms, type Program } from '../programs.ts';
import { type ChaosOptions, runChaos } from './run.ts';
import { STAMPS } from './site.ts';
import { shortfalls } from './verdict.ts';

const INTERVAL_MS = 4_000;
/** Above the 2,000 that are wanted, so that a short stop of the machine is made good. */
const RATE_PER_S = 2_600;
/** As a shell has it: 128 and SIGINT. */
const INTERRUPTED = 130;
const STORES: Readonly<Record<string, Program>> = { influxdb: 'influxd', postgres: 'postgres', mosquitto: 'mosquitto' };
/** Modules that break the product on purpose, so that one sees the ledger notice. */
const BROKEN: Readonly<Record<string, string>> = { 'unique-key': join(import.meta.dirname, 'broken/unique_key.ts') };

interface Flags extends Omit<ChaosOptions, 'dir' | 'say' | 'signal'> {
  json: boolean;
  keep: boolean;
  needs: Program[];
}

function readFlags(args: readonly string[]): Flags {
  const { values } = parseFlags(args, {
    kills: { type: 'string', default: '50' },
    seed: { type: 'string', default: '1' },
    for: { type: 'string' },
    with: { type: 'string', default: '' },
    edges: { type: 'string', default: '1' },
    replicas: { type: 'string', default: '1' },
    rate: { type: 'string', default: String(RATE_PER_S) },
    stamps: { type: 'string', default: 'spaced' },
    only: { type: 'string', default: FAULTS.join(',') },
    broken: { type: 'string' },
    json: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
  });
  const stores = values.with.split(',').filter(Boolean);
  const unknown = stores.find((s) => STORES[s] === undefined);
  if (unknown !== undefined) throw new GewuError('GEWU_USAGE', `--with ${unknown}: ${Object.keys(STORES).join(', ')} are known`);
  const stamps = values.stamps.split(',').map((name) => {
    const stamp = STAMPS.find((s) => s === name);
    if (stamp === undefined) throw new GewuError('GEWU_USAGE', `--stamps ${name}: ${STAMPS.join(', ')} are known`);
    return stamp;
  });
  const faults = values.only.split(',').map((name) => {
    const fault = FAULTS.find((f) => f === name);
    if (fault === undefined) throw new GewuError('GEWU_USAGE', `--only ${name}: ${FAULTS.join(', ')} are known`);
    return fault;
  });
  const { broken } = values;
  const module = broken === undefined ? [] : BROKEN[broken];
  if (module === undefined) throw new GewuError('GEWU_USAGE', `--broken ${broken}: ${Object.keys(BROKEN).join(', ')} are known`);
  const kills = parseInteger('kills', values.kills, 1, 10_000);
  const replicas = parseInteger('replicas', values.replicas, 1, 8);
  if (replicas > 1 && stores.length < 3)
    throw new GewuError('GEWU_USAGE', '--replicas: several need --with influxdb,postgres,mosquitto');
  return {
    seed: parseInteger('seed', values.seed, 0, 2 ** 31),
    kills,
    intervalMs: values.for === undefined ? INTERVAL_MS : (parseDurationS(values.for) * 1000) / kills,
    edges: parseInteger('edges', values.edges, 1, 8),
    replicas,
    influxdb: stores.includes('influxdb'),
    postgres: stores.includes('postgres'),
    mosquitto: stores.includes('mosquitto'),
    ratePerS: parseInteger('rate', values.rate, 1, 100_000),
    stamps,
    only: (targets) =>
      Object.fromEntries(Object.entries(targets).filter(([name]) => name === 'kill' || faults.some((f) => f === name))),
    edgeImports: typeof module === 'string' ? [module] : module,
    json: values.json,
    keep: values.keep,
    needs: stores.map((s) => STORES[s] as Program),
  };
}

/** Aborted by the first Ctrl-C or SIGTERM; a second one ends everything at once. */
function interruption(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => {
      process.once(signal, () => process.exit(130));
      controller.abort();
    });
  return controller.signal;
}

export const chaos: Command = {
  name: 'chaos',
  summary: 'hurt a small city in every way and count what was lost',
  usage: `usage: gewu chaos [--kills 50] [--seed N] [--json] [--with influxdb,postgres,mosquitto] [--replicas 2] [--edges 2]
                  [--for 4m] [--rate ${RATE_PER_S}] [--stamps ${STAMPS.join(',')}]
                  [--only FAULT,...] [--broken unique-key] [--keep]

Starts edges, centres, brokers and stores, lets sensors publish, kills and hurts everything by a schedule that follows
from the seed, and compares what the devices saw acknowledged with what the stores hold. docs/chaos.md says more.
Exit status 1 when anything is lost, stored twice or unexpected, or fewer than 2,000 records a second are acknowledged.
  --kills    SIGKILLs; another fault happens between each two
  --for      the time that they are spread over (default: ${INTERVAL_MS / 1000} s a kill)
  --with     real stores and broker instead of the embedded ones, installed from Debian's packages when missing
  --stamps   how devices keep time: 10 ms apart, in consecutive ms, in whole seconds
  --only     these faults beside the kills: ${FAULTS.filter((f) => f !== 'kill').join(', ')}
  --broken   breaks the product on purpose: the run must fail
  --keep     leaves files, logs and data`,
  async run(args) {
    const { json, keep, needs, ...options } = readFlags(args);
    await ensurePrograms(needs);
    const signal = interruption();
    const dir = await mkdtemp(join(tmpdir(), 'gewu-chaos-'));
    try {
      const { verdict, examples } = await runChaos({ ...options, dir, say, signal });
      if (json) print(JSON.stringify(verdict));
      else say(JSON.stringify(verdict, null, 2));
      for (const example of examples) say(`gewu chaos: ${example}`);
      const missed = shortfalls(verdict, { killsWanted: options.kills });
      for (const what of missed) say(`gewu chaos: missed: ${what}`);
      return missed.length === 0 ? 0 : 1;
    } catch (error) {
      if (!signal.aborted) throw error;
      say('gewu chaos: interrupted; everything has ended');
      return INTERRUPTED;
    } finally {
      if (keep) say(`gewu chaos: files, logs and data are in ${dir}`);
      else await rm(dir, { recursive: true, force: true });
    }
  },
};
