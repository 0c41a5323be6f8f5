import type { FieldSpec } from '../readings/mod.ts';
import type { ThresholdRule } from '../rules/mod.ts';

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
  /** Own report interval in seconds: normally, and while in alarm. */
  intervalS: { normal: number; alarm: number };
  /** A payload as such a device sends it, all fields, everything normal. */
  example: Readonly<Record<string, number | boolean>>;
}
