import { setTimeout as pause } from 'node:timers/promises';
import type { Case } from '#grid/mod.ts';
import type { PlayedCity } from '../city/mod.ts';
import { compareEvents, type EventCounts, Ledger } from '../report/mod.ts';
import { ownPart, type Staged, type StagedFault, stageScenario } from '../scenarios/mod.ts';
import { type ApiClient, storedEvents } from '../target/mod.ts';
import type { DeviceTable } from '../world/mod.ts';
import { Agenda } from './agenda.ts';
import type { Acknowledged, Carrier, CarrierHooks } from './carrier.ts';
import { createCarrier } from './create_carrier.ts';
import { EdgeEvents } from './events.ts';
import { KeptReadings } from './kept.ts';
import type { LoadOptions, LoadProgress } from './options.ts';
import { RunClock } from './run_clock.ts';
import { Schedule } from './schedule.ts';
import { Scope } from './scope.ts';
import { Speech } from './speech.ts';
import { Tally } from './tally.ts';
import { ToldIncidents } from './told.ts';

const TICK_MS = 10;
/** Samples of one tick, at most: what is left comes with the next, and its lag says so. */
const PER_TICK_MAX = 5_000;
/** To connect: this, and as long as so many a second need. */
const CONNECT_MS_MIN = 120_000;
const CONNECT_PER_S_MIN = 250;
const DRAIN_MS_MAX = 60_000;
const PROBE_MS = 50;
const CLOCK_BACK_MS = 600_000;
/** Numbers of devices are 32 bits: a run in each second of an hour has a million of its own. */
const NUMBERS = { runs: 4_000, perRun: 1_000_000 } as const;
/** Nought is where all others begin. */
const firstNumber = () => (1 + (Math.floor(Date.now() / 1000) % NUMBERS.runs)) * NUMBERS.perRun;

/**
 * A generator: makes each sample when it is due by the schedule, whatever the target does, and hands it to a carrier.
 *
 *   schedule --due--> world.sample --> ledger --> carrier --> target
 *                                                   |
 *              tally, ledger <------ acknowledged --+
 */
export class LoadRun {
  readonly #options: LoadOptions;
  readonly scope: Scope;
  readonly ledger = new Ledger();
  readonly tally: Tally;
  readonly told: ToldIncidents;
  readonly staged: Staged;
  /** Of some devices, what they said value by value. */
  readonly kept: KeptReadings;
  readonly #schedule: Schedule;
  readonly #carrier: Carrier;
  readonly #events: EdgeEvents | null;
  readonly #agenda = new Agenda(TICK_MS);
  readonly #clock: RunClock;
  readonly #speech: Speech;
  /** Devices whose secret is not valid for a time. */
  readonly #expired: ReadonlyMap<number, StagedFault>;
  phase: LoadProgress['phase'] = 'connecting';
  interrupted = false;
  #next = 0;
  #stopping = false;
  #apiFailures = 0;

  /** Throws RangeError where scenario and city do not fit together. */
  constructor(options: LoadOptions) {
    this.#options = options;
    const { scenario, target, seed, part } = options;
    if (scenario.as === 'edges' && scenario.faults.length > 0)
      throw new RangeError('faults are those of devices: whole edges have none');
    const stagesS = scenario.stages.reduce((sum, s) => sum + s.forS, 0);
    const durationS = options.durationS ?? stagesS;
    this.#clock = new RunClock(durationS, scenario.world.hours);
    this.scope = new Scope(options);
    const { city, table, devices, everyone } = this.scope;
    // Whole edges tell what they were told to tell: nobody looks at cameras then.
    const cameraEdges = scenario.as === 'edges' ? new Set<string>() : this.scope.cameraEdges;
    const stretch = durationS / stagesS;
    this.#schedule = new Schedule(
      scenario.stages.map(({ kind, forS, perDevicePerMin }) => ({
        kind,
        forS: forS * stretch,
        perS: (perDevicePerMin * devices.length) / 60,
      })),
    );
    this.kept = new KeptReadings(devices, this.#schedule.count / devices.length);
    // What goes wrong is staged once over all parts of a run; each plays what is of its own devices.
    const staging = { scenario, city, table, devices: everyone, seed, durationS, profile: target.profile, cameraEdges };
    this.staged = ownPart(stageScenario(staging), new Set(devices));
    this.tally = new Tally(scenario);
    const run = `sim${Date.now().toString(36)}p${part.number}`;
    this.#events = scenario.as === 'edges' ? new EdgeEvents(this.table, run) : null;
    this.told = new ToldIncidents(this.staged.incidents, { atOnce: this.#events !== null });
    this.#expired = new Map(this.staged.faults.flatMap((f) => (f.what === 'expired' ? [[f.device, f] as const] : [])));
    this.#carrier = createCarrier({ options, scope: this.scope, hooks: this.#hooks(), epoch: run });
    const { staged, ledger, tally, told } = this;
    this.#speech = new Speech({
      ...{ scenario, staged, table, ledger, tally, told, kept: this.kept },
      firstNumber: firstNumber(),
      clock: this.#clock,
      agenda: this.#agenda,
      carrier: this.#carrier,
      events: this.#events,
    });
  }

  get durationS(): number {
    return this.#clock.durationS;
  }

  /** UTC ms; 0 before. */
  get startedAt(): number {
    return this.#clock.startedAt;
  }

  get endedAt(): number {
    return this.#clock.endedAt;
  }

  /** Samples whose time has come so far. */
  get due(): number {
    return this.ledger.sent;
  }

  get city(): PlayedCity {
    return this.scope.city;
  }

  get table(): DeviceTable {
    return this.scope.table;
  }

  /** Numbers of the devices that it plays. */
  get devices(): readonly number[] {
    return this.scope.devices;
  }

  get clients(): number {
    return this.#options.scenario.as === 'devices' ? this.devices.length : this.scope.edges.size;
  }

  /** Edges under test that it speaks to, by number: none where it is the edges itself. */
  get edges(): ReadonlyMap<number, string> {
    return this.#options.scenario.as === 'edges' ? new Map() : this.scope.edges;
  }

  /** Cameras that it plays. */
  get cameras(): number {
    return this.staged.cameras.views.reduce((sum, v) => sum + v.cameras.length, 0);
  }

  /** Whether a case is of what this run plays. */
  get judges(): (found: Case) => boolean {
    return this.scope.judges(this.cameras > 0);
  }

  /** What became of the events that it told as whole edges; null where it leaves that to the edges under test. Throws GEWU_STORE_UNAVAILABLE. */
  async eventsToldBy(api: ApiClient): Promise<EventCounts | null> {
    const events = this.#events;
    if (events === null) return null;
    const stored = await storedEvents(api, { since: this.startedAt });
    const own = stored.filter(({ record }) => events.knows(record.subject));
    return compareEvents(events.told, own, this.#options.scenario.lateMs);
  }

  /** Connections that can come up. */
  get connectable(): number {
    return this.clients - [...this.#expired.values()].filter((f) => f.fromS === 0).length;
  }

  /**
   * A device whose clock is behind says things of the time before the run, where readings of an earlier run may stand: its
   * numbers begin behind `first`, elsewhere in each run, and what it said may lie `backMs` before the run.
   */
  numberingOf(device: number): { first: number; backMs: number } {
    const first = this.#speech.firstOf(device);
    return { first, backMs: first === 0 ? 0 : CLOCK_BACK_MS };
  }

  /** The farthest of them. */
  get clockBackMs(): number {
    return this.devices.reduce((most, i) => Math.max(most, this.numberingOf(i).backMs), 0);
  }

  get carried() {
    return this.#carrier.stats;
  }

  get progress(): LoadProgress {
    const { connected, pending, refused, dropped, resent } = this.#carrier.stats;
    const last = this.tally.curve.at(-1);
    return {
      phase: this.phase,
      atS: this.#clock.started ? Math.min(this.durationS, this.#clock.at(performance.now())) : 0,
      durationS: this.durationS,
      due: this.due,
      acked: this.tally.acked,
      perS: last?.acked ?? 0,
      pending,
      connected,
      clients: this.clients,
      errors: { refused, dropped, resent, api: this.#apiFailures },
      lagMs: last?.lagMsMax ?? 0,
    };
  }

  /** Connects, plays the scenario, waits for what is under way. `connected` is called when all are connected and the load begins. */
  async run(connected: () => void = () => undefined, restMs = 0): Promise<void> {
    const ticking = setInterval(() => this.#tick(), TICK_MS);
    try {
      const deadline = performance.now() + CONNECT_MS_MIN + (this.clients / CONNECT_PER_S_MIN) * 1000;
      while (!this.#stopping && this.#carrier.stats.connected < this.connectable && performance.now() < deadline)
        await pause(PROBE_MS);
      for (const since = performance.now(); !this.#stopping && performance.now() - since < restMs; ) await pause(PROBE_MS);
      this.#clock.start();
      this.phase = 'load';
      connected();
      while (!this.#stopping && this.phase === 'load') await pause(PROBE_MS);
      this.phase = 'draining';
      const drainMs = this.interrupted ? DRAIN_MS_MAX / 12 : DRAIN_MS_MAX;
      const since = performance.now();
      while (this.#carrier.stats.pending > 0 && performance.now() - since < drainMs) await pause(PROBE_MS);
      this.phase = 'over';
      this.#clock.endedAt = Date.now();
    } finally {
      clearInterval(ticking);
      this.#carrier.close();
    }
  }

  /** The API did not answer a question in time. */
  apiFailed(): void {
    this.#apiFailures++;
  }

  /** Ends the load early; what is under way is still waited for. */
  stop(): void {
    this.interrupted = true;
    this.#stopping = true;
  }

  #hooks(): CarrierHooks {
    return {
      acked: (sample, nowMs) => this.#acked(sample, nowMs),
      eventAcked: (event) => this.#events?.acknowledged(event),
      reachable: (device) =>
        this.phase !== 'load' || this.staged.world.reachable(device, this.#clock.hourOf(this.#clock.at(this.#clock.nowMs))),
      expired: (device) => {
        const span = this.#expired.get(device);
        if (span === undefined) return false;
        const atS = this.#clock.started ? this.#clock.at(this.#clock.nowMs) : 0;
        return atS >= span.fromS && atS < span.toS;
      },
    };
  }

  #acked(sample: Acknowledged, nowMs: number): void {
    // Of what was no sample, nothing but its time counts.
    if (sample.seq > 0) {
      const number = sample.seq - this.#speech.firstOf(sample.device);
      this.ledger.ack(this.#speech.id(sample.device), number, number);
    }
    this.tally.acknowledged(sample, nowMs);
  }

  #tick(): void {
    const clock = this.#clock;
    const beforeS = clock.at(clock.nowMs);
    clock.nowMs = performance.now();
    const nowS = clock.at(clock.nowMs);
    if (this.phase === 'load') this.#play(beforeS, nowS);
    this.#carrier.tick(clock.nowMs);
    const second = clock.started ? Math.floor(nowS) : 0;
    if (second > (this.tally.curve.at(-1)?.atS ?? 0)) this.tally.turn(second, this.#carrier.stats);
  }

  /** What is due between two moments of the run. */
  #play(beforeS: number, nowS: number): void {
    const due = this.#schedule.dueBy(nowS);
    for (let n = 0; this.#next < due && n < PER_TICK_MAX; n++, this.#next++) {
      const device = this.devices[this.#next % this.devices.length] as number;
      this.#speech.sample(device, this.#schedule.timeOf(this.#next));
    }
    this.#agenda.playTo(nowS * 1000);
    for (const storm of this.staged.storms) if (storm <= nowS && storm > beforeS) this.#carrier.storm();
    // Whoever is let in is so until it comes again: what expires is found out with the next connection.
    for (const { device, fromS } of this.#expired.values()) if (fromS <= nowS && fromS > beforeS) this.#carrier.cut(device);
    if (this.#next >= this.#schedule.count && nowS >= this.durationS) this.phase = 'draining';
  }
}
