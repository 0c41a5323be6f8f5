import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { GewuError } from '#service/mod.ts';
import { createSchedule, type ScheduledFault, type Targets } from '#simulators/mod.ts';
import { addUp, type Comparison, compareDevice, Ledger } from '#simulators/report/mod.ts';
import { ChaosCity } from './city.ts';
import { Injector } from './injector.ts';
import { Load } from './load.ts';
import { planSite, type Stamp } from './site.ts';
import { deadLetters, readCases, readEvents, samplesFromApi, samplesFromInfluxdb } from './stored.ts';
import { type ChaosVerdict, compareAlarms } from './verdict.ts';

export interface ChaosOptions {
  /** Empty; logs and data go there. */
  dir: string;
  seed: number;
  kills: number;
  intervalMs: number;
  edges: number;
  replicas: number;
  influxdb: boolean;
  postgres: boolean;
  mosquitto: boolean;
  /** Samples a second of all devices. */
  ratePerS: number;
  /** Covers that are opened; as many as kills when left out. */
  alarms?: number;
  /** How some of the devices keep time. */
  stamps: readonly Stamp[];
  /** Loaded into every edge before our code. */
  edgeImports?: readonly string[];
  /** Makes fewer of the targets: what a test wants to see. */
  only?: (targets: Targets) => Targets;
  say(text: string): void;
  /** Ends the run early, without a verdict: its reason is thrown when everything has ended. */
  signal?: AbortSignal;
}

const GATEWAYS = 2;
const DEVICES_PER_GATEWAY = 12;
const ALARMS_MAX = 50;
/** Alarms begin in this part of the schedule: each is then said for 20 s. */
const STAGED_SHARE = 0.7;
/** After the last fault: everything is up again, alarms are said to their end, and the last sample is acknowledged. */
const RECOVER_MS_MAX = 60_000;
const SETTLE_MS_MAX = 90_000;
const ACK_MS_MAX = 60_000;
const DRAIN_MS_MAX = 120_000;
const STATUS_MS = 10_000;

export interface ChaosResult {
  verdict: ChaosVerdict;
  /** The first few records that are lost, double or unexpected. */
  examples: string[];
}

/** Starts the city, hurts it by the schedule under load, lets it recover, and compares the devices' ledger with the stores. */
export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  const { dir, seed, kills, intervalMs, edges, say, signal } = options;
  const began = performance.now();
  const log = (entry: object) => appendFileSync(join(dir, 'chaos.log'), `${JSON.stringify({ at: Date.now(), ...entry })}\n`);
  let crashes = 0;
  const alarms = options.alarms ?? Math.min(ALARMS_MAX, kills);
  const sites = planSite({ edges, gateways: GATEWAYS, devicesPerGateway: DEVICES_PER_GATEWAY, alarms, stamps: options.stamps });
  const city = new ChaosCity({
    ...options,
    sites,
    edgeImports: options.edgeImports ?? [],
    onCrash(name, code) {
      crashes++;
      log({ crash: name, code });
      say(`gewu chaos: ${name} ended by itself with ${code}; see ${dir}/logs/${name}.log`);
    },
  });
  const ledger = new Ledger();
  let load: Load | undefined;
  try {
    await city.start();
    signal?.throwIfAborted();
    const targets = options.only?.(city.targets()) ?? city.targets();
    const schedule = createSchedule({
      seed,
      kills,
      intervalMs,
      targets,
      answersOn: city.answersOn(),
      relievedOn: city.relievedOn(),
    });
    say(`gewu chaos: the city runs; ${schedule.length} faults in ${Math.round((kills * intervalMs) / 1000)} s, seed ${seed}`);
    const gateways = sites.flatMap((site) => {
      const port = city.edges.find((e) => e.name === site.edge)?.devicePort ?? 0;
      return site.gateways.map((g) => ({ ...g, port }));
    });
    load = new Load({ ledger, gateways, ratePerS: options.ratePerS, stageMs: STAGED_SHARE * kills * intervalMs });
    load.start();
    const injector = await inject({ city, load, ledger, schedule, log, options });
    signal?.throwIfAborted();
    await city.untilReady(RECOVER_MS_MAX);
    await settle(load, signal);
    if (!(await load.finish(ACK_MS_MAX, signal)))
      say(`gewu chaos: ${load.pending} messages have no PUBACK after ${ACK_MS_MAX / 1000} s`);
    const drainS = await drain(city, options);
    const { readings, alarmsFound } = await compare(city, load, ledger, sites);
    const { lost, duplicated, unexpected, examples } = addUp([readings, { stored: 0, ...alarmsFound.comparison }]);
    const verdict: ChaosVerdict = {
      kills: injector.kills,
      faults: injector.done.length,
      acked: ledger.acked,
      stored: readings.stored,
      lost,
      duplicated,
      unexpected,
      seed,
      ...load.rates(),
      alarms: load.alarms.truth.length,
      events: alarmsFound.events,
      cases: alarmsFound.cases,
      crashes,
      byFault: countBy(injector.done, (d) => d.fault),
      leftOut: city.smallDisks ? [] : ['disk-full: mounting a small tmpfs needs root'],
      drainS,
      totalS: Math.round((performance.now() - began) / 1000),
    };
    log({ verdict, examples, starved: load.starved });
    return { verdict, examples };
  } finally {
    load?.close();
    await city.stop();
  }
}

interface Injection {
  city: ChaosCity;
  load: Load;
  ledger: Ledger;
  schedule: readonly ScheduledFault[];
  log(entry: object): void;
  options: ChaosOptions;
}

async function inject({ city, load, ledger, schedule, log, options }: Injection): Promise<Injector> {
  const { signal, say } = options;
  const injector = new Injector({ city, schedule, onFault: (fault) => log(fault) });
  const stop = () => injector.stop();
  if (signal?.aborted) stop();
  signal?.addEventListener('abort', stop, { once: true });
  const status = setInterval(() => {
    const { ackedPerS, loadS } = load.rates();
    say(
      `gewu chaos: ${Math.round(loadS)} s, ${injector.done.length} of ${schedule.length} faults, ` +
        `${ledger.acked} acknowledged (${ackedPerS}/s), ${load.pending} messages wait`,
    );
  }, STATUS_MS);
  try {
    await injector.run();
  } finally {
    clearInterval(status);
    signal?.removeEventListener('abort', stop);
  }
  return injector;
}

/** Alarms that began are said until nobody can have missed them. */
async function settle(load: Load, signal: AbortSignal | undefined): Promise<void> {
  const deadline = performance.now() + SETTLE_MS_MAX;
  while (!load.alarms.settled && performance.now() < deadline) await pause(200, undefined, { signal });
}

/** Seconds until no outbox holds a reading or an event. */
async function drain(city: ChaosCity, { say, signal }: ChaosOptions): Promise<number> {
  const began = performance.now();
  const seconds = () => Math.round((performance.now() - began) / 100) / 10;
  for (;;) {
    const left = await Promise.all(city.edges.map((edge) => waiting(edge.probesUrl)));
    if (left.every((n) => n === 0)) return seconds();
    if (performance.now() - began > DRAIN_MS_MAX) {
      say(`gewu chaos: outboxes still hold ${left.join(' + ')} records after ${DRAIN_MS_MAX / 1000} s`);
      return seconds();
    }
    await pause(200, undefined, { signal });
  }
}

/** Readings and events in an edge's outbox; NaN while it does not answer. */
async function waiting(probesUrl: string): Promise<number> {
  const text = await fetch(`${probesUrl}/metrics`, { signal: AbortSignal.timeout(2_000) }).then(
    (r) => r.text(),
    () => '',
  );
  const lane = (name: string) => Number(new RegExp(`^gewu_outbox_records\\{lane="${name}"\\} (\\d+)`, 'm').exec(text)?.[1]);
  return lane('readings') + lane('events');
}

async function compare(city: ChaosCity, load: Load, ledger: Ledger, sites: ReturnType<typeof planSite>) {
  const [api] = city.apis;
  if (api === undefined) throw new GewuError('GEWU_INTERNAL', 'there is no centre');
  const read = city.influxdbUrl === null ? samplesFromApi(api, load.startedAt) : samplesFromInfluxdb(city.influxdbUrl);
  const parts: Comparison[] = [];
  for (const { id, salt } of sites.flatMap((s) => s.gateways.flatMap((g) => [...g.load, ...g.alarms])))
    parts.push(compareDevice(ledger, id, await read(id, salt)));
  const readings = addUp(parts);
  for (const { hop, code, count } of await deadLetters(api)) {
    readings.unexpected += count;
    readings.examples.push(`unexpected dead letters: ${count} ${code} at ${hop}`);
  }
  const [events, cases] = await Promise.all([readEvents(api), readCases(api)]);
  const comparison = compareAlarms(load.alarms.truth, { events, cases });
  return { readings, alarmsFound: { comparison, events: events.length, cases: cases.length } };
}

function countBy<T>(items: readonly T[], keyOf: (item: T) => string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const item of items) counts[keyOf(item)] = (counts[keyOf(item)] ?? 0) + 1;
  return counts;
}
