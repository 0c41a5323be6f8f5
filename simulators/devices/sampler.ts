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
}

/** What a device would say just now. */
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
/** A lithium cell over its years: hardly anything in a demo. */
const BATTERY_V_PER_DAY = 0.0003;
const BATTERY_NOISE_V = 0.003;

/**
 * Normal samples of any kind, from the example that the kind gives: noise on what is measured, the day in temperatures, a
 * battery that drains; then the habits of its kind. Nothing of it breaks a default rule.
 */
export function createSampler(kind: DeviceKind, seed: number): Sampler {
  const dice = diceOf(seed, 91);
  const usual = individual(kind, dice);
  const habits = KIND_HABITS[kind.kind];
  return (time) => {
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

function measured(name: string, value: number, { hour, elapsedS }: SampleTime, dice: Dice): number {
  const noise = dice.between(-1, 1);
  if (name === 'battery_v') return value - (elapsedS / 86_400) * BATTERY_V_PER_DAY + noise * BATTERY_NOISE_V;
  if (name === 'rssi') return Math.round(value + noise * RSSI_NOISE_DBM);
  if (name === 'dim_set_pct') return value;
  const swing = name.endsWith('_c') ? (DAY_SWING_C / 2) * Math.cos(((hour - WARMEST_HOUR) / 12) * Math.PI) : 0;
  return value * (1 + noise * (STEADY.has(name) ? NOISE_STEADY : NOISE)) + swing;
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
