import { access, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { GewuError } from '#service/mod.ts';
import { seededSecrets } from '#simulators/city/mod.ts';
import { type LoadProgress, LoadRun, type PlayOptions, playScenario } from '#simulators/load/mod.ts';
import { loadCityPlan } from '#simulators/mod.ts';
import { Histogram, judgeRun, type RunReport, reportHtml } from '#simulators/report/mod.ts';
import { loadScenario, shippedScenario } from '#simulators/scenarios/mod.ts';
import { ApiClient } from '#simulators/target/mod.ts';
import { madeDir, parseDurationS, parseFlags, parseInteger, print, say } from '../command.ts';

export const RUN_USAGE = `gewu simulate run SCENARIO --city DIR [--target URL] [--for 10m] [--seed N] [--as devices|edges]
                           [--edges edge-01,edge-02] [--part 1/2] [--report DIR] [--json]`;

const PROGRESS_MS = 1_000;

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
  target: text,
  for: text,
  seed: text,
  as: text,
  edges: text,
  part: text,
  json: { type: 'boolean', default: false },
} as const;
type TargetValues = { [name in 'city' | 'target' | 'for' | 'seed' | 'as' | 'edges' | 'part']?: string | undefined };

function targetOf(text: string): URL {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol))
    throw new GewuError('GEWU_USAGE', `--target ${text}: the address of a centre is wanted, like http://10.0.0.5:20080`);
  return url;
}

/** Reads scenario and city. Throws GEWU_USAGE, GEWU_CONFIG_UNREADABLE, GEWU_CONFIG_INVALID. */
export async function optionsOf(name: string, values: TargetValues): Promise<PlayOptions> {
  if (values.city === undefined) throw new GewuError('GEWU_USAGE', '--city DIR is needed');
  if (values.as !== undefined && values.as !== 'devices' && values.as !== 'edges')
    throw new GewuError('GEWU_USAGE', `--as ${values.as}: devices or edges is wanted`);
  const [scenario, plan] = await Promise.all([
    scenarioFile(name).then(loadScenario),
    loadCityPlan(join(resolve(values.city), 'city.yaml')),
  ]);
  const target = targetOf(values.target ?? `http://${plan.host}:${plan.ports.api}`);
  return {
    scenario: { ...scenario, ...(values.as === undefined ? {} : { as: values.as }) },
    plan,
    durationS: values.for === undefined ? undefined : parseDurationS(values.for),
    seed: values.seed === undefined ? plan.district.seed : parseInteger('seed', values.seed, 0, 2 ** 32 - 1),
    part: partOf(values.part ?? '1/1'),
    edges: values.edges?.split(','),
    host: target.hostname,
    api: new ApiClient(target.origin, seededSecrets(plan.district.seed).token('ops')),
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
  const interrupt = () => {
    process.once('SIGINT', () => process.exit(130));
    say('gewu: stopping; what is under way is waited for (again: exits at once)');
    load.stop();
  };
  process.once('SIGINT', interrupt);
  process.once('SIGTERM', interrupt);
  const progress = setInterval(() => show(load.progress), PROGRESS_MS);
  try {
    return await playScenario(load, options);
  } finally {
    clearInterval(progress);
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
  }
}

/** In place on a terminal, otherwise a line every ten seconds. */
let lines = 0;
function show(p: LoadProgress): void {
  const left = Math.max(0, Math.round(p.durationS - p.atS));
  const line = `${p.phase.padEnd(10)} ${left} s left | due ${p.due} acked ${p.acked} (${p.perS}/s) | pending ${p.pending} | connected ${p.connected} of ${p.clients}, refused ${p.refused} | lag ${p.lagMs} ms`;
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
    events: report.events,
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
  for (const { which } of report.trouble.slice(0, 20)) say(`gewu: ${which.join('; ')}`);
  return verdict.passed ? 0 : 1;
}
