/** What happens beside the schedule: reports of devices in alarm, messages that come late. In ticks, so that adding costs nothing. */
export class Agenda {
  readonly #tickMs: number;
  readonly #planned = new Map<number, ((tickS: number) => void)[]>();
  /** Ticks that are over. */
  #played = 0;

  constructor(tickMs: number) {
    this.#tickMs = tickMs;
  }

  /** `run` is told the moment of its tick, seconds from the start. */
  at(atS: number, run: (tickS: number) => void): void {
    // What would be of the tick that is being played comes with the next.
    const tick = Math.max(Math.floor((atS * 1000) / this.#tickMs), this.#played);
    const list = this.#planned.get(tick);
    if (list) list.push(run);
    else this.#planned.set(tick, [run]);
  }

  /** Everything that is due by then, tick by tick. */
  playTo(atMs: number): void {
    const reached = Math.floor(atMs / this.#tickMs);
    while (this.#played < reached) {
      const tick = this.#played++;
      for (const run of this.#planned.get(tick) ?? []) run((tick * this.#tickMs) / 1000);
      this.#planned.delete(tick);
    }
  }
}
