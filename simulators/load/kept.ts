import type { SentReading } from '../report/mod.ts';
import type { LoadSample } from './carrier.ts';

/** Readings whose values are kept to the end, at most: some megabytes, and a second to compare them. */
const KEPT_MAX = 20_000;

/** What some devices have said, value by value: all of what they say, of as many devices as there is room for. */
export class KeptReadings {
  readonly #byDevice: ReadonlyMap<number, Map<number, SentReading>>;
  #count = 0;

  /** `perDevice`: so many readings each will have, about. `devices` are in no order that means something. */
  constructor(devices: readonly number[], perDevice: number) {
    const room = Math.max(1, Math.floor(KEPT_MAX / Math.max(1, perDevice)));
    this.#byDevice = new Map(devices.slice(0, room).map((device) => [device, new Map()]));
  }

  keep({ device, seq, ts, fields }: LoadSample): void {
    const own = this.#byDevice.get(device);
    if (own === undefined || this.#count >= KEPT_MAX) return;
    own.set(seq, { ts, fields });
    this.#count++;
  }

  /** By number; undefined where nothing of the device was kept. */
  of(device: number): ReadonlyMap<number, SentReading> | undefined {
    return this.#byDevice.get(device);
  }
}
