import type { Clock } from '#service/mod.ts';
import type { DeviceRegistry, RegisteredDevice, RegisteredGroup } from '../registry.ts';
import { Alarm, type ThresholdAlarm, type ToldBy } from './alarm.ts';
import type { DeviceAlarms } from './device.ts';
import { onQuiet, onTransition } from './flapping.ts';
import { type GroupStep, onGroupTick, onMemberCleared, onMemberRaised } from './group.ts';
import { isUnderMaintenance } from './maintenance.ts';
import { GroupAlarm, groupKey, recount, stormKey } from './many.ts';
import type { SecondOpinions } from './second.ts';
import { Storms } from './storms.ts';
import type { EventTeller, Telling } from './telling.ts';

export interface AttributionDeps {
  registry: DeviceRegistry;
  devices: ReadonlyMap<string, DeviceAlarms>;
  teller: EventTeller;
  opinions: SecondOpinions;
  clock: Clock;
}

/** Gives what an earlier life of the node kept under a key, once. */
export type TakeStored = (key: string) => string | undefined;

/**
 * Which event tells an active alarm: its own, or one that stands for many.
 *
 *   raised --critical? --yes--> its own
 *              no --> its group's? the device unstable? a storm? --no--> its own
 *
 * Nothing is dropped: what another event stands for is told by itself when that one ends first. Times are monotonic ms.
 */
export class Attribution {
  readonly #deps: AttributionDeps;
  readonly #groups = new Map<string, GroupAlarm>();
  readonly #storms: Storms;
  /** Those of whose group the others may show in a moment. */
  readonly #held = new Set<Alarm>();
  /** Told under a maintenance window: when it ends, the centre must hear. */
  readonly #suppressed = new Set<Telling>();

  constructor(deps: AttributionDeps) {
    this.#deps = deps;
    const alarmsOf = (ids: readonly string[]) => ids.flatMap((id) => deps.devices.get(id)?.all ?? []);
    this.#storms = new Storms({ ...deps, onEnded: (ids) => this.#release(alarmsOf(ids), 'storm') });
  }

  /** Takes up a device whose alarms have their state back. */
  add({ device, all }: DeviceAlarms, take: TakeStored): void {
    for (const alarm of all) {
      if (alarm.by === 'held') this.#held.add(alarm);
      this.#watchWindow(alarm);
    }
    for (const group of device.groups) this.#addGroup(group, device, take);
    const storm = take(stormKey(device.place.cell));
    if (storm !== undefined) this.#storms.restore(storm, device);
  }

  #addGroup(group: RegisteredGroup, { limits }: RegisteredDevice, take: TakeStored): void {
    for (const rule of group.alarms.rules) {
      const key = groupKey(group.id, rule);
      if (this.#groups.has(key)) continue;
      const alarm = new GroupAlarm(group, rule, limits.group);
      alarm.restore(take(key), this.#deps.clock);
      this.#groups.set(key, alarm);
      this.#watchWindow(alarm);
    }
  }

  /** After all devices: what stood for others and is not there any more, by the configuration, stands for them no longer. */
  reconcile(now: number): void {
    const { devices } = this.#deps;
    for (const group of this.#groups.values())
      for (const id of [...group.state.active.keys()])
        if (!this.#alarmsOf(group, id).some((alarm) => alarm.isActive))
          this.#applyGroup(group, onMemberCleared(group.terms, group.state, id, now));
    for (const device of devices.values()) {
      if (device.unstable.open && !device.device.limits.flapping) this.#believe(device, now);
      for (const alarm of device.all) if (alarm.isActive && this.#isForgotten(alarm)) this.#tellLate(alarm);
    }
    this.#storms.endSwitchedOff(now);
  }

  /** Another event is said to tell it, and there is none. */
  #isForgotten(alarm: Alarm): boolean {
    const { device } = alarm.device;
    if (alarm.rule.severity === 'critical') return alarm.by !== 'self';
    switch (alarm.by) {
      case 'group':
        return !this.#groupsOf(alarm).some((g) => g.open && g.state.active.has(device.id));
      case 'unstable':
        return !this.#deps.devices.get(device.id)?.unstable.open;
      case 'storm':
        return !this.#storms.standsFor(alarm.device);
      default:
        return false;
    }
  }

  /** It has become active. */
  raised(alarm: Alarm, raised: { since: number; at: number }): void {
    this.#cameOrWent(alarm, raised.at);
    alarm.raised = raised;
    const by = alarm.rule.severity === 'critical' ? 'self' : this.#whoTells(alarm, raised.at);
    if (by === 'self') this.#tellAlone(alarm);
    else this.#toldBy(alarm, by);
  }

  /** It is active no more. */
  cleared(alarm: Alarm, at: number): void {
    this.#cameOrWent(alarm, at);
    // Nobody followed, and it is over: on record it is.
    if (alarm.by === 'held') this.#tellLate(alarm);
    this.#deps.teller.clear(alarm, at);
    alarm.raised = null;
    alarm.by = null;
    this.#held.delete(alarm);
    for (const group of this.#groupsOf(alarm))
      this.#applyGroup(group, onMemberCleared(group.terms, group.state, alarm.device.device.id, at));
  }

  /** Those that were held for others and waited long enough. */
  tick(now: number): void {
    for (const alarm of this.#held) if (now >= alarm.heldUntil) this.#tellLate(alarm);
  }

  /** What takes minutes. */
  slowTick(now: number): void {
    this.#endWindows(now);
    for (const device of this.#deps.devices.values()) if (device.unstable.open) this.#settle(device, now);
    for (const group of this.#groups.values()) {
      this.#applyGroup(group, onGroupTick(group.terms, group.state, now));
      recount(this.#deps.teller, group);
    }
    this.#storms.tick(now);
  }

  /** What is still so when the work is over is told; of a group, that first: it may be one event. */
  #endWindows(now: number): void {
    const utc = this.#deps.clock.now();
    const over = [...this.#suppressed].filter((t) => t.open === null || !t.about(utc).suppressed);
    for (const telling of over) {
      this.#suppressed.delete(telling);
      if (telling instanceof Alarm && telling.isActive) this.#joinGroups(telling, now);
    }
    for (const telling of over) this.#deps.teller.update(telling);
  }

  #whoTells(alarm: Alarm, at: number): ToldBy {
    const { device, limits } = alarm.device;
    // Before it is counted, so that a group that comes together by it takes it along.
    alarm.by = 'held';
    const utc = this.#deps.clock.now();
    // Work on a device is told of that device, and is neither a dark circuit nor a storm.
    const groups = isUnderMaintenance(alarm.device.windows, utc) ? [] : this.#groupsOf(alarm);
    for (const group of groups) this.#applyGroup(group, onMemberRaised(group.terms, group.state, device.id, at));
    if (groups.some((g) => g.state.phase !== 'apart')) return 'group';
    if (this.#ownerOf(alarm)?.unstable.open) return 'unstable';
    if (!alarm.isWorkedOn(utc) && this.#storms.takes(alarm, at)) return 'storm';
    alarm.heldUntil = at + limits.group.holdS * 1000;
    return groups.length === 0 ? 'self' : 'held';
  }

  #toldBy(alarm: Alarm, by: ToldBy): void {
    alarm.by = by;
    if (by === 'held') this.#held.add(alarm);
    else this.#held.delete(alarm);
    this.#deps.teller.changed(alarm);
  }

  #tellAlone(alarm: Alarm): void {
    this.#toldBy(alarm, 'self');
    const { teller, opinions, clock } = this.#deps;
    teller.raise(alarm, alarm.raised as { since: number; at: number }, opinions.confidenceOf(alarm));
    opinions.seek(alarm, clock.now());
    this.#watchWindow(alarm);
  }

  /** Nobody else told it, or does so any more. */
  #tellLate(alarm: Alarm): void {
    if (alarm.rule.severity !== 'critical' && this.#ownerOf(alarm)?.unstable.open) this.#toldBy(alarm, 'unstable');
    else this.#tellAlone(alarm);
  }

  /** An active alarm that its groups may not count yet. */
  #joinGroups(alarm: Alarm, at: number): void {
    const { windows, device } = alarm.device;
    if (isUnderMaintenance(windows, this.#deps.clock.now())) return;
    for (const group of this.#groupsOf(alarm)) {
      if (!group.state.active.has(device.id)) this.#applyGroup(group, onMemberRaised(group.terms, group.state, device.id, at));
      if (group.state.phase !== 'apart' && alarm.by !== 'group') this.#gather([alarm], at);
    }
  }

  #watchWindow(telling: Telling): void {
    if (telling.open?.recorded) this.#suppressed.add(telling);
  }

  /** Another event stood for these and is over; what is still so is told by itself. */
  #release(alarms: Iterable<Alarm>, by: ToldBy): void {
    for (const alarm of alarms) if (alarm.isActive && alarm.by === by) this.#tellLate(alarm);
  }

  /** The device of a rule of the city; null for its checks and its silence, which say nothing of how steady it is. */
  #ownerOf(alarm: Alarm): DeviceAlarms | null {
    const device = this.#deps.devices.get(alarm.device.device.id);
    return device?.rules.includes(alarm as ThresholdAlarm) ? device : null;
  }

  #cameOrWent(alarm: Alarm, at: number): void {
    const { flapping } = alarm.device.limits;
    const device = flapping && this.#ownerOf(alarm);
    if (!flapping || !device || alarm.isWorkedOn(this.#deps.clock.now())) return;
    const { state, changes } = onTransition(flapping, alarm.flap, at);
    alarm.flap = state;
    for (const change of changes)
      if (change.to === 'unstable' && device.unstable.open === null) this.#deps.teller.raise(device.unstable, change);
  }

  /** An unstable device is believed again when none of its rules has come or gone for the whole window. */
  #settle(device: DeviceAlarms, now: number): void {
    const { flapping } = device.device.limits;
    if (!flapping) return;
    for (const alarm of device.rules) {
      const { state, changes } = onQuiet(flapping, alarm.flap, now);
      if (changes.length === 0) continue;
      alarm.flap = state;
      this.#deps.teller.changed(alarm);
    }
    if (!device.rules.some((a) => a.flap.phase === 'unstable')) this.#believe(device, now);
  }

  #believe(device: DeviceAlarms, now: number): void {
    this.#deps.teller.clear(device.unstable, now);
    this.#release(device.rules, 'unstable');
  }

  #groupsOf({ device, rule }: Alarm): GroupAlarm[] {
    if (rule.severity === 'critical') return [];
    return device.groups.flatMap((g) =>
      g.alarms.rules.includes(rule.id) ? (this.#groups.get(groupKey(g.id, rule.id)) ?? []) : [],
    );
  }

  #applyGroup(group: GroupAlarm, { state, changes }: GroupStep): void {
    const { teller } = this.#deps;
    if (state === group.state && changes.length === 0) return;
    group.state = state;
    teller.changed(group);
    for (const change of changes) {
      if (change.to === 'together') {
        this.#gather(this.#membersOf(group), change.at);
        group.told = group.whom;
        teller.raise(group, change);
        this.#watchWindow(group);
      } else {
        teller.clear(group, change.at);
        this.#release(this.#membersOf(group), 'group');
      }
    }
  }

  /** From now on the group's event stands for its members'. */
  #gather(members: readonly Alarm[], at: number): void {
    for (const alarm of members) {
      if (!alarm.isActive) continue;
      this.#deps.teller.clear(alarm, at);
      this.#toldBy(alarm, 'group');
    }
  }

  #membersOf(group: GroupAlarm): Alarm[] {
    return [...group.state.active.keys()].flatMap((id) => this.#alarmsOf(group, id));
  }

  #alarmsOf({ rule, group }: GroupAlarm, id: string): Alarm[] {
    const device = this.#deps.devices.get(id);
    if (!device?.device.groups.some((g) => g.id === group.id)) return [];
    return device.all.filter((alarm) => alarm.rule.id === rule);
  }
}
