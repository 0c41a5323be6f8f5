import type { Clock, Log, Service } from '#service/mod.ts';
import type { SecondSources } from '../events.ts';
import type { Outbox } from '../outbox/mod.ts';
import type { DeviceRegistry } from '../registry.ts';
import { type Alarm, flapKey, ruleKey, ThresholdAlarm } from './alarm.ts';
import { Attribution, type TakeStored } from './attribution.ts';
import { DeviceAlarms } from './device.ts';
import { STEADY } from './flapping.ts';
import { LateAlarms } from './history.ts';
import { unstableKey } from './many.ts';
import { type MissingState, onHeard, onSilence } from './missing.ts';
import { unbelieved } from './plausibility.ts';
import { SecondOpinions } from './second.ts';
import { EventTeller, UNSAVED_MAX } from './telling.ts';
import {
  ACTIVE,
  type Fields,
  holds,
  isUndecided,
  NORMAL,
  onSample,
  onTick,
  type ThresholdState,
  type ThresholdStep,
} from './threshold.ts';

/** Confirm and clear times are looked at so often: one is noticed at most this late. */
const TICK_MS = 100;
/** What takes minutes is looked at so often. */
const SLOW_TICK_MS = 1000;
/** An active event says that it is still seen, at most so often. */
const UPDATE_MS = 60_000;
const STATE_PREFIXES = ['rule/', 'flap/', 'unstable/', 'group/', 'storm/'] as const;

export interface RuleEngineDeps {
  edge: string;
  registry: DeviceRegistry;
  outbox: Pick<Outbox, 'append' | 'state'>;
  /** Whom critical alarms are held against; nobody where there are no cameras. */
  secondSources?: SecondSources | null;
  clock: Clock;
  log: Log;
}

/**
 * Runs the rules of all devices and puts their events into the outbox, in one transaction with the state that they come
 * from: what was confirming, active or clearing goes on after a kill where it stood.
 *
 *   sample --> plausible? --> rules --raised, cleared--> attribution --> events
 */
export class RuleEngine implements Service {
  readonly #deps: RuleEngineDeps;
  readonly #teller: EventTeller;
  readonly #late: LateAlarms;
  readonly #devices = new Map<string, DeviceAlarms>();
  readonly #attribution: Attribution;
  readonly #opinions: SecondOpinions;
  /** Those with a confirm or clear time running. */
  readonly #timed = new Set<Alarm>();
  #timers: NodeJS.Timeout[] = [];
  #slowAt = 0;

  constructor(deps: RuleEngineDeps) {
    this.#deps = deps;
    this.#teller = new EventTeller(deps);
    this.#late = new LateAlarms(deps);
    const { secondSources: sources = null, log } = deps;
    this.#opinions = new SecondOpinions({ sources, teller: this.#teller, log });
    this.#attribution = new Attribution({ ...deps, devices: this.#devices, teller: this.#teller, opinions: this.#opinions });
  }

  async start(): Promise<void> {
    const { registry, outbox } = this.#deps;
    const stored = new Map<string, string>();
    for (const prefix of STATE_PREFIXES) for (const [key, text] of await outbox.state(prefix)) stored.set(key, text);
    const take = (key: string) => {
      const text = stored.get(key);
      stored.delete(key);
      return text;
    };
    for (const [id, device] of registry) this.#add(id, new DeviceAlarms(device), take);
    this.#attribution.reconcile(this.#deps.clock.monotonic());
    // What the node ended in the middle of is asked again.
    for (const { all } of this.#devices.values()) for (const alarm of all) this.#opinions.seek(alarm, this.#deps.clock.now());
    this.#teller.save()?.catch(() => undefined);
    await this.#forget([...stored.keys()]);
    this.#timers = [setInterval(() => this.tick(), TICK_MS)];
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    await this.#teller.stop();
  }

  /**
   * A fresh sample of a registered device; late ones build history and are not given here. Returns what the PUBACK
   * must wait for: events and state that the sample brought about.
   */
  sample(id: string, fields: Fields, implausible: readonly string[]): Promise<unknown> | undefined {
    const device = this.#devices.get(id);
    if (device === undefined) return undefined;
    const now = this.#deps.clock.monotonic();
    this.#heard(device, now);
    const { verdicts, excluded } = device.judge(fields, implausible, now);
    for (const check of device.checks) {
      const wrong = holds(check.threshold.when, verdicts);
      if (wrong || check.state.phase !== 'normal') this.#look(check, verdicts, wrong, now);
    }
    const { latest } = device;
    for (const name in fields) if (!excluded.includes(name)) latest[name] = fields[name] as number | boolean;
    for (const alarm of device.rules) {
      // A value that cannot be says nothing, neither for an alarm nor against it.
      if (!concerns(alarm.fields, fields, excluded)) continue;
      const wrong = holds(alarm.threshold.when, latest);
      if (wrong || (alarm.state.phase !== 'normal' && !isInDoubt(alarm, latest))) this.#look(alarm, latest, wrong, now);
    }
    return this.#teller.save();
  }

  /** A sample that is more than LATE_MS old when it comes: history. `ts` is its UTC ms. Returns what the PUBACK must wait for. */
  lateSample(id: string, fields: Fields, implausible: readonly string[], ts: number): Promise<unknown> | undefined {
    const device = this.#devices.get(id);
    if (device === undefined) return undefined;
    this.#heard(device, this.#deps.clock.monotonic());
    const telling = this.#teller.save();
    const told = this.#late.sample(device, fields, unbelieved(fields, implausible), ts);
    return telling && told ? Promise.all([telling, told]) : (told ?? telling);
  }

  /** Time passes. */
  tick(): void {
    const now = this.#deps.clock.monotonic();
    for (const alarm of [...this.#timed]) {
      if (alarm instanceof ThresholdAlarm) this.#apply(alarm, onTick(alarm.threshold, alarm.state, now));
    }
    this.#attribution.tick(now);
    if (now - this.#slowAt >= SLOW_TICK_MS || now < this.#slowAt) {
      this.#slowAt = now;
      this.#slowTick(now);
    }
    // `stop` waits for the disk; here nobody does.
    this.#teller.save()?.catch(() => undefined);
  }

  #slowTick(now: number): void {
    for (const device of this.#devices.values()) {
      const { absence, heardAt } = device;
      if (absence && heardAt !== null) this.#apply(absence, onSilence(silentS(device), silence(absence), heardAt, now));
    }
    this.#attribution.slowTick(now);
  }

  #heard(device: DeviceAlarms, now: number): void {
    const { absence, heardAt } = device;
    device.heardAt = now;
    if (!absence || (absence.state.phase === 'normal' && heardAt === null)) return;
    this.#apply(absence, onHeard(silentS(device), silence(absence), heardAt ?? now, now));
  }

  #look(alarm: ThresholdAlarm, fields: Fields, wrong: boolean, now: number): void {
    if (alarm.unsaved.length >= UNSAVED_MAX) return;
    if (wrong) {
      alarm.value = fields[alarm.field] as number | boolean;
      alarm.seenAt = this.#deps.clock.now();
    }
    this.#apply(alarm, onSample(alarm.threshold, alarm.state, fields, now));
    if (wrong) this.#stillSo(alarm);
    // The PUBACK of this sample says that an earlier change, too, is on the disk.
    this.#teller.concerns(alarm);
  }

  #apply(alarm: Alarm, { state, changes }: ThresholdStep): void {
    if (same(alarm.state, state) && changes.length === 0) return;
    alarm.state = state;
    this.#teller.changed(alarm);
    for (const change of changes)
      if (change.to === 'raised') this.#attribution.raised(alarm, change);
      else this.#attribution.cleared(alarm, change.at);
    this.#time(alarm);
  }

  #time(alarm: Alarm): void {
    const { phase } = alarm.state;
    if (phase === 'pending' || phase === 'clearing') this.#timed.add(alarm);
    else this.#timed.delete(alarm);
  }

  #stillSo(alarm: Alarm): void {
    const now = this.#deps.clock.now();
    // While the disk is away, one revision that waits says as much as many.
    if (alarm.open === null || alarm.state.phase !== 'active' || alarm.saving !== null) return;
    // A clock that was set back must not silence the updates for as long.
    if (now >= alarm.open.updatedAt && now - alarm.open.updatedAt < UPDATE_MS) return;
    this.#teller.update(alarm);
  }

  #add(id: string, device: DeviceAlarms, take: TakeStored): void {
    const { clock } = this.#deps;
    this.#devices.set(id, device);
    for (const alarm of device.all) {
      alarm.restore(take(ruleKey(id, alarm.rule.id)), take(flapKey(id, alarm.rule.id)), clock);
      this.#forgetOldFlaps(alarm, clock.monotonic());
      this.#time(alarm);
    }
    device.unstable.restore(take(unstableKey(id)));
    this.#attribution.add(device, take);
  }

  #forgetOldFlaps(alarm: Alarm, now: number): void {
    const { flapping } = alarm.device.limits;
    const { flap } = alarm;
    if (flap.phase !== 'steady' || flap.times.length === 0) return;
    if (flapping && flap.times.some((t) => t > now - flapping.windowS * 1000)) return;
    alarm.flap = STEADY;
    this.#teller.changed(alarm);
  }

  /** State of rules, devices and groups that are configured no more. Their events stay as they are: people close cases. */
  async #forget(keys: readonly string[]): Promise<void> {
    if (keys.length === 0) return;
    this.#deps.log.warn(
      { rules: keys.slice(0, 20), count: keys.length },
      'rules that were at work are gone from the configuration',
    );
    await this.#deps.outbox.append(
      'events',
      [],
      keys.map((key) => ({ key, value: null })),
    );
  }
}

const silentS = ({ device }: DeviceAlarms): number => device.absence?.missing.forS ?? Number.POSITIVE_INFINITY;
const silence = ({ state }: Alarm): MissingState => (state.phase === 'normal' ? NORMAL : ACTIVE);

/** Whether a sample says anything for a rule: it has one of its fields, and none of them is excluded. */
function concerns(wanted: readonly string[], fields: Fields, excluded: readonly string[]): boolean {
  let any = false;
  for (const name of wanted) {
    if (fields[name] !== undefined) any = true;
    if (excluded.length > 0 && excluded.includes(name)) return false;
  }
  return any;
}

/** After a restart a device that sends only what changed has not said again all that its running confirm or clear time is about. */
function isInDoubt({ state, threshold }: ThresholdAlarm, fields: Fields): boolean {
  if (state.phase === 'pending') return isUndecided(threshold.when, fields);
  return state.phase === 'clearing' && isUndecided(threshold.clear.when, fields);
}

function same(a: ThresholdState, b: ThresholdState): boolean {
  if (a === b) return true;
  if (a.phase === 'pending' && b.phase === 'pending')
    return a.since === b.since && a.samples === b.samples && a.enoughAt === b.enoughAt && a.recent === b.recent;
  if (a.phase === 'clearing' && b.phase === 'clearing') return a.clearSince === b.clearSince;
  return a.phase === b.phase;
}
