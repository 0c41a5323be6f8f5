/** A way in which a device of a kind can be wrong, and the rule that must notice. */
export interface DeviceFault {
  kind: string;
  rule: string;
  /** Laid over the normal sample. */
  fields: Readonly<Record<string, number | boolean>>;
}

const of = (kind: string, faults: readonly [rule: string, fields: DeviceFault['fields']][]): DeviceFault[] =>
  faults.map(([rule, fields]) => ({ kind, rule, fields }));

/** What is wrong when a lamp that should burn is dark. */
const DARK = { commanded_on: true, power_w: 0, current_a: 0, current_ratio: 0, dim_pct: 0, dim_error_pct: 0 };

/**
 * What is staged: each breaks exactly one rule of its kind, and its end clears it. A lamp that burns by day is not among
 * them, because it is always evening in the demo.
 */
export const DEVICE_FAULTS: Readonly<Record<string, readonly DeviceFault[]>> = {
  manhole_cover: of('manhole_cover', [
    ['cover-tilt', { tilt_deg: 25, vibration_g: 0.4 }],
    ['cover-opened', { opened: true }],
    ['methane-high', { ch4_pct_lel: 32 }],
    ['water-at-rim', { water_level_m: 0.08 }],
    ['h2s-high', { h2s_ppm: 14 }],
    ['cover-overturned', { tilt_deg: 140, vibration_g: 1.2 }],
    ['oxygen-low', { o2_pct: 17.8 }],
    ['co-high', { co_ppm: 45 }],
    ['methane-critical', { ch4_pct_lel: 65 }],
    ['shaft-smoke', { smoke: true }],
    ['shaft-hot', { temperature_c: 76 }],
    ['cover-displaced', { displaced: true }],
    ['battery-low', { battery_v: 2.95 }],
  ]),
  streetlight: of('streetlight', [
    ['lamp-out', DARK],
    ['leakage', { leakage_ma: 45 }],
    ['pole-tilt', { tilt_deg: 18 }],
    ['door-open', { door_open: true }],
    ['voltage-low', { voltage_v: 158 }],
    ['over-current', { current_ratio: 1.6, current_a: 0.74 }],
    ['control-fault', { dim_pct: 60, dim_error_pct: 40 }],
    ['pole-fallen', { tilt_deg: 80 }],
    ['water-in-base', { water_in_base: true }],
    ['voltage-high', { voltage_v: 278 }],
    ['controller-hot', { temperature_c: 84 }],
  ]),
  fire_hydrant: of('fire_hydrant', [
    ['low-pressure', { pressure_mpa: 0.08 }],
    ['tilted', { tilt_deg: 32, struck: true }],
    ['unauthorised-use', { flow_l_s: 6.5, water_present: true }],
    ['no-water', { pressure_mpa: 0.01 }],
    ['cap-open', { cap_open: true }],
    ['over-pressure', { pressure_mpa: 1.2 }],
    ['leak', { flow_l_s: 0.2, water_present: true }],
    ['knocked-over', { knocked_over: true, struck: true }],
    ['freeze-risk', { water_temp_c: 0.4 }],
    ['battery-low', { battery_v: 3.05 }],
  ]),
};
