import type { Box } from '#models/mod.ts';

/** One analysed picture, as far as masks need it: no picture, only boxes, in fractions of it. */
export interface Look {
  /** UTC ms and monotonic ms. */
  at: number;
  ms: number;
  people: readonly Box[];
  /** Of the incidents that it shows. */
  things: ReadonlyMap<object, Box>;
}

const KEPT_MS = 30_000;
const KEPT_MAX = 1000;

/** The looks of the last half minute: what is known about the pictures between them. */
export class Looks {
  #looks: Look[] = [];

  push(look: Look): void {
    this.#looks.push(look);
    const from = this.#looks.findIndex(({ ms }) => look.ms - ms <= KEPT_MS);
    this.#looks.splice(0, Math.max(from, this.#looks.length - KEPT_MAX));
  }

  between(fromMs: number, toMs: number): Look[] {
    return this.#looks.filter(({ ms }) => ms >= fromMs && ms <= toMs);
  }
}
