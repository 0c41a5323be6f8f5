import type { DeviceKind } from '#grid/mod.ts';
import { type Dice, diceOf } from '../cameras/street/mod.ts';
import { KIND_HABITS } from './habits.ts';

export type Fields = Record<string, number | boolean>;

/** The moment at which a device looks. */
export interface SampleTime {
  /** Hour of the day where it stands, 0..24. */
  hour: number;
  /** Seconds since the device was put in. */
  elapsedS: number;
  /** Where it stands in a world that has weather and mains; a calm day of its own where not given. */
  surroundings?: Surroundings;
}

/** What happens around a device. What a kind does not measure leaves it cold. */
export interface Surroundings {
  /** Of the sky. */
  lux?: number;
  /** Its circuit is switched on; and whether its feeder is dead all the same. */
  lit?: boolean;
  dark?: boolean;
  /** Water stands so much higher in its shaft. */
  waterRiseM?: number;
  /** What a burst main leaves. */
  burstMpa?: number;
  /** Share of the busiest hour's traffic. */
  traffic?: number;
  /** Of its battery. */
  ageDays?: number;
  /** The air is so much warmer than usual. */
  airC?: number;
  /** The radio network is so much weaker. */
  fadeDb?: number;
}

/** What a device says at a moment: the same for the same moment, whatever was asked before. */
export type Sampler = (time: SampleTime) => Fields;

/** Share of a value by which two samples differ; what is zero stays zero. */
const NOISE = 0.02;
/** Of what hardly moves. */
const NOISE_STEADY = 0.002;
/** Devices of a kind are not all alike. */
const SPREAD = 0.04;
/** The same for every device of a kind: air, a set value, a fresh battery. */
const STEADY: ReadonlySet<string> = new Set(['o2_pct', 'dim_set_pct', 'battery_v']);
const RSSI_NOISE_DBM = 3;
/** Between the coldest and the warmest hour. */
const DAY_SWING_C = 3;
const WARMEST_HOUR = 15;
/** Mains lie in the ground, which follows the air only so far. */
const GROUND_SHARE = 0.3;
/** A lithium cell over its years: hardly anything in a demo. It gives less when it is cold, and one that is nearly empty much less. */
const BATTERY_V_PER_DAY = 0.0001;
const BATTERY_V_PER_C = 0.001;
const WORN_V_PER_C = 0.008;
const WORN_DAYS = [1_950, 2_000] as const;
const BATTERY_NOISE_V = 0.003;

/**
 * Normal samples of any kind, from the example that the kind gives: noise on what is measured, the day in temperatures, a
 * battery that drains; then the habits of its kind. Nothing of it breaks a default rule.
 */
export function createSampler(kind: DeviceKind, seed: number): Sampler {
  const usual = individual(kind, diceOf(seed, 91));
  const habits = KIND_HABITS[kind.kind];
  return (time) => {
    const dice = diceOf(seed, 94, Math.round(time.elapsedS * 1000));
    const fields: Fields = {};
    for (const name in usual) {
      const value = usual[name] as number | boolean;
      fields[name] = typeof value === 'number' ? measured(name, value, time, dice) : value;
    }
    habits?.(fields, time, dice);
    for (const name in fields) {
      const value = fields[name];
      const { min, max } = kind.fields[name] ?? {};
      if (typeof value === 'number') fields[name] = rounded(Math.max(min ?? value, Math.min(max ?? value, value)));
    }
    return fields;
  };
}

/** One device's own values: near the example of its kind. */
function individual(kind: DeviceKind, dice: Dice): Fields {
  const entries = Object.entries(kind.example).map(([name, value]): [string, number | boolean] => {
    const alike = typeof value === 'boolean' || STEADY.has(name);
    return [name, alike ? value : value * (1 + dice.between(-SPREAD, SPREAD))];
  });
  return Object.fromEntries(entries);
}

function measured(name: string, value: number, { hour, elapsedS, surroundings = {} }: SampleTime, dice: Dice): number {
  const noise = dice.between(-1, 1);
  const { ageDays = elapsedS / 86_400, airC = 0, fadeDb = 0 } = surroundings;
  if (name === 'battery_v')
    return value - ageDays * BATTERY_V_PER_DAY - coldV(ageDays, Math.max(0, -airC)) + noise * BATTERY_NOISE_V;
  if (name === 'rssi') return Math.round(value - fadeDb + noise * RSSI_NOISE_DBM);
  if (name === 'dim_set_pct') return value;
  const airShare = name === 'water_temp_c' ? GROUND_SHARE : 1;
  const swing = name.endsWith('_c') ? airC * airShare + (DAY_SWING_C / 2) * Math.cos(((hour - WARMEST_HOUR) / 12) * Math.PI) : 0;
  return value * (1 + noise * (STEADY.has(name) ? NOISE_STEADY : NOISE)) + swing;
}

/** What cold, degrees below the usual, takes from a cell of that age. */
function coldV(ageDays: number, cold: number): number {
  const [from, to] = WORN_DAYS;
  const worn = Math.min(1, Math.max(0, (ageDays - from) / (to - from)));
  return cold * (BATTERY_V_PER_C + worn * WORN_V_PER_C);
}

/** Lays an incident over a sample; what is measured stays noisy. */
export function withIncident(fields: Fields, incident: Readonly<Fields>, dice: Dice): Fields {
  const laid: Fields = { ...fields };
  for (const name in incident) {
    const value = incident[name] as number | boolean;
    laid[name] = typeof value === 'number' ? rounded(value * (1 + dice.between(-1, 1) * (NOISE / 4))) : value;
  }
  return laid;
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}
