import {
  ALARM_LIMITS,
  type AlarmLimits,
  applyLimitsProfile,
  applyMissingProfile,
  applyProfile,
  type CellIndex,
  type DeviceKind,
  deviceKind,
  distanceM,
  GROUP_ALARMS,
  type GroupAlarms,
  type GroupKind,
  type MissingRule,
  NEAR_CELL_M,
  PLAUSIBILITY_CHECKS,
  PLAUSIBILITY_RULES,
  type Place,
  type Profile,
  type Site,
  type SiteDevice,
  type SiteGroup,
  silentAfterS,
  type ThresholdRule,
} from '#grid/mod.ts';

/** A maintenance window or work permit, UTC ms: from `from` on, and no longer at `to`. */
export interface MaintenanceWindow {
  from: number;
  to: number;
}

/** A circuit, pressure zone or basin as the node knows it. One object for all its members. */
export interface RegisteredGroup {
  id: string;
  kind: GroupKind;
  alarms: GroupAlarms;
  /** Of the feeder, or the middle of the members. */
  place: Place & { component: string };
  members: number;
  windows: readonly MaintenanceWindow[];
}

/** A device as the node knows it: its registration, kind, rules in force and place. */
export interface RegisteredDevice {
  device: SiteDevice;
  kind: DeviceKind;
  rules: readonly ThresholdRule[];
  /** Rules over the verdicts of plausibility; see PLAUSIBILITY_RULES. */
  checks: readonly ThresholdRule[];
  /** With its time; null where silence is no alarm. */
  absence: MissingRule | null;
  place: Place;
  groups: readonly RegisteredGroup[];
  /** Of the device alone; those of its groups stand there. */
  windows: readonly MaintenanceWindow[];
  limits: AlarmLimits;
}
export type DeviceRegistry = ReadonlyMap<string, RegisteredDevice>;

/** Surveyed positions: accuracy classes A to B and some metres for the map. */
const REGISTERED_ERROR_M = 5;
/** The middle of a group says no more than that its members are around it. */
const GROUP_ERROR_M_MAX = 1000;

/** Devices whose kind or cell is unknown are left out; `loadEdgeConfig` has refused such a site before. */
export function createRegistry(site: Site, cells: CellIndex, profile: Profile): DeviceRegistry {
  const registry = new Map<string, RegisteredDevice>();
  const groups = createGroups(site, cells);
  const windows = windowsByDevice(site);
  const limits = applyLimitsProfile({ ...ALARM_LIMITS, ...site.alarms }, profile);
  for (const device of site.devices) {
    const kind = deviceKind(device.kind);
    const cell = cells.cellNear(device, NEAR_CELL_M);
    if (kind === undefined || cell === null) continue;
    const off = (id: string) => device.rules?.[id] === false;
    registry.set(device.id, {
      device,
      kind,
      rules: applyProfile(rulesOf(kind, device), profile),
      checks: PLAUSIBILITY_CHECKS.filter((c) => !off(c)).map((c) => PLAUSIBILITY_RULES[c]),
      absence: absenceOf(kind, device, profile),
      place: { lon: device.lon, lat: device.lat, errorRadiusM: REGISTERED_ERROR_M, cell, component: device.component },
      groups: groupsOf(device).flatMap((id) => groups.get(id) ?? []),
      windows: windows.get(device.id) ?? [],
      limits: off('unstable') ? { ...limits, flapping: false } : limits,
    });
  }
  return registry;
}

/** Other maintenance windows, put in force without touching anything else. */
export function setMaintenance(registry: DeviceRegistry, site: Pick<Site, 'maintenance'>): void {
  const windows = windowsByDevice(site);
  for (const [id, device] of registry) {
    device.windows = windows.get(id) ?? [];
    for (const group of device.groups) group.windows = windowsOfGroup(site, group.id);
  }
}

/** The kind's rules, less those that the registration switches off, with those that it replaces or adds. */
function rulesOf(kind: DeviceKind, device: SiteDevice): ThresholdRule[] {
  const overrides = device.rules ?? {};
  const kept = kind.rules.filter((r) => overrides[r.id] === undefined);
  return [...kept, ...Object.values(overrides).filter((r) => r !== false && 'when' in r)];
}

function absenceOf(kind: DeviceKind, device: SiteDevice, profile: Profile): MissingRule | null {
  const override = device.rules?.[kind.absence.id];
  if (override === false) return null;
  const rule = override !== undefined && 'missing' in override ? override : kind.absence;
  return applyMissingProfile(rule, silentAfterS(kind), profile);
}

export const groupsOf = ({ circuit, pressureZone, drainageBasin }: SiteDevice): string[] =>
  [circuit, pressureZone, drainageBasin].filter((id) => id !== undefined);

function createGroups(site: Site, cells: CellIndex): ReadonlyMap<string, RegisteredGroup> {
  const members = new Map<string, SiteDevice[]>();
  for (const device of site.devices)
    for (const id of groupsOf(device)) {
      const list = members.get(id);
      if (list) list.push(device);
      else members.set(id, [device]);
    }
  const registered = (site.groups ?? []).flatMap((group): [string, RegisteredGroup][] => {
    const list = members.get(group.id) ?? [];
    const place = placeOf(group, list, cells);
    if (place === null) return [];
    const windows = windowsOfGroup(site, group.id);
    return [
      [group.id, { id: group.id, kind: group.kind, alarms: GROUP_ALARMS[group.kind], place, members: list.length, windows }],
    ];
  });
  return new Map(registered);
}

function placeOf(
  { component, position }: SiteGroup,
  members: readonly SiteDevice[],
  cells: CellIndex,
): RegisteredGroup['place'] | null {
  const first = members[0];
  if (first === undefined) return null;
  const mean = (of: 'lon' | 'lat') => members.reduce((sum, m) => sum + m[of], 0) / members.length;
  const { lon, lat } = position ?? { lon: mean('lon'), lat: mean('lat') };
  const cell = cells.cellNear({ lon, lat }, NEAR_CELL_M) ?? cells.cellNear(first, NEAR_CELL_M);
  if (cell === null) return null;
  const farthestM = Math.max(...members.map((m) => distanceM({ lon, lat }, m)));
  const errorRadiusM = position ? REGISTERED_ERROR_M : Math.max(REGISTERED_ERROR_M, Math.min(GROUP_ERROR_M_MAX, farthestM));
  return { lon, lat, errorRadiusM, cell, component };
}

function windowsOfGroup({ maintenance = [] }: Pick<Site, 'maintenance'>, group: string): MaintenanceWindow[] {
  return maintenance.filter((m) => m.group === group).map(toWindow);
}

function windowsByDevice({ maintenance = [] }: Pick<Site, 'maintenance'>): Map<string, MaintenanceWindow[]> {
  const windows = new Map<string, MaintenanceWindow[]>();
  for (const m of maintenance)
    for (const id of m.devices ?? []) {
      const list = windows.get(id);
      if (list) list.push(toWindow(m));
      else windows.set(id, [toWindow(m)]);
    }
  return windows;
}

const toWindow = ({ from, to }: { from: string; to: string }) => ({ from: Date.parse(from), to: Date.parse(to) });
