import { setTimeout as pause } from 'node:timers/promises';
import type { Case } from '#grid/mod.ts';
import type { City } from '../city/mod.ts';
import { FaultyDevice, type Sound } from '../faults/mod.ts';
import { Ledger } from '../report/mod.ts';
import { type Staged, type StagedFault, stageScenario } from '../scenarios/mod.ts';
import type { ApiClient } from '../target/mod.ts';
import type { DeviceTable } from '../world/mod.ts';
import { Agenda } from './agenda.ts';
import type { Acknowledged, Carrier, CarrierHooks } from './carrier.ts';
import { createCarrier } from './create_carrier.ts';
import { EdgeEvents } from './events.ts';
import type { LoadOptions, LoadProgress } from './options.ts';
import { Schedule } from './schedule.ts';
import { Scope } from './scope.ts';
import { Tally } from './tally.ts';
import { type Said, ToldIncidents } from './told.ts';

const TICK_MS = 10;
/** Samples of one tick, at most: what is left comes with the next, and its lag says so. */
const PER_TICK_MAX = 5_000;
const CONNECT_MS_MAX = 120_000;
const DRAIN_MS_MAX = 60_000;
const PROBE_MS = 50;
const CLOCK_BACK_MS = 600_000;
/** Within so long all devices of an incident have noticed it. */
const NOTICED_S = 0.5;
/** What comes late comes before the end all the same. */
const LAST_S = 0.1;

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
  readonly #schedule: Schedule;
  readonly #carrier: Carrier;
  readonly #events: EdgeEvents | null;
  readonly #agenda = new Agenda(TICK_MS);
  readonly #faulty = new Map<number, Omit<StagedFault, 'device'> & { device: FaultyDevice }>();
  /** Devices that have an alarm report planned. */
  readonly #alarmed = new Set<number>();
  readonly #ids = new Map<number, string>();
  readonly durationS: number;
  phase: LoadProgress['phase'] = 'connecting';
  /** UTC ms. */
  startedAt = 0;
  endedAt = 0;
  interrupted = false;
  #startedMs = 0;
  #nowMs = 0;
  #next = 0;
  #stopping = false;

  /** Throws RangeError where scenario and city do not fit together. */
  constructor(options: LoadOptions) {
    this.#options = options;
    const { scenario, plan, seed, part } = options;
    const stagesS = scenario.stages.reduce((sum, s) => sum + s.forS, 0);
    this.durationS = options.durationS ?? stagesS;
    this.scope = new Scope(options);
    const { city, table, devices, cameraEdges } = this.scope;
    const stretch = this.durationS / stagesS;
    this.#schedule = new Schedule(
      scenario.stages.map(({ kind, forS, perDevicePerMin }) => ({
        kind,
        forS: forS * stretch,
        perS: (perDevicePerMin * devices.length) / 60,
      })),
    );
    this.staged = stageScenario({
      scenario,
      city,
      table,
      devices,
      seed,
      durationS: this.durationS,
      profile: plan.profile,
      cameraEdges,
    });
    this.tally = new Tally(scenario);
    const run = `sim${Date.now().toString(36)}p${part.number}`;
    this.#events = scenario.as === 'edges' ? new EdgeEvents(this.table, run) : null;
    this.told = new ToldIncidents(this.staged.incidents, { atOnce: this.#events !== null });
    for (const fault of this.staged.faults) {
      const { what, device: i } = fault;
      const device = new FaultyDevice(what, this.table.kind(i), this.table.seed[i] as number);
      this.#faulty.set(i, { ...fault, device });
    }
    const expired = new Set(this.staged.faults.flatMap((f) => (f.what === 'expired' ? [f.device] : [])));
    this.#carrier = createCarrier({ options, scope: this.scope, hooks: this.#hooks(), expired, epoch: run });
    this.#planExtras();
  }

  /** Samples whose time has come so far. */
  get due(): number {
    return this.ledger.sent;
  }

  get city(): City {
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

  /** Events that edges told, and how many of them the centre has. */
  async countEvents(api: ApiClient): Promise<{ sent: number; stored: number }> {
    const events = this.#events;
    if (events === null) return { sent: 0, stored: 0 };
    let stored = 0;
    for (let cursor: string | null = ''; cursor !== null; ) {
      const more: string = cursor === '' ? '' : `&cursor=${cursor}`;
      const page: { items: { record: { subject: string } }[]; cursor: string | null } = await api.getPatiently(
        `/api/v1/events?since=${this.startedAt}&limit=500${more}`,
      );
      stored += page.items.filter((i) => events.knows(i.record.subject)).length;
      cursor = page.cursor;
    }
    return { sent: events.sent, stored };
  }

  /** Connections that can come up. */
  get connectable(): number {
    return this.clients - this.staged.faults.filter((f) => f.what === 'expired').length;
  }

  /** Device clocks may be so far behind: what they say stands so long before the run. */
  get clockBackMs(): number {
    return this.staged.faults.some((f) => f.what === 'clock-jump') ? CLOCK_BACK_MS : 0;
  }

  get carried() {
    return this.#carrier.stats;
  }

  get progress(): LoadProgress {
    const { connected, pending, refused } = this.#carrier.stats;
    const last = this.tally.curve.at(-1);
    return {
      phase: this.phase,
      atS: this.#startedMs === 0 ? 0 : Math.min(this.durationS, (performance.now() - this.#startedMs) / 1000),
      durationS: this.durationS,
      due: this.due,
      acked: this.tally.acked,
      perS: last?.acked ?? 0,
      pending,
      connected,
      clients: this.clients,
      refused,
      lagMs: last?.lagMsMax ?? 0,
    };
  }

  /** Connects, plays the scenario, waits for what is under way. `connected` is called when all are connected and the load begins. */
  async run(connected: () => void = () => undefined, restMs = 0): Promise<void> {
    const ticking = setInterval(() => this.#tick(), TICK_MS);
    try {
      const deadline = performance.now() + CONNECT_MS_MAX;
      while (!this.#stopping && this.#carrier.stats.connected < this.connectable && performance.now() < deadline)
        await pause(PROBE_MS);
      for (const since = performance.now(); !this.#stopping && performance.now() - since < restMs; ) await pause(PROBE_MS);
      this.startedAt = Date.now();
      this.#startedMs = performance.now();
      this.phase = 'load';
      connected();
      while (!this.#stopping && this.phase === 'load') await pause(PROBE_MS);
      this.phase = 'draining';
      const drainMs = this.interrupted ? DRAIN_MS_MAX / 12 : DRAIN_MS_MAX;
      const since = performance.now();
      while (this.#carrier.stats.pending > 0 && performance.now() - since < drainMs) await pause(PROBE_MS);
      this.phase = 'over';
      this.endedAt = Date.now();
    } finally {
      clearInterval(ticking);
      this.#carrier.close();
    }
  }

  /** Ends the load early; what is under way is still waited for. */
  stop(): void {
    this.interrupted = true;
    this.#stopping = true;
  }

  #hooks(): CarrierHooks {
    return {
      acked: (sample, nowMs) => this.#acked(sample, nowMs),
      reachable: (device) => this.phase !== 'load' || this.staged.world.reachable(device, this.#hour(this.#atS())),
    };
  }

  #atS(): number {
    return (this.#nowMs - this.#startedMs) / 1000;
  }

  #hour(atS: number): number {
    return (atS / this.durationS) * this.#options.scenario.world.hours;
  }

  #acked(sample: Acknowledged, nowMs: number): void {
    // Of what was no sample, nothing but its time counts.
    if (sample.seq > 0) this.ledger.ack(this.#id(sample.device), sample.seq, sample.seq);
    this.tally.acknowledged(sample, nowMs);
  }

  #id(device: number): string {
    let id = this.#ids.get(device);
    if (id === undefined) {
      id = this.table.id(device);
      this.#ids.set(device, id);
    }
    return id;
  }

  #tick(): void {
    const before = this.#nowMs;
    this.#nowMs = performance.now();
    if (this.phase === 'load') this.#play(before);
    this.#carrier.tick(this.#nowMs);
    const second = this.#startedMs === 0 ? 0 : Math.floor(this.#atS());
    if (second > (this.tally.curve.at(-1)?.atS ?? 0)) this.tally.turn(second, this.#carrier.stats);
  }

  #play(lastMs: number): void {
    const atS = this.#atS();
    const due = this.#schedule.dueBy(atS);
    for (let n = 0; this.#next < due && n < PER_TICK_MAX; n++, this.#next++) {
      const device = this.devices[this.#next % this.devices.length] as number;
      this.#sample(device, this.#schedule.timeOf(this.#next));
    }
    this.#agenda.playTo(this.#nowMs - this.#startedMs);
    for (const storm of this.staged.storms)
      if (storm * 1000 <= this.#nowMs - this.#startedMs && storm * 1000 > lastMs - this.#startedMs)
        for (const device of this.devices) this.#carrier.cut(device);
    if (this.#next >= this.#schedule.count && atS >= this.durationS) this.phase = 'draining';
  }

  /** What the device says at that moment, with the time that it has then. */
  #sample(device: number, atS: number): void {
    const { world } = this.staged;
    const dueMs = this.#startedMs + atS * 1000;
    this.tally.due(Math.max(0, this.#nowMs - dueMs));
    const hour = this.#hour(atS);
    const fields = world.sample(device, hour);
    const ts = Math.round(this.startedAt + atS * 1000);
    if (this.#faulty.has(device) && this.#suffer(device, atS, { fields, ts })) return;
    const seq = this.ledger.issue(this.#id(device), 1);
    const said = this.told.said(device, fields, ts);
    this.#tell(device, ts, said);
    if (said.wrong && !this.#alarmed.has(device)) this.#alarm(device, atS);
    if (!world.reachable(device, hour)) this.#carrier.cut(device);
    this.#carrier.send({ device, seq, ts, dueMs, fields });
  }

  /** True when the device is faulty now, and has said what it says. */
  #suffer(device: number, atS: number, { fields, ts }: Omit<Sound, 'issue'>): boolean {
    const fault = this.#faulty.get(device);
    if (fault === undefined || atS < fault.fromS || atS >= fault.toS) return false;
    if (fault.what === 'twin') this.#carrier.twin?.(device);
    const issue = () => this.ledger.issue(this.#id(device), 1);
    const dueMs = this.#startedMs + atS * 1000;
    for (const { seq, payload, afterS } of fault.device.say({ fields, ts, issue }))
      this.#agenda.at(Math.min(atS + afterS, this.durationS - LAST_S), () =>
        this.#carrier.post?.(device, seq ?? 0, dueMs + afterS * 1000, payload),
      );
    return true;
  }

  #tell(device: number, ts: number, { begun, over }: Said): void {
    if (this.#events === null) return;
    for (const incident of begun) this.#carrier.tell?.(device, this.#events.raised(incident, device, ts));
    for (const incident of over) {
      const cleared = this.#events.cleared(incident, device, ts);
      if (cleared !== null) this.#carrier.tell?.(device, cleared);
    }
  }

  /** A device that found something wrong by itself reports it again and again until it is over. */
  #alarm(device: number, atS: number): void {
    const { alarmEveryS } = this.#options.scenario;
    this.#alarmed.add(device);
    this.#agenda.at(atS + alarmEveryS, (tickS) => {
      this.#alarmed.delete(device);
      if (tickS < this.durationS) this.#sample(device, tickS);
    });
  }

  /** Plans one more report of a device. */
  #report(atS: number, device: number): void {
    if (atS < this.durationS) this.#agenda.at(atS, (tickS) => this.#sample(device, tickS));
  }

  /** Devices of an incident notice its beginning and its end at once, each by itself: not all in one moment. */
  #planExtras(): void {
    for (const { what, devices, fromS, toS } of this.staged.incidents) {
      if (what === 'flooded-shaft') continue;
      for (const [n, device] of devices.entries()) {
        const offS = NOTICED_S * (0.1 + ((n * 37) % 100) / 100);
        this.#report(fromS + offS, device);
        this.#report(toS + offS, device);
      }
    }
  }
}
