import { access, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { GewuError } from '#service/mod.ts';
import { seededSecrets } from '#simulators/city/mod.ts';
import {
  type LoadProgress,
  LoadRun,
  type LoadTarget,
  loadInventory,
  type PlayOptions,
  playScenario,
  targetOfPlan,
} from '#simulators/load/mod.ts';
import { loadCityPlan } from '#simulators/mod.ts';
import { Histogram, judgeRun, type RunReport, reportHtml } from '#simulators/report/mod.ts';
import { loadScenario, shippedScenario } from '#simulators/scenarios/mod.ts';
import { ApiClient } from '#simulators/target/mod.ts';
import { madeDir, parseDurationS, parseFlags, parseInteger, print, say } from '../command.ts';

export const RUN_USAGE = `gewu simulate run SCENARIO --city DIR | --inventory FILE [--target URL] [--for 10m] [--seed N] [--as devices|edges]
                           [--edges edge-01,edge-02] [--part 1/2] [--report DIR] [--json]`;

const PROGRESS_MS = 1_000;
/** Lines of one kind about what is wrong; the report has all. */
const SHOWN_MAX = 20;
/** Exit status of a run that was left by a second Ctrl-C, and how long it may take to put things back. */
const INTERRUPTED = 130;
const LEAVE_MS_MAX = 15_000;
/** Of an installation that has none of its own: what goes wrong follows from it. */
const INVENTORY_SEED = 7;

/** A shipped scenario by its name, or a file. */
async function scenarioFile(name: string): Promise<string> {
  const shipped = shippedScenario(name);
  return access(shipped).then(
    () => shipped,
    () => resolve(name),
  );
}

function partOf(text: string): { number: number; of: number } {
  const m = /^(\d{1,3})\/(\d{1,3})$/.exec(text);
  const [number, of] = [Number(m?.[1]), Number(m?.[2])];
  if (!(number >= 1 && number <= of)) throw new GewuError('GEWU_USAGE', `--part ${text}: like 1/2`);
  return { number, of };
}

const text = { type: 'string' } as const;
/** What says which scenario is played on what. */
export const TARGET_FLAGS = {
  city: text,
  inventory: text,
  target: text,
  for: text,
  seed: text,
  as: text,
  edges: text,
  part: text,
  json: { type: 'boolean', default: false },
} as const;
type TargetValues = { [name in 'city' | 'inventory' | 'target' | 'for' | 'seed' | 'as' | 'edges' | 'part']?: string | undefined };

function targetOf(text: string): URL {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol))
    throw new GewuError('GEWU_USAGE', `--target ${text}: the address of a centre is wanted, like http://10.0.0.5:20080`);
  return url;
}

/** What is played on: a city from a seed, or an installation that somebody describes. */
interface Chosen {
  target: LoadTarget;
  apiUrl: URL;
  token: string;
  seed: number;
}

async function cityAt(dir: string, url: string | undefined): Promise<Chosen> {
  const plan = await loadCityPlan(join(resolve(dir), 'city.yaml'));
  const apiUrl = targetOf(url ?? `http://${plan.host}:${plan.ports.api}`);
  const { seed } = plan.district;
  return { target: targetOfPlan(plan, apiUrl.hostname), apiUrl, token: seededSecrets(seed).token('ops'), seed };
}

async function installationOf(file: string, url: string | undefined): Promise<Chosen> {
  if (url === undefined) throw new GewuError('GEWU_USAGE', '--target URL is needed: the address of the centre');
  const { token, ...target } = await loadInventory(resolve(file));
  return { target, apiUrl: targetOf(url), token, seed: INVENTORY_SEED };
}

function chosenBy({ city, inventory, target }: TargetValues): Promise<Chosen> {
  if (city !== undefined && inventory !== undefined) throw new GewuError('GEWU_USAGE', 'one of --city and --inventory is wanted');
  if (city !== undefined) return cityAt(city, target);
  if (inventory !== undefined) return installationOf(inventory, target);
  throw new GewuError(
    'GEWU_USAGE',
    'nobody can speak for devices without their secrets: --city DIR, which `gewu simulate city` made, or --inventory FILE, which names the edges of any installation with their site files and brokers (docs/simulators.md, "Any installation")',
  );
}

/** Reads scenario and city or inventory. Throws GEWU_USAGE, GEWU_CONFIG_UNREADABLE, GEWU_CONFIG_INVALID. */
export async function optionsOf(name: string, values: TargetValues): Promise<PlayOptions> {
  if (values.as !== undefined && values.as !== 'devices' && values.as !== 'edges')
    throw new GewuError('GEWU_USAGE', `--as ${values.as}: devices or edges is wanted`);
  const [scenario, { target, apiUrl, token, seed }] = await Promise.all([
    scenarioFile(name).then(loadScenario),
    chosenBy(values),
  ]);
  return {
    scenario: { ...scenario, ...(values.as === undefined ? {} : { as: values.as }) },
    target,
    durationS: values.for === undefined ? undefined : parseDurationS(values.for),
    seed: values.seed === undefined ? seed : parseInteger('seed', values.seed, 0, 2 ** 32 - 1),
    part: partOf(values.part ?? '1/1'),
    edges: values.edges?.split(','),
    api: new ApiClient(apiUrl.origin, token),
  };
}

/** Plays a scenario against an installation, and writes what came of it. Exit status 1 when a threshold is missed. */
export async function run(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseFlags(args, { ...TARGET_FLAGS, report: text }, 1);
  const [name] = positionals;
  if (name === undefined) throw new GewuError('GEWU_USAGE', 'a scenario is needed');
  const options = await optionsOf(name, values);
  // A run should not find out at its end that it cannot be written.
  if (values.report !== undefined) await madeDir('report', values.report);
  return tell(await play(options), { dir: values.report, json: values.json });
}

/** With progress on stderr; Ctrl-C ends the load, and the report is valid. Throws GEWU_USAGE. */
export async function play(options: PlayOptions): Promise<RunReport> {
  let load: LoadRun;
  try {
    load = new LoadRun(options);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new GewuError('GEWU_USAGE', `scenario and city do not fit together: ${error.message}`, { cause: error });
  }
  if (options.whenShown === undefined && !(await options.api.ready()))
    throw new GewuError(
      'GEWU_USAGE',
      `no centre is ready at ${options.api.url}: start the installation, or say where it is with --target`,
    );
  const abandon = new AbortController();
  const leave = () => {
    say('gewu: leaving without a report; what was changed at the target is put back (again: exits at once)');
    process.once('SIGINT', () => process.exit(INTERRUPTED));
    setTimeout(() => process.exit(INTERRUPTED), LEAVE_MS_MAX).unref();
    abandon.abort(new GewuError('GEWU_USAGE', 'interrupted'));
  };
  const interrupt = () => {
    process.once('SIGINT', leave);
    say('gewu: stopping; what is under way is waited for (again: leaves without a report)');
    load.stop();
  };
  process.once('SIGINT', interrupt);
  process.once('SIGTERM', interrupt);
  const progress = setInterval(() => show(load.progress), PROGRESS_MS);
  try {
    return await playScenario(load, { ...options, abandon: abandon.signal });
  } catch (error) {
    if (abandon.signal.aborted) process.exit(INTERRUPTED);
    throw error;
  } finally {
    clearInterval(progress);
    for (const listener of [interrupt, leave]) process.off('SIGINT', listener);
    process.off('SIGTERM', interrupt);
  }
}

/** A run as one line: how far, how fast, what goes wrong, how late. */
export function progressLine(p: LoadProgress): string {
  const left = Math.max(0, Math.round(p.durationS - p.atS));
  const { refused, dropped, resent, api } = p.errors;
  const errors = `errors: refused ${refused}, dropped ${dropped}, resent ${resent}, api ${api}`;
  return `${p.phase.padEnd(10)} ${left} s left | due ${p.due} acked ${p.acked} (${p.perS}/s) | pending ${p.pending} | connected ${p.connected} of ${p.clients} | ${errors} | lag ${p.lagMs} ms`;
}

/** In place on a terminal, otherwise a line every ten seconds. */
let lines = 0;
function show(progress: LoadProgress): void {
  const line = progressLine(progress);
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[2K${line}`);
  else if (lines++ % 10 === 0) say(line);
}

/** Writes and prints a report; the exit status. */
export async function tell(report: RunReport, { dir, json }: { dir: string | undefined; json: boolean }): Promise<number> {
  const verdict = judgeRun(report);
  if (dir !== undefined) {
    const folder = await madeDir('report', dir);
    await writeFile(join(folder, 'report.json'), JSON.stringify({ ...report, verdict }));
    await writeFile(join(folder, 'report.html'), reportHtml(report));
    say(`gewu: ${join(folder, 'report.html')}`);
  }
  const ack = Histogram.of(report.latencies.ack);
  const short = {
    scenario: report.scenario,
    passed: verdict.passed,
    valid: verdict.valid,
    interrupted: report.interrupted,
    readings: report.readings,
    events: { ...report.events, notes: report.events.notes.slice(0, SHOWN_MAX) },
    content: { ...report.content, examples: report.content.examples.slice(0, SHOWN_MAX) },
    incidents: verdict.incidents,
    cameraIncidents: verdict.cameraIncidents,
    ackMs: { p50: ack.percentile(0.5), p99: ack.percentile(0.99), max: ack.max },
    checks: verdict.checks,
  };
  if (json) print(JSON.stringify(short));
  else say(JSON.stringify(short, null, 2));
  for (const { name, limit, measured } of verdict.checks.filter((c) => !c.holds))
    say(`gewu: missed: ${name} is ${measured ?? 'not measured'}, the limit is ${limit}`);
  const repeats = report.incidents.filter((i) => i.outcome === 'repeat').length;
  if (!verdict.passed && repeats > 0)
    say(`gewu: ${repeats} incidents repeat cases that were open before the run: close those, or stage others with --seed`);
  for (const { device, seq, ts, field, sent, stored } of report.content.examples.slice(0, SHOWN_MAX))
    say(`gewu: altered ${device} ${seq} of ${new Date(ts).toISOString()}: ${field} was sent as ${sent}, is stored as ${stored}`);
  for (const note of report.events.notes.slice(0, SHOWN_MAX)) say(`gewu: events: ${note}`);
  for (const { which } of report.trouble.slice(0, SHOWN_MAX)) say(`gewu: ${which.join('; ')}`);
  return verdict.passed ? 0 : 1;
}
