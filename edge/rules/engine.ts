import type { Clock, Log, Service } from '#service/mod.ts';
import type { Outbox } from '../outbox/mod.ts';
import type { DeviceRegistry, RegisteredDevice, RegisteredGroup } from '../registry.ts';
import { type Alarm, flapKey, ruleKey, ThresholdAlarm, type ToldBy } from './alarm.ts';
import { DeviceAlarms } from './device.ts';
import { onQuiet, onTransition, STEADY } from './flapping.ts';
import { type GroupStep, onGroupTick, onMemberCleared, onMemberRaised } from './group.ts';
import { LateAlarms } from './history.ts';
import { GridStorm, GroupAlarm, groupKey, stormKey, unstableKey } from './many.ts';
import { type MissingState, onHeard, onSilence } from './missing.ts';
import { onRaised, onStormTick } from './storm.ts';
import { EventTeller, type Telling, UNSAVED_MAX } from './telling.ts';
import {
  ACTIVE,
  type Fields,
  holds,
  NORMAL,
  onSample,
  onTick,
  type ThresholdChange,
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
  clock: Clock;
  log: Log;
}

/**
 * Runs the rules of all devices and puts their events into the outbox, in one transaction with the state that they come
 * from: what was confirming, active or clearing goes on after a kill where it stood.
 *
 *   sample --> plausible? --> rules --raised--> critical? --yes--> told
 *                                                   no --> its group's? the device unstable? a storm? --no--> told
 *
 * Nothing is dropped: what another event stands for is told by itself when that one ends first.
 */
export class RuleEngine implements Service {
  readonly #deps: RuleEngineDeps;
  readonly #teller: EventTeller;
  readonly #late: LateAlarms;
  readonly #devices = new Map<string, DeviceAlarms>();
  readonly #groups = new Map<string, GroupAlarm>();
  readonly #storms = new Map<string, GridStorm>();
  /** Those with a confirm, clear or holding time running. */
  readonly #timed = new Set<Alarm>();
  /** Told under a maintenance window: when it ends, the centre must hear. */
  readonly #suppressed = new Set<Telling>();
  /** What changed in this turn and is saved at its end. */
  readonly #touched = new Set<Telling>();
  #timers: NodeJS.Timeout[] = [];
  #slowAt = 0;

  constructor(deps: RuleEngineDeps) {
    this.#deps = deps;
    this.#teller = new EventTeller(deps);
    this.#late = new LateAlarms(deps);
  }

  async start(): Promise<void> {
    const { registry, outbox } = this.#deps;
    const stored = new Map<string, string>();
    for (const prefix of STATE_PREFIXES) for (const [key, text] of await outbox.state(prefix)) stored.set(key, text);
    for (const [id, device] of registry) this.#add(id, new DeviceAlarms(device), stored);
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
      if (wrong || alarm.state.phase !== 'normal') this.#look(alarm, latest, wrong, now);
    }
    return this.#saveAll(device);
  }

  /** A sample that is more than LATE_MS old when it comes: history. `ts` is its UTC ms. Returns what the PUBACK must wait for. */
  lateSample(id: string, fields: Fields, implausible: readonly string[], ts: number): Promise<unknown> | undefined {
    const device = this.#devices.get(id);
    if (device === undefined) return undefined;
    this.#heard(device, this.#deps.clock.monotonic());
    const telling = this.#saveAll(device);
    const told = this.#late.sample(device, fields, implausible, ts);
    return telling && told ? Promise.all([telling, told]) : (told ?? telling);
  }

  /** Time passes. */
  tick(): void {
    const now = this.#deps.clock.monotonic();
    for (const alarm of [...this.#timed]) {
      if (alarm instanceof ThresholdAlarm) this.#apply(alarm, onTick(alarm.threshold, alarm.state, now));
      if (alarm.by === 'held' && now >= alarm.heldUntil) this.#tellAlone(alarm);
    }
    if (now - this.#slowAt >= SLOW_TICK_MS || now < this.#slowAt) {
      this.#slowAt = now;
      this.#slowTick(now);
    }
    void this.#saveAll();
  }

  #slowTick(now: number): void {
    for (const device of this.#devices.values()) {
      const { absence, heardAt } = device;
      if (absence && heardAt !== null) this.#apply(absence, onSilence(silentS(device), silence(absence), heardAt, now));
      if (device.unstable.open) this.#settle(device, now);
    }
    for (const group of this.#groups.values()) {
      this.#applyGroup(group, onGroupTick(group.terms, group.state, now));
      this.#recount(group);
    }
    for (const storm of this.#storms.values()) this.#calm(storm, now);
    for (const telling of this.#suppressed) {
      if (telling.open !== null && telling.about(this.#deps.clock.now()).suppressed) continue;
      this.#suppressed.delete(telling);
      this.#teller.update(telling);
      this.#touched.add(telling);
    }
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
    // Also while an earlier change waits for the disk: the PUBACK of this sample says that it is there.
    if (alarm.saving) this.#touched.add(alarm);
  }

  #apply(alarm: Alarm, { state, changes }: ThresholdStep): void {
    if (same(alarm.state, state) && changes.length === 0) return;
    alarm.state = state;
    alarm.dirty = true;
    this.#touched.add(alarm);
    for (const change of changes) this.#turn(alarm, change);
    this.#time(alarm);
  }

  #time(alarm: Alarm): void {
    const { phase } = alarm.state;
    if (phase === 'pending' || phase === 'clearing' || alarm.by === 'held') this.#timed.add(alarm);
    else this.#timed.delete(alarm);
  }

  #turn(alarm: Alarm, change: ThresholdChange): void {
    this.#transition(alarm, change.at);
    if (change.to === 'raised') {
      alarm.raised = { since: change.since, at: change.at };
      this.#tell(alarm);
      return;
    }
    if (alarm.open) this.#teller.clear(alarm, change.at);
    alarm.raised = null;
    alarm.by = null;
    for (const group of this.#groupsOf(alarm))
      this.#applyGroup(group, onMemberCleared(group.terms, group.state, alarm.device.device.id, change.at));
  }

  /** By itself, or by the event of many that it is among. */
  #tell(alarm: Alarm): void {
    const by = alarm.rule.severity === 'critical' ? 'self' : this.#whoTells(alarm, (alarm.raised as { at: number }).at);
    if (by === 'self') this.#tellAlone(alarm);
    else this.#toldBy(alarm, by);
  }

  #whoTells(alarm: Alarm, at: number): ToldBy {
    const { device, limits } = alarm.device;
    // Before it is counted, so that a group that comes together by it takes it along.
    alarm.by = 'held';
    const groups = this.#groupsOf(alarm);
    for (const group of groups) this.#applyGroup(group, onMemberRaised(group.terms, group.state, device.id, at));
    if (groups.some((g) => g.state.phase !== 'apart')) return 'group';
    const own = this.#devices.get(device.id);
    if (own?.unstable.open && own.rules.includes(alarm as ThresholdAlarm)) return 'unstable';
    if (this.#isStorm(alarm, at)) return 'storm';
    // The others of its group may show in a moment.
    alarm.heldUntil = at + limits.group.holdS * 1000;
    return groups.length === 0 ? 'self' : 'held';
  }

  #toldBy(alarm: Alarm, by: ToldBy): void {
    alarm.by = by;
    alarm.dirty = true;
    this.#touched.add(alarm);
    this.#time(alarm);
  }

  #tellAlone(alarm: Alarm): void {
    this.#toldBy(alarm, 'self');
    this.#teller.raise(alarm, alarm.raised as { since: number; at: number });
    this.#watchWindow(alarm);
  }

  #watchWindow(telling: Telling): void {
    if (telling.about(this.#deps.clock.now()).suppressed) this.#suppressed.add(telling);
  }

  /** Another event stood for these and is over; what is still so is told by itself. */
  #release(alarms: Iterable<Alarm>, by: ToldBy): void {
    for (const alarm of alarms) if (alarm.isActive && alarm.by === by) this.#tellAlone(alarm);
  }

  #stillSo(alarm: Alarm): void {
    const now = this.#deps.clock.now();
    // While the disk is away, one revision that waits says as much as many.
    if (alarm.open === null || alarm.state.phase !== 'active' || alarm.saving !== null) return;
    // A clock that was set back must not silence the updates for as long.
    if (now >= alarm.open.updatedAt && now - alarm.open.updatedAt < UPDATE_MS) return;
    this.#teller.update(alarm);
    this.#touched.add(alarm);
  }

  #transition(alarm: Alarm, at: number): void {
    const { flapping } = alarm.device.limits;
    const device = this.#devices.get(alarm.device.device.id);
    if (!flapping || !device?.rules.includes(alarm as ThresholdAlarm)) return;
    const { state, changes } = onTransition(flapping, alarm.flap, at);
    alarm.flap = state;
    for (const change of changes)
      if (change.to === 'unstable' && device.unstable.open === null) {
        this.#teller.raise(device.unstable, change);
        this.#touched.add(device.unstable);
      }
  }

  /** An unstable device is believed again when none of its rules has come or gone for the whole window. */
  #settle(device: DeviceAlarms, now: number): void {
    const { flapping } = device.device.limits;
    if (!flapping) return;
    for (const alarm of device.rules) {
      const { state, changes } = onQuiet(flapping, alarm.flap, now);
      if (changes.length === 0) continue;
      alarm.flap = state;
      alarm.dirty = true;
      this.#touched.add(alarm);
    }
    if (device.rules.some((a) => a.flap.phase === 'unstable')) return;
    this.#teller.clear(device.unstable, now);
    this.#touched.add(device.unstable);
    this.#release(device.rules, 'unstable');
  }

  #groupsOf({ device, rule }: Alarm): GroupAlarm[] {
    if (rule.severity === 'critical') return [];
    return device.groups.flatMap((g) =>
      g.alarms.rules.includes(rule.id) ? (this.#groups.get(groupKey(g.id, rule.id)) ?? []) : [],
    );
  }

  #applyGroup(group: GroupAlarm, { state, changes }: GroupStep): void {
    if (state === group.state && changes.length === 0) return;
    group.state = state;
    group.dirty = true;
    this.#touched.add(group);
    for (const change of changes) {
      if (change.to === 'together') {
        this.#gather(group, change.at);
        this.#teller.raise(group, change);
        this.#watchWindow(group);
      } else {
        this.#teller.clear(group, change.at);
        this.#release(this.#membersOf(group), 'group');
      }
    }
  }

  /** A circuit fails lamp by lamp: one revision a second says as much as one for each. */
  #recount(group: GroupAlarm): void {
    if (group.open === null || group.toldMembers === group.state.active.size) return;
    this.#teller.update(group);
    this.#touched.add(group);
  }

  /** From now on the group's event stands for its members'. */
  #gather(group: GroupAlarm, at: number): void {
    for (const alarm of this.#membersOf(group)) {
      if (!alarm.isActive) continue;
      if (alarm.open) this.#teller.clear(alarm, at);
      this.#toldBy(alarm, 'group');
    }
  }

  #membersOf({ state, rule }: GroupAlarm): Alarm[] {
    return [...state.active.keys()].flatMap((id) => this.#devices.get(id)?.all.filter((a) => a.rule.id === rule) ?? []);
  }

  /** Counts the alarm; whether it is one of a storm. */
  #isStorm(alarm: Alarm, at: number): boolean {
    const { limits, place, device } = alarm.device;
    if (!limits.storm) return false;
    let storm = this.#storms.get(place.cell);
    if (storm === undefined) {
      storm = new GridStorm(place.cell);
      this.#storms.set(place.cell, storm);
    }
    const { state, changes } = onRaised(limits.storm, storm.state, at);
    storm.state = state;
    if (state.phase === 'calm') return false;
    storm.devices.add(device.id);
    storm.dirty = true;
    this.#touched.add(storm);
    const began = changes.find((c) => c.to === 'storm');
    if (began) {
      storm.at = alarm.device;
      this.#teller.raise(storm, began);
    } else if (storm.open && this.#deps.clock.now() - storm.open.updatedAt >= SLOW_TICK_MS) this.#teller.update(storm);
    return true;
  }

  #calm(storm: GridStorm, now: number): void {
    const limits = storm.at?.limits.storm;
    if (!limits || storm.open === null) return;
    const { state, changes } = onStormTick(limits, storm.state, now);
    if (changes.length === 0) return;
    storm.state = state;
    this.#teller.clear(storm, now);
    this.#touched.add(storm);
    const concerned = [...storm.devices].flatMap((id) => this.#devices.get(id)?.all ?? []);
    storm.devices.clear();
    this.#release(concerned, 'storm');
  }

  #add(id: string, device: DeviceAlarms, stored: Map<string, string>): void {
    const { clock, registry } = this.#deps;
    this.#devices.set(id, device);
    const take = (key: string) => {
      const text = stored.get(key);
      stored.delete(key);
      return text;
    };
    for (const alarm of device.all) {
      alarm.restore(take(ruleKey(id, alarm.rule.id)), take(flapKey(id, alarm.rule.id)), clock);
      this.#forgetOldFlaps(alarm, clock.monotonic());
      this.#time(alarm);
      if (alarm.open) this.#watchWindow(alarm);
    }
    device.unstable.restore(take(unstableKey(id)));
    for (const group of device.device.groups) this.#addGroup(group, device.device, take);
    const { cell } = device.device.place;
    const storm = take(stormKey(cell));
    if (storm === undefined) return;
    const restored = new GridStorm(cell);
    restored.restore(storm, registry, clock);
    this.#storms.set(cell, restored);
  }

  #addGroup(group: RegisteredGroup, { limits }: RegisteredDevice, take: (key: string) => string | undefined): void {
    for (const rule of group.alarms.rules) {
      const key = groupKey(group.id, rule);
      if (this.#groups.has(key)) continue;
      const alarm = new GroupAlarm(group, rule, limits.group);
      alarm.restore(take(key), this.#deps.clock);
      this.#groups.set(key, alarm);
      if (alarm.open) this.#watchWindow(alarm);
    }
  }

  #forgetOldFlaps(alarm: Alarm, now: number): void {
    const { flapping } = alarm.device.limits;
    const { flap } = alarm;
    if (flap.phase !== 'steady' || flap.times.length === 0) return;
    if (flapping && flap.times.some((t) => t > now - flapping.windowS * 1000)) return;
    alarm.flap = STEADY;
    alarm.dirty = true;
    this.#touched.add(alarm);
  }

  /** Saves what this turn changed. What a sample has to wait for: of its own device, and of all that it changed. */
  #saveAll(device?: DeviceAlarms): Promise<unknown> | undefined {
    if (this.#touched.size === 0) return undefined;
    const saves: Promise<void>[] = [];
    for (const telling of this.#touched) {
      const saving = this.#teller.save(telling);
      if (saving && device) saves.push(saving);
      // The engine waits for the disk in `stop`; here nobody does.
      else saving?.catch(() => undefined);
    }
    this.#touched.clear();
    return saves.length === 0 ? undefined : Promise.all(saves);
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

function same(a: ThresholdState, b: ThresholdState): boolean {
  if (a === b) return true;
  if (a.phase === 'pending' && b.phase === 'pending')
    return a.since === b.since && a.samples === b.samples && a.enoughAt === b.enoughAt && a.recent?.length === b.recent?.length;
  if (a.phase === 'clearing' && b.phase === 'clearing') return a.clearSince === b.clearSince;
  return a.phase === b.phase;
}
