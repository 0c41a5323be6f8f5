/** A sample of one device, as it travels. Fields are numbers and booleans only; strings live in the registry. */
export interface Reading {
  /** Measurement: the device kind, snake_case (`manhole_cover`). */
  kind: string;
  device: string;
  /** 15-digit unit grid of the device. */
  cell: string;
  edge: string;
  /** UTC ms, strictly increasing per device. */
  ts: number;
  fields: Record<string, number | boolean>;
}

/** What a device is asked to send; one JSON object, flat. */
export type FieldType = 'number' | 'boolean';
export interface FieldSpec {
  type: FieldType;
  /** Unit as shown to people: '°', 'MPa', 'V', ''. */
  unit: string;
  /** Outside of it a value is implausible: the reading is kept, the rule does not run on it. */
  min?: number;
  max?: number;
  labelZh: string;
  labelEn: string;
}
