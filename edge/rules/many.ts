import { CHILDREN_MAX, type EventClass, fault, type Severity } from '#grid/mod.ts';
import type { Clock } from '#service/mod.ts';
import type { StateChange } from '../outbox/mod.ts';
import type { RegisteredDevice, RegisteredGroup } from '../registry.ts';
import { APART, type GroupState, type GroupTerms, movedGroup } from './group.ts';
import { isUnderMaintenance } from './maintenance.ts';
import { CALM, movedStorm, type StormState } from './storm.ts';
import { type About, type EventTeller, type OpenEvent, parseStored, Telling, toUtc } from './telling.ts';

/** Events that stand for many alarms. `told`: whom the last revision spoke of, `whom`: the next one. */

const classIn = (component: string, name: string): EventClass => ({ flag: 1, code: component.slice(6, 10), fault: name });
const severityOf = (name: string): Severity => fault(name)?.severity ?? 'normal';
const childrenOf = (devices: Iterable<string>) => {
  const all = [...devices];
  return { count: all.length, devices: all.slice(0, CHILDREN_MAX) };
};

/** One rule over the members of a group: a dark circuit is one event, and not as many as it has lamps. */
export class GroupAlarm extends Telling {
  readonly group: RegisteredGroup;
  readonly rule: string;
  readonly terms: GroupTerms;
  state: GroupState = APART;
  told: GroupState['active'] | null = null;

  get whom(): GroupState['active'] {
    return this.state.active;
  }

  constructor(group: RegisteredGroup, rule: string, limits: Omit<GroupTerms, 'size'>) {
    super();
    this.group = group;
    this.rule = rule;
    this.terms = { ...limits, size: group.members };
  }

  about(now: number): About {
    const { id, kind, alarms, place, windows } = this.group;
    const suppressed = isUnderMaintenance(windows, this.open?.confirmedAt ?? now) && isUnderMaintenance(windows, now);
    const children = childrenOf(this.state.active.keys());
    return {
      class: classIn(place.component, alarms.fault),
      severity: severityOf(alarms.fault),
      place,
      origin: { by: 'sensor', device: id, kind, rule: this.rule, field: 'members', value: children.count },
      seenAt: now,
      children,
      ...(suppressed ? { suppressed: 'maintenance' } : {}),
    };
  }

  get key(): string {
    return groupKey(this.group.id, this.rule);
  }

  stored(clock: Clock): StateChange[] {
    const { active, ...rest } = movedGroup(this.state, toUtc(clock));
    const value =
      active.size === 0 && this.state.phase === 'apart' && this.open === null
        ? null
        : { ...rest, active: [...active], open: this.open };
    return [{ key: this.key, value: value && JSON.stringify(value) }];
  }

  restore(text: string | undefined, clock: Clock): void {
    const stored = parseStored<{
      phase: GroupState['phase'];
      fewSince: number;
      active: [string, number][];
      open: OpenEvent | null;
    }>(text);
    if (!stored || !Array.isArray(stored.active) || (stored.open !== null) !== (stored.phase !== 'apart')) return;
    const { phase, fewSince, active, open } = stored;
    this.state = movedGroup({ phase, fewSince, active: new Map(active) }, -toUtc(clock), clock.monotonic());
    this.open = open;
  }
}

/** A device of which one rule or another comes and goes: nobody is sent for each of its faults. */
export class UnstableDevice extends Telling {
  readonly device: RegisteredDevice;

  constructor(device: RegisteredDevice) {
    super();
    this.device = device;
  }

  about(now: number): About {
    const { device, kind, place } = this.device;
    return {
      class: classIn(device.component, 'device_unstable'),
      severity: severityOf('device_unstable'),
      place,
      origin: { by: 'sensor', device: device.id, kind: kind.kind, rule: 'unstable', field: 'unstable', value: true },
      seenAt: now,
    };
  }

  stored(): StateChange[] {
    return [{ key: unstableKey(this.device.device.id), value: this.open && JSON.stringify(this.open) }];
  }

  restore(text: string | undefined): void {
    this.open = parseStored<OpenEvent>(text);
  }
}

/** Alarms of one unit grid that come too fast to be told one by one. */
export class GridStorm extends Telling {
  readonly cell: string;
  state: StormState = CALM;
  /** Whose alarm was the last before it became one: where people begin to look. */
  at: RegisteredDevice | null = null;
  /** Devices whose alarms it stands for. */
  readonly devices = new Set<string>();
  told: number | null = null;

  get whom(): number {
    return this.devices.size;
  }

  constructor(cell: string) {
    super();
    this.cell = cell;
  }

  about(now: number): About {
    // Nobody raises it before an alarm has come.
    const { device, kind, place } = this.at as RegisteredDevice;
    const children = childrenOf(this.devices);
    return {
      class: classIn(device.component, 'alarm_storm'),
      severity: severityOf('alarm_storm'),
      place,
      origin: { by: 'sensor', device: device.id, kind: kind.kind, rule: 'storm', field: 'alarms', value: children.count },
      seenAt: now,
      children,
    };
  }

  stored(clock: Clock): StateChange[] {
    const { phase, times } = movedStorm(this.state, toUtc(clock));
    const kept = { phase, times, open: this.open, at: this.at?.device.id ?? null, devices: [...this.devices] };
    return [{ key: stormKey(this.cell), value: this.open === null ? null : JSON.stringify(kept) }];
  }

  /**
   * Only one that goes on is kept: the times that lead to one begin anew after a restart. `other` is a device of the cell, in
   * place of one that is configured no more.
   */
  restore(text: string, registry: ReadonlyMap<string, RegisteredDevice>, other: RegisteredDevice, clock: Clock): void {
    const stored = parseStored<StormState & { open: OpenEvent | null; at: string | null; devices: string[] }>(text);
    if (!stored || stored.open === null || stored.phase !== 'storm' || !Array.isArray(stored.times)) return;
    this.state = movedStorm({ phase: 'storm', times: stored.times }, -toUtc(clock), clock.monotonic());
    this.open = stored.open;
    this.at = registry.get(stored.at ?? '') ?? other;
    for (const id of stored.devices) this.devices.add(id);
  }
}

/** An event for many says again how many they have become: a circuit fails lamp by lamp, and one revision a second says as much as one for each. */
export function recount(teller: EventTeller, many: GroupAlarm | GridStorm): void {
  // While the disk is away, one revision that waits says as much as many.
  if (many.open === null || many.saving !== null || many.told === many.whom) return;
  many.told = many.whom;
  teller.update(many);
}

export const groupKey = (group: string, rule: string) => `group/${group}/${rule}`;
export const unstableKey = (device: string) => `unstable/${device}`;
export const stormKey = (cell: string) => `storm/${cell}`;
