import type { FieldSpec } from '../readings/mod.ts';
import type { MissingRule, ThresholdRule } from '../rules/mod.ts';

/** A kind of sensor: one file in this folder, one line in `mod.ts`. */
export interface DeviceKind {
  /** Measurement and configuration name, snake_case: `manhole_cover`. */
  kind: string;
  labelZh: string;
  labelEn: string;
  /** Four-digit component classes that such a device may sit on. */
  componentClasses: readonly string[];
  fields: Readonly<Record<string, FieldSpec>>;
  /** Default alarm rules, source: docs/domain/sensors.md. */
  rules: readonly ThresholdRule[];
  /** Where silence itself is an alarm; the time follows from the interval where it is not given. */
  absence: MissingRule;
  /** Own report interval in seconds: normally, and while in alarm. */
  intervalS: { normal: number; alarm: number };
  /** A payload as such a device sends it, all fields, everything normal. */
  example: Readonly<Record<string, number | boolean>>;
}

/** A device is silent after two and a half of its own intervals, within these bounds. Source: docs/domain/sensors.md, all kinds. */
const SILENT_INTERVALS = 2.5;
const SILENT_S_MIN = 30 * 60;
const SILENT_S_MAX = 75 * 3600;

/** Seconds without a report after which a device of this kind counts as silent. */
export function silentAfterS({ intervalS }: Pick<DeviceKind, 'intervalS'>): number {
  return Math.min(SILENT_S_MAX, Math.max(SILENT_S_MIN, intervalS.normal * SILENT_INTERVALS));
}

/** The alarm of a silent device, the same for all kinds. */
export const OFFLINE: MissingRule = { id: 'offline', missing: {}, raises: { fault: 'device_offline' }, severity: 'normal' };
