/** Wrong secrets from one address before it has to wait, and for how long. */
const REFUSALS_MAX = 10;
const WINDOW_MS = 60_000;
/** Addresses remembered, at most; beyond it the one that was refused longest ago is forgotten. */
const ADDRESSES_MAX = 1024;

/** Counts wrong secrets by address, so that guessing is slow. Times are monotonic ms. */
export class Refusals {
  readonly #byAddress = new Map<string, { since: number; count: number }>();

  /** Whether nothing from this address is looked at now. */
  blocked(address: string, now: number): boolean {
    const known = this.#byAddress.get(address);
    if (known === undefined) return false;
    if (now - known.since < WINDOW_MS) return known.count >= REFUSALS_MAX;
    this.#byAddress.delete(address);
    return false;
  }

  count(address: string, now: number): void {
    const known = this.#byAddress.get(address);
    this.#byAddress.delete(address);
    this.#byAddress.set(address, known ? { ...known, count: known.count + 1 } : { since: now, count: 1 });
    const [oldest] = this.#byAddress.keys();
    if (this.#byAddress.size > ADDRESSES_MAX && oldest !== undefined) this.#byAddress.delete(oldest);
  }
}
