import {
  applyProfile,
  type CellIndex,
  type DeviceKind,
  deviceKind,
  NEAR_CELL_M,
  type Place,
  type Profile,
  type Site,
  type SiteDevice,
  type ThresholdRule,
} from '#grid/mod.ts';

/** A device as the node knows it: its registration, kind, rules in force and place. */
export interface RegisteredDevice {
  device: SiteDevice;
  kind: DeviceKind;
  rules: readonly ThresholdRule[];
  place: Place;
}
export type DeviceRegistry = ReadonlyMap<string, RegisteredDevice>;

/** Surveyed positions: accuracy classes A to B and some metres for the map. */
const REGISTERED_ERROR_M = 5;

/** Devices whose kind or cell is unknown are left out; `loadEdgeConfig` has refused such a site before. */
export function createRegistry(site: Site, cells: CellIndex, profile: Profile): DeviceRegistry {
  const registry = new Map<string, RegisteredDevice>();
  for (const device of site.devices) {
    const kind = deviceKind(device.kind);
    const cell = cells.cellNear(device, NEAR_CELL_M);
    if (kind === undefined || cell === null) continue;
    const place = { lon: device.lon, lat: device.lat, errorRadiusM: REGISTERED_ERROR_M, cell, component: device.component };
    registry.set(device.id, { device, kind, rules: applyProfile(rulesOf(kind, device), profile), place });
  }
  return registry;
}

/** The kind's rules, less those that the registration switches off, with those that it replaces or adds. */
function rulesOf(kind: DeviceKind, device: SiteDevice): ThresholdRule[] {
  const overrides = device.rules ?? {};
  const kept = kind.rules.filter((r) => overrides[r.id] === undefined);
  return [...kept, ...Object.values(overrides).filter((r) => r !== false)];
}
