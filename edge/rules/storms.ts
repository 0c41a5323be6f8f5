import type { Clock } from '#service/mod.ts';
import type { DeviceRegistry, RegisteredDevice } from '../registry.ts';
import type { Alarm } from './alarm.ts';
import { GridStorm, recount } from './many.ts';
import { onRaised, onStormTick } from './storm.ts';
import type { EventTeller } from './telling.ts';

export interface StormsDeps {
  registry: DeviceRegistry;
  teller: EventTeller;
  clock: Clock;
  /** A storm is over: the devices whose alarms it stood for. */
  onEnded(devices: readonly string[]): void;
}

/** The storms of all unit grids. Times are monotonic ms. */
export class Storms {
  readonly #deps: StormsDeps;
  readonly #storms = new Map<string, GridStorm>();

  constructor(deps: StormsDeps) {
    this.#deps = deps;
  }

  /** `device` is one of its unit grid. */
  restore(stored: string, device: RegisteredDevice): void {
    const { registry, clock } = this.#deps;
    const { cell } = device.place;
    const storm = new GridStorm(cell);
    storm.restore(stored, registry, device, clock);
    this.#storms.set(cell, storm);
  }

  /** Those of an earlier life that the configuration knows no more. */
  endSwitchedOff(now: number): void {
    for (const storm of this.#storms.values()) if (storm.open && !storm.at?.limits.storm) this.#end(storm, now);
  }

  /** Whether one is said to stand for this alarm's device. */
  standsFor({ device, place }: RegisteredDevice): boolean {
    return this.#storms.get(place.cell)?.devices.has(device.id) === true;
  }

  /** Counts an alarm that was raised; whether it is one of a storm, which then stands for it. */
  takes(alarm: Alarm, at: number): boolean {
    const { teller } = this.#deps;
    const { limits, place, device } = alarm.device;
    if (!limits.storm) return false;
    let storm = this.#storms.get(place.cell);
    if (storm === undefined) {
      storm = new GridStorm(place.cell);
      this.#storms.set(place.cell, storm);
    }
    const { state, changes } = onRaised(limits.storm, storm.state, at);
    storm.state = state;
    // It was over before, and nobody has looked since.
    if (changes.some((c) => c.to === 'calm')) this.#end(storm, at);
    if (state.phase === 'calm') return false;
    storm.devices.add(device.id);
    teller.changed(storm);
    const began = changes.find((c) => c.to === 'storm');
    if (began) {
      storm.at = alarm.device;
      storm.told = storm.whom;
      teller.raise(storm, began);
    }
    return true;
  }

  /** Time passes. */
  tick(now: number): void {
    for (const storm of this.#storms.values()) {
      this.#calm(storm, now);
      recount(this.#deps.teller, storm);
    }
  }

  #calm(storm: GridStorm, now: number): void {
    const limits = storm.at?.limits.storm;
    if (!limits || storm.open === null) return;
    const { state, changes } = onStormTick(limits, storm.state, now);
    if (changes.length === 0) return;
    storm.state = state;
    this.#end(storm, now);
  }

  #end(storm: GridStorm, at: number): void {
    this.#deps.teller.clear(storm, at);
    const devices = [...storm.devices];
    storm.devices.clear();
    this.#deps.onEnded(devices);
  }
}
