/** Where a run is in its time. Moments of the run are seconds from the beginning of its load. */
export class RunClock {
  readonly durationS: number;
  readonly #worldHours: number;
  /** UTC ms; 0 before the load. */
  startedAt = 0;
  endedAt = 0;
  /** Monotonic ms. */
  nowMs = 0;
  #startedMs = 0;

  /** `worldHours` of the world pass in the run. */
  constructor(durationS: number, worldHours: number) {
    this.durationS = durationS;
    this.#worldHours = worldHours;
  }

  start(): void {
    this.startedAt = Date.now();
    this.#startedMs = performance.now();
  }

  get started(): boolean {
    return this.#startedMs !== 0;
  }

  /** Monotonic ms of a moment of the run. */
  msOf(atS: number): number {
    return this.#startedMs + atS * 1000;
  }

  /** The moment of the run at these monotonic ms. */
  at(ms: number): number {
    return (ms - this.#startedMs) / 1000;
  }

  /** Of the world, from the beginning of the run. */
  hourOf(atS: number): number {
    return (atS / this.durationS) * this.#worldHours;
  }
}
