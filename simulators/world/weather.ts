/** Rain falls evenly between two moments, world hours of the scenario. */
export interface Shower {
  fromH: number;
  toH: number;
  mmPerH: number;
}

/**
 * Water above what the drains carry, mm, as a function of time: it rises by rain less the drains' capacity and falls by the
 * capacity, never below nothing. Worked out once as straight pieces, so that any moment costs a search.
 */
export class Storage {
  readonly #atH: number[] = [0];
  readonly #mm: number[] = [0];
  readonly #capacityMmPerH: number;

  constructor(showers: readonly Shower[], capacityMmPerH: number) {
    this.#capacityMmPerH = capacityMmPerH;
    const times = [...new Set(showers.flatMap((s) => [s.fromH, s.toH]))].filter((h) => h > 0).sort((a, b) => a - b);
    for (const toH of times) {
      const fromH = this.#atH.at(-1) as number;
      const before = this.#mm.at(-1) as number;
      const net = rainAt(showers, (fromH + toH) / 2) - capacityMmPerH;
      const after = before + net * (toH - fromH);
      // Dry before the end of the piece: a corner of its own.
      if (after < 0 && before > 0) this.#push(fromH + before / -net, 0);
      this.#push(toH, Math.max(0, after));
    }
  }

  at(hour: number): number {
    let i = this.#atH.length - 1;
    while (i > 0 && (this.#atH[i] as number) > hour) i--;
    const [fromH, mm] = [this.#atH[i] as number, this.#mm[i] as number];
    const next = this.#atH[i + 1];
    if (next === undefined) return Math.max(0, mm - this.#capacityMmPerH * (hour - fromH));
    return mm + (((this.#mm[i + 1] as number) - mm) * (Math.max(fromH, hour) - fromH)) / (next - fromH);
  }

  #push(hour: number, mm: number): void {
    this.#atH.push(hour);
    this.#mm.push(mm);
  }
}

/** mm/h of all showers together. */
export function rainAt(showers: readonly Shower[], hour: number): number {
  return showers.reduce((sum, s) => sum + (hour >= s.fromH && hour < s.toH ? s.mmPerH : 0), 0);
}

const SUNRISE_H = 6;
const SUNSET_H = 18;
const NOON_LUX = 40_000;
const NIGHT_LUX = 4;

/** Light of the sky, lx; clouds (0..1) take up to nine tenths of it. */
export function skyLux(hourOfDay: number, clouds: number): number {
  const height = Math.sin(((hourOfDay - SUNRISE_H) / (SUNSET_H - SUNRISE_H)) * Math.PI);
  return NIGHT_LUX + Math.max(0, height) * NOON_LUX * (1 - 0.9 * clouds);
}

/** Share of the day's busiest traffic: two rush hours over a day that sleeps. */
export function trafficAt(hourOfDay: number): number {
  const rush = (peak: number) => Math.exp(-((hourOfDay - peak) ** 2) / 3);
  const day = hourOfDay > 6 && hourOfDay < 23 ? 0.35 : 0.05;
  return Math.min(1, day + 0.65 * Math.max(rush(8), rush(18)));
}
