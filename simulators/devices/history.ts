import type { Fields } from './sampler.ts';

/** One sample as it waits for its PUBACK. */
export interface Sample {
  seq: number;
  /** UTC ms at which it was taken. */
  ts: number;
  fields: Fields;
}

/**
 * What a device keeps until it is acknowledged: first in, first out, one batch on its way at a time. When it is full the
 * oldest that is not on its way goes.
 */
export class History {
  readonly #samplesMax: number;
  #waiting: Sample[] = [];
  #onItsWay: Sample[] = [];
  #dropped = 0;

  constructor(samplesMax: number) {
    this.#samplesMax = samplesMax;
  }

  push(sample: Sample): void {
    this.#waiting.push(sample);
    this.#trim();
  }

  /** The next batch, or none while one is on its way. */
  take(batchMax: number): readonly Sample[] {
    if (this.#onItsWay.length > 0) return [];
    this.#onItsWay = this.#waiting.splice(0, batchMax);
    return this.#onItsWay;
  }

  /** The batch was acknowledged. */
  settle(): void {
    this.#onItsWay = [];
  }

  /** The batch did not arrive, or nobody knows: it goes first next time. Returns how many samples that were. */
  restore(): number {
    const count = this.#onItsWay.length;
    this.#waiting = [...this.#onItsWay, ...this.#waiting];
    this.#onItsWay = [];
    this.#trim();
    return count;
  }

  get pending(): number {
    return this.#waiting.length + this.#onItsWay.length;
  }

  get dropped(): number {
    return this.#dropped;
  }

  #trim(): void {
    const tooMany = this.#waiting.length - this.#samplesMax;
    if (tooMany <= 0) return;
    this.#waiting.splice(0, tooMany);
    this.#dropped += tooMany;
  }
}
