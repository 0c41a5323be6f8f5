import type { Dice } from '../cameras/street/mod.ts';
import type { Fields, SampleTime } from './sampler.ts';

/** What a kind does of its own besides being measured; changes `fields` in place. A kind without habits needs no line here. */
export type Habits = (fields: Fields, time: SampleTime, dice: Dice) => void;

const LAMPS_ON_HOUR = 18;
const LAMPS_OFF_HOUR = 6;
const NOON_LUX = 40_000;
const STANDBY_W = 0.6;
const RATED_A = 0.46;

/** Lamps burn at night; by day only their controller is awake, and the light sensor sees the sky. A dead feeder leaves them dark. */
function lamp(fields: Fields, { hour, surroundings }: SampleTime, dice: Dice): void {
  const lit = surroundings?.lit ?? (hour >= LAMPS_ON_HOUR || hour < LAMPS_OFF_HOUR);
  if (lit) {
    fields.current_ratio = (fields.current_a as number) / RATED_A;
    if (surroundings?.dark === true)
      Object.assign(fields, { power_w: 0, current_a: 0, current_ratio: 0, dim_pct: 0, dim_error_pct: 0 });
    return;
  }
  const sun = Math.max(0, Math.sin(((hour - LAMPS_OFF_HOUR) / (LAMPS_ON_HOUR - LAMPS_OFF_HOUR)) * Math.PI));
  Object.assign(fields, { commanded_on: false, power_w: STANDBY_W, current_a: 0.003, current_ratio: 0.006, power_factor: 0.5 });
  Object.assign(fields, { dim_set_pct: 0, dim_pct: 0, dim_error_pct: 0 });
  fields.lux = (surroundings?.lux ?? 20 + sun * NOON_LUX) * dice.between(0.9, 1.1);
}

/** Hours at which everybody draws water, and how much the main gives way. */
const PEAKS = [7.5, 19] as const;
const PEAK_DROP_MPA = 0.04;
const PRESSURE_NOISE = 0.01;

function hydrant(fields: Fields, { hour, surroundings }: SampleTime, dice: Dice): void {
  const drop = Math.max(...PEAKS.map((peak) => Math.exp(-((hour - peak) ** 2) / 2)));
  const usual = (fields.pressure_mpa as number) - drop * PEAK_DROP_MPA;
  const burst = surroundings?.burstMpa;
  fields.pressure_mpa =
    burst === undefined ? usual : Math.min(usual, burst * dice.between(1 - PRESSURE_NOISE, 1 + PRESSURE_NOISE));
}

/** A lorry over a cover: g at the busiest hour, and how often a sample falls into such a moment. */
const LORRY_G = 0.6;
const LORRIES = 0.25;

function cover(fields: Fields, { surroundings }: SampleTime, dice: Dice): void {
  if (surroundings === undefined) return;
  const { waterRiseM = 0, traffic = 0 } = surroundings;
  fields.water_level_m = (fields.water_level_m as number) - waterRiseM;
  if (dice.chance(LORRIES * traffic)) fields.vibration_g = (fields.vibration_g as number) + LORRY_G * traffic * dice.next();
}

export const KIND_HABITS: Readonly<Record<string, Habits>> = { streetlight: lamp, fire_hydrant: hydrant, manhole_cover: cover };
