import { fireHydrant } from './fire_hydrant.ts';
import type { DeviceKind } from './kind.ts';
import { manholeCover } from './manhole_cover.ts';
import { streetlight } from './streetlight.ts';

export * from './groups.ts';
export { type DeviceKind, silentAfterS } from './kind.ts';
export * from './payload.ts';
export * from './profile.ts';

/** Every kind of sensor. To add one: a file in this folder, a line here. */
export const DEVICE_KINDS: readonly DeviceKind[] = [manholeCover, streetlight, fireHydrant];

const byName = new Map(DEVICE_KINDS.map((k) => [k.kind, k]));

export function deviceKind(kind: string): DeviceKind | undefined {
  return byName.get(kind);
}
