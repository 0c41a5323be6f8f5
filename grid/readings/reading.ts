/** A sample of one device, as it travels. Fields are numbers and booleans only; strings live in the registry. */
export interface Reading {
  /** Measurement: the device kind, snake_case (`manhole_cover`). */
  kind: string;
  device: string;
  /** 15-digit unit grid of the device. */
  cell: string;
  edge: string;
  /** UTC ms. */
  ts: number;
  /** Microseconds within `ts`, 0 to 999: what tells apart samples of one device and ms, so that none overwrites another. */
  us: number;
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
  /** Measured with noise finer than its last digit: a value that stays the same to the last bit is a stuck sensor. */
  noisy?: true;
  /** Two reports cannot differ by more, whatever happens: not set where an alarm itself is such a jump. */
  jumpMax?: number;
  labelZh: string;
  labelEn: string;
}
