import type { DeviceKind } from './kind.ts';

export type { DeviceKind } from './kind.ts';

/** Every kind of sensor. To add one: a file in this folder, a line here. */
export const DEVICE_KINDS: readonly DeviceKind[] = [];

export function deviceKind(kind: string): DeviceKind | undefined {
  return DEVICE_KINDS.find((k) => k.kind === kind);
}
