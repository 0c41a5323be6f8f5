import { deviceKind } from '#grid/mod.ts';
import { hash } from '../cameras/street/mod.ts';
import { noise2 } from '../cameras/street/seed.ts';
import { createSampler, type Fields, type Sampler, type Surroundings } from '../devices/mod.ts';
import type { DeviceTable } from './table.ts';
import { rainAt, type Shower, Storage, skyLux, trafficAt } from './weather.ts';

/** What befalls a part of the city, or one device of it; world hours of the scenario. */
export type WorldIncident = { fromH: number; toH: number } & (
  | { what: 'feeder-fault'; circuit: string }
  | { what: 'burst-main'; zone: string }
  /** Devices there reach nobody, and keep what they measure. */
  | { what: 'network-outage'; basin?: string }
  | { what: 'device-fault'; device: number; fields: Readonly<Fields> }
);

export interface WorldOptions {
  table: DeviceTable;
  seed: number;
  /** Hour of the day at which the scenario begins. */
  startHour: number;
  showers: readonly Shower[];
  /** 0..1. */
  clouds: number;
  temperatureC: number;
  /** Factor on the day's traffic: a festival, New Year's Eve. */
  crowd: number;
  incidents: readonly WorldIncident[];
}

/** mm/h that a basin's drains carry. */
const CAPACITY_MM_PER_H = [14, 34] as const;
/** Metres that a shaft fills by a mm of water which the drains did not take, by how low its cover lies. */
const SHAFT_M_PER_MM = [0.03, 0.12] as const;
/** A burst main: what is left of the pressure near to it and far from it, MPa, and how fast it goes. */
const BURST_MPA = [0.085, 0.125] as const;
const BURST_FALL_MPA = 0.2;
const BURST_H = 30 / 3600;
/** Circuits switch by a photocell of their own. */
const SWITCH_LUX = [30, 90] as const;
const FADE_DB = 9;
const CROWD_FADE_DB = 7;
const FADES_PER_H = 4;
const AGE_DAYS_MAX = 2_000;
/** Batteries and air of a sensor's usual day, °C. */
const USUAL_C = 18;

/**
 * The city as its devices find it: a pure function of seed, time, weather and incidents, at any speed and in any order.
 *
 *   rain --> storage of each basin --> water in its shafts      feeder --> its lamps
 *   sun, clouds --> light --> lamps of each circuit             main --> pressure of its zone
 *   hour, crowd --> traffic --> vibration of covers; fading of the radio network
 *   age, frost --> batteries
 */
export class World {
  readonly #options: WorldOptions;
  readonly #storage: Storage[];
  /** What never changes of a circuit and of a device: worked out once, because it runs for every sample. */
  readonly #switchLux: number[];
  readonly #riseMPerMm: Float32Array;
  readonly #ageDays: Float32Array;
  readonly #byCircuit = new Map<number, WorldIncident[]>();
  readonly #byZone = new Map<number, WorldIncident[]>();
  readonly #byDevice = new Map<number, Extract<WorldIncident, { what: 'device-fault' }>[]>();
  readonly #outages: Extract<WorldIncident, { what: 'network-outage' }>[] = [];
  readonly #samplers = new Map<number, Sampler>();

  /** Throws RangeError on an incident that names nothing of the city. */
  constructor(options: WorldOptions) {
    this.#options = options;
    const { table, seed, showers, incidents } = options;
    this.#storage = table.basins.map((_, b) => new Storage(showers, between(CAPACITY_MM_PER_H, chance(seed, 1, b))));
    this.#switchLux = table.circuits.map((_, c) => between(SWITCH_LUX, chance(seed, 2, c)));
    this.#riseMPerMm = new Float32Array(table.count).map((_, i) => between(SHAFT_M_PER_MM, chance(table.seed[i] as number, 3)));
    this.#ageDays = new Float32Array(table.count).map((_, i) => AGE_DAYS_MAX * chance(table.seed[i] as number, 5));
    for (const incident of incidents) {
      if (incident.what === 'feeder-fault') add(this.#byCircuit, indexOf(table.circuits, incident.circuit), incident);
      else if (incident.what === 'burst-main') add(this.#byZone, indexOf(table.zones, incident.zone), incident);
      else if (incident.what === 'device-fault') add(this.#byDevice, incident.device, incident);
      else {
        if (incident.basin !== undefined) indexOf(table.basins, incident.basin);
        this.#outages.push(incident);
      }
    }
  }

  get table(): DeviceTable {
    return this.#options.table;
  }

  /** What the device says at that moment. */
  sample(device: number, hour: number): Fields {
    const { startHour } = this.#options;
    const fields = this.#sampler(device)({
      hour: (startHour + hour) % 24,
      elapsedS: hour * 3600,
      surroundings: this.surroundings(device, hour),
    });
    for (const fault of this.#byDevice.get(device) ?? []) if (stands(fault, hour)) Object.assign(fields, fault.fields);
    return fields;
  }

  surroundings(device: number, hour: number): Surroundings {
    const { table, startHour, crowd, temperatureC, seed } = this.#options;
    const hourOfDay = (startHour + hour) % 24;
    const [basin, circuit, zone, own] = [table.basin[device], table.circuit[device], table.zone[device], table.seed[device]] as [
      number,
      number,
      number,
      number,
    ];
    const lux = this.lux(hour);
    const traffic = Math.min(1, trafficAt(hourOfDay) * crowd);
    const around: Surroundings = {
      lux,
      lit: lux < (this.#switchLux[circuit] ?? SWITCH_LUX[0]),
      dark: this.#byCircuit.get(circuit)?.some((i) => stands(i, hour)) ?? false,
      waterRiseM: (this.#storage[basin]?.at(hour) ?? 0) * (this.#riseMPerMm[device] as number),
      traffic,
      ageDays: (this.#ageDays[device] as number) + hour / 24,
      airC: temperatureC - USUAL_C,
      fadeDb: noise2(hour * FADES_PER_H, basin, seed) * FADE_DB + Math.max(0, crowd - 1) * CROWD_FADE_DB,
    };
    const burst = this.#byZone.get(zone)?.find((i) => stands(i, hour));
    if (burst !== undefined) around.burstMpa = burstMpa(own, hour - burst.fromH);
    return around;
  }

  /** Whether the network carries what it sends. */
  reachable(device: number, hour: number): boolean {
    const { table } = this.#options;
    return !this.#outages.some(
      (o) => stands(o, hour) && (o.basin === undefined || table.basins[table.basin[device] as number] === o.basin),
    );
  }

  /** Water that the drains of a basin have not taken, mm. */
  standingMm(basin: number, hour: number): number {
    return this.#storage[basin]?.at(hour) ?? 0;
  }

  /** Light of the sky, lx. */
  lux(hour: number): number {
    const { startHour, clouds } = this.#options;
    return skyLux((startHour + hour) % 24, Math.max(clouds, Math.min(1, this.rainMmPerH(hour) / 20)));
  }

  rainMmPerH(hour: number): number {
    return rainAt(this.#options.showers, hour);
  }

  #sampler(device: number): Sampler {
    let sampler = this.#samplers.get(device);
    if (sampler === undefined) {
      const { table } = this.#options;
      const kind = deviceKind(table.kind(device));
      if (kind === undefined) throw new RangeError(`there is no kind ${table.kind(device)}`);
      sampler = createSampler(kind, table.seed[device] as number);
      this.#samplers.set(device, sampler);
    }
    return sampler;
  }
}

function stands({ fromH, toH }: { fromH: number; toH: number }, hour: number): boolean {
  return hour >= fromH && hour < toH;
}

/** What a burst main leaves at a device after so many hours: it falls within seconds. */
function burstMpa(own: number, sinceH: number): number {
  return between(BURST_MPA, chance(own, 4)) + BURST_FALL_MPA * Math.exp(-sinceH / BURST_H);
}

function chance(...words: number[]): number {
  return hash(...words) / 2 ** 32;
}

function between([low, high]: readonly [number, number], share: number): number {
  return low + (high - low) * share;
}

function indexOf(names: readonly string[], name: string): number {
  const at = names.indexOf(name);
  if (at < 0) throw new RangeError(`the city has no ${name}`);
  return at;
}

function add<T>(map: Map<number, T[]>, key: number, value: T): void {
  const list = map.get(key);
  if (list) list.push(value);
  else map.set(key, [value]);
}
