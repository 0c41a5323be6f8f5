import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { GewuError } from '#service/mod.ts';
import { CaseWatch } from '#simulators/target/mod.ts';
import { type Command, parseDurationS, parseFlags, parseInteger, print, say } from '../command.ts';
import { ensurePrograms } from '../programs.ts';
import { casesWithEvidence } from './evidence.ts';
import { CityLife } from './life.ts';
import { demoPeople } from './people.ts';
import { DemoCity } from './run.ts';
import { cameraSums, StatusLine } from './status.ts';
import { compare, judge, shortfalls, type Verdict } from './verdict.ts';

const STATUS_MS = 1000;
/** After the end of the script: what is on its way may arrive. */
const SETTLE_MS_MAX = 20_000;
/** A run of this length stages all that the thresholds ask for, seconds. */
const FULL_S = 90;
/** Without --for the script is this long, then the city goes on without incidents. */
const OPEN_END_S = 3600;

interface Flags {
  forS: number | null;
  json: boolean;
  influxdb: boolean;
  postgres: boolean;
  seed: number;
  dir: string;
  apiPort: number | null;
}

function readFlags(args: readonly string[]): Flags {
  const { values } = parseFlags(args, {
    for: { type: 'string' },
    json: { type: 'boolean', default: false },
    with: { type: 'string', default: '' },
    seed: { type: 'string', default: '7' },
    dir: { type: 'string', default: '.gewu/demo' },
    port: { type: 'string' },
  });
  const stores = values.with.split(',').filter(Boolean);
  const unknown = stores.find((s) => s !== 'influxdb' && s !== 'postgres');
  if (unknown !== undefined) throw new GewuError('GEWU_USAGE', `--with ${unknown}: influxdb and postgres are known`);
  return {
    forS: values.for === undefined ? null : parseDurationS(values.for),
    json: values.json,
    influxdb: stores.includes('influxdb'),
    postgres: stores.includes('postgres'),
    seed: parseInteger('seed', values.seed, 0, 2 ** 31),
    dir: join(process.cwd(), values.dir),
    apiPort: values.port === undefined ? null : parseInteger('port', values.port, 1, 65_535),
  };
}

/** Resolves on the first Ctrl-C or SIGTERM; a second one ends everything at once. */
function interrupted(): Promise<'interrupted'> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const)
      process.once(signal, () => {
        process.once(signal, () => process.exit(130));
        resolve('interrupted');
      });
  });
}

async function runCity(city: DemoCity, flags: Flags, interrupt: Promise<'interrupted'>): Promise<Verdict | null> {
  const began = performance.now();
  await city.start();
  const { startedAt } = await city.startSimulators();
  const watch = new CaseWatch(city.api, startedAt);
  watch.start();
  say(`gewu: the city runs after ${((performance.now() - began) / 1000).toFixed(1)} s`);
  await sayWhereToLook(city, flags.dir);
  // What is measured for a time is left to itself.
  const life = flags.forS === null ? new CityLife({ api: city.api, fail: (what) => city.fail(what) }) : null;
  life?.start();
  const status = new StatusLine({ city, watch, startedAt });
  const printing = setInterval(() => void status.next().then(show, () => undefined), STATUS_MS);
  try {
    const end =
      flags.forS === null
        ? new Promise<never>(() => undefined)
        : pause(startedAt + flags.forS * 1000 - Date.now(), 'over' as const);
    const outcome = await Promise.race([end, interrupt, whenFallen(city)]);
    clearInterval(printing);
    if (process.stderr.isTTY) say('');
    if (outcome === 'fallen') throw new GewuError('GEWU_INTERNAL', city.fallen ?? '');
    if (outcome === 'interrupted') return null;
    return await conclude(city, watch, startedAt, flags.dir);
  } finally {
    clearInterval(printing);
    await life?.stop();
    await watch.stop();
  }
}

/** The console first: a link signs its reader in once, within ten minutes. */
async function sayWhereToLook({ api, installation }: DemoCity, dir: string): Promise<void> {
  const { administrator, apiUrl, token } = installation;
  const people = await demoPeople(api, administrator.name);
  for (const { who, link } of people) say(`  ${who.padEnd(20)} ${link}`);
  say(`  later                ${apiUrl}/   account ${administrator.name}, password ${administrator.password}`);
  say(`  API                  ${apiUrl}/docs   token ${token}`);
  say(`  files                ${dir}`);
}

async function whenFallen(city: DemoCity): Promise<'fallen'> {
  while (city.fallen === null) await pause(200, undefined, { ref: false });
  return 'fallen';
}

/** In place on a terminal, otherwise a line every ten seconds. */
let lines = 0;
function show(line: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[2K${line}`);
  else if (lines++ % 10 === 9) say(line);
}

/** The cameras' sums are read before the simulators end: afterwards no camera is on line. */
async function conclude(city: DemoCity, watch: CaseWatch, startedAt: number, dir: string): Promise<Verdict> {
  const cameras = await cameraSums(city.api);
  const { stats, truth } = await city.finishSimulators();
  const count = async () =>
    (await city.api.get<{ count: number }>(`/api/v1/readings/count?from=${startedAt - 60_000}&to=${Date.now() + 600_000}`)).count;
  const deadline = performance.now() + SETTLE_MS_MAX;
  let stored = await count();
  let cases = await watch.all();
  let withEvidence = await casesWithEvidence(city.api, cases);
  const settled = () => stored >= stats.sensors.acked && cases.every((c) => c.source !== 'camera' || withEvidence.has(c.id));
  while (!settled() && performance.now() < deadline) {
    await pause(250);
    stored = await count();
    cases = await watch.all();
    withEvidence = await casesWithEvidence(city.api, cases);
  }
  const seen = { sent: stats.sensors.produced, stored, truth, cases, readableAt: watch.readableAt, withEvidence, cameras };
  // For whoever wants to know which incident was missed, and why.
  await writeFile(join(dir, 'comparison.json'), JSON.stringify(compare(seen), null, 2));
  return judge(seen);
}

export const demo: Command = {
  name: 'demo',
  summary: 'a small city on this machine: centre, two edges, sensors, cameras',
  usage: `usage: gewu demo [--for 90s] [--json] [--with influxdb,postgres] [--seed N] [--dir DIR] [--port N]

Runs until Ctrl-C, or for a time; then it compares what was staged with the cases that the API returns.
  --for      unattended, for so long; exit status 1 when a threshold is missed
  --json     ends with one JSON line on stdout
  --with     real stores, installed from Debian's packages when missing
  --dir      where files, logs and data go; removed at the next start (default .gewu/demo)
  --port     of the API (default: a free one)`,
  async run(args) {
    const flags = readFlags(args);
    await ensurePrograms([
      'ffmpeg',
      'chineseFont',
      ...(flags.influxdb ? (['influxd'] as const) : []),
      ...(flags.postgres ? (['postgres'] as const) : []),
    ]);
    const interrupt = interrupted();
    const city = new DemoCity({ ...flags, durationS: flags.forS ?? OPEN_END_S });
    let verdict: Verdict | null;
    try {
      verdict = await runCity(city, flags, interrupt);
    } finally {
      await city.stop();
    }
    if (verdict === null) return 0;
    const missed = shortfalls(verdict, { full: (flags.forS ?? 0) >= FULL_S });
    if (flags.json) print(JSON.stringify(verdict));
    else say(JSON.stringify(verdict, null, 2));
    for (const what of missed) say(`gewu: missed: ${what}`);
    say(missed.length === 0 ? 'gewu: every threshold holds' : `gewu: ${missed.length} threshold(s) missed`);
    return missed.length === 0 ? 0 : 1;
  },
};
