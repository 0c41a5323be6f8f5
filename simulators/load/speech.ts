import { FaultyDevice, type Sound } from '../faults/mod.ts';
import type { Ledger } from '../report/mod.ts';
import type { Scenario, Staged, StagedFault } from '../scenarios/mod.ts';
import type { DeviceTable } from '../world/mod.ts';
import type { Agenda } from './agenda.ts';
import type { Carrier } from './carrier.ts';
import type { EdgeEvents } from './events.ts';
import type { KeptReadings } from './kept.ts';
import type { RunClock } from './run_clock.ts';
import type { Tally } from './tally.ts';
import type { Said, ToldIncidents } from './told.ts';

/** Within so long all devices of an incident have noticed it. */
const NOTICED_S = 0.5;
/** What comes late comes before the end all the same. */
const LAST_S = 0.1;

export interface SpeechDeps {
  scenario: Pick<Scenario, 'alarmEveryS'>;
  staged: Staged;
  table: DeviceTable;
  clock: RunClock;
  agenda: Agenda;
  carrier: Carrier;
  ledger: Ledger;
  tally: Tally;
  told: ToldIncidents;
  kept: KeptReadings;
  /** Behind it begin the numbers of devices whose clock is behind. */
  firstNumber: number;
  /** Where the generator is the edges itself. */
  events: EdgeEvents | null;
}

/** What devices say: what is so at that moment, in the voice of their fault, and again and again while they are in alarm. */
export class Speech {
  readonly #deps: SpeechDeps;
  readonly #faulty = new Map<number, Omit<StagedFault, 'device'> & { device: FaultyDevice }>();
  /** Devices that have an alarm report planned. */
  readonly #alarmed = new Set<number>();
  readonly #ids = new Map<number, string>();

  constructor(deps: SpeechDeps) {
    this.#deps = deps;
    const { staged, table } = deps;
    for (const fault of staged.faults) {
      const { what, device: i } = fault;
      this.#faulty.set(i, { ...fault, device: new FaultyDevice(what, table.kind(i), table.seed[i] as number) });
    }
    this.#planNotices();
  }

  id(device: number): string {
    let id = this.#ids.get(device);
    if (id === undefined) {
      id = this.#deps.table.id(device);
      this.#ids.set(device, id);
    }
    return id;
  }

  /** What the device says at that moment, with the time that it has then. */
  sample(device: number, atS: number): void {
    const { staged, clock, carrier, tally, told, kept } = this.#deps;
    const dueMs = clock.msOf(atS);
    tally.due(Math.max(0, clock.nowMs - dueMs));
    const hour = clock.hourOf(atS);
    const fields = staged.world.sample(device, hour);
    const ts = Math.round(clock.startedAt + atS * 1000);
    if (this.#faulty.has(device) && this.#suffer(device, atS, { fields, ts })) return;
    const seq = this.#issue(device);
    const said = told.said(device, fields, ts);
    this.#tell(device, ts, said);
    if (said.wrong && !this.#alarmed.has(device)) this.#alarm(device, atS);
    if (!staged.world.reachable(device, hour)) carrier.cut(device);
    const sample = { device, seq, ts, dueMs, fields };
    kept.keep(sample);
    carrier.send(sample);
  }

  /** Its numbers begin behind this one: where its clock may be behind the run's, elsewhere in each run. */
  firstOf(device: number): number {
    const what = this.#faulty.get(device)?.what;
    return what === 'clock-jump' || what === 'clock-skew' ? this.#deps.firstNumber : 0;
  }

  #issue(device: number): number {
    return this.firstOf(device) + this.#deps.ledger.issue(this.id(device), 1);
  }

  /** True when the device is faulty now, and has said what it says. */
  #suffer(device: number, atS: number, { fields, ts }: Omit<Sound, 'issue'>): boolean {
    const { clock, carrier, agenda } = this.#deps;
    const fault = this.#faulty.get(device);
    if (fault === undefined || atS < fault.fromS || atS >= fault.toS) return false;
    const issue = () => this.#issue(device);
    const dueMs = clock.msOf(atS);
    for (const { seq, payload, afterS, twin } of fault.device.say({ fields, ts, issue }))
      agenda.at(Math.min(atS + afterS, clock.durationS - LAST_S), () => {
        const made = [device, seq ?? 0, dueMs + afterS * 1000, payload] as const;
        if (twin) carrier.twin?.(...made);
        else carrier.post?.(...made);
      });
    return true;
  }

  #tell(device: number, ts: number, { begun, over }: Said): void {
    const { events, carrier } = this.#deps;
    if (events === null) return;
    for (const incident of begun) carrier.tell?.(device, events.raised(incident, device, ts));
    for (const incident of over) {
      const cleared = events.cleared(incident, device, ts);
      if (cleared !== null) carrier.tell?.(device, cleared);
    }
  }

  /** A device that found something wrong by itself reports it again and again until it is over. */
  #alarm(device: number, atS: number): void {
    this.#alarmed.add(device);
    this.#deps.agenda.at(atS + this.#deps.scenario.alarmEveryS, (tickS) => {
      this.#alarmed.delete(device);
      this.#report(device, tickS);
    });
  }

  /** Devices of an incident notice its beginning and its end at once, each by itself: not all in one moment. */
  #planNotices(): void {
    const { staged, agenda } = this.#deps;
    for (const { what, devices, fromS, toS } of staged.incidents) {
      if (what === 'flooded-shaft' || what === 'battery-low') continue;
      for (const [n, device] of devices.entries()) {
        const offS = NOTICED_S * (0.1 + ((n * 37) % 100) / 100);
        for (const atS of [fromS + offS, toS + offS]) agenda.at(atS, (tickS) => this.#report(device, tickS));
      }
    }
  }

  #report(device: number, atS: number): void {
    if (atS < this.#deps.clock.durationS) this.sample(device, atS);
  }
}
