import { type Clock, GewuError } from '#service/mod.ts';

/** Failed log-ins of one address in one window; beyond it credentials from there are not even looked at. */
const FAILURES_MAX = 20;
const WINDOW_MS = 60_000;
/** Addresses and credentials that are remembered; the oldest go first. */
const ENTRIES_MAX = 10_000;
/** A credential that was right so lately passes from a blocked address: one bad client does not lock out its neighbours. */
const TRUSTED_MS = 10 * 60_000;

/** Slows down guessing: counts failures by address. */
export class Attempts {
  readonly #clock: Clock;
  readonly #failures = new Map<string, { count: number; since: number }>();
  readonly #right = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Throws GEWU_TOO_MANY_REQUESTS. `credential` is a hash, never the secret. */
  check(address: string, credential: string): void {
    const now = this.#clock.monotonic();
    const entry = this.#failures.get(address);
    if (entry === undefined || now - entry.since > WINDOW_MS || entry.count < FAILURES_MAX) return;
    const lately = this.#right.get(credential);
    if (lately !== undefined && now - lately < TRUSTED_MS) return;
    throw new GewuError('GEWU_TOO_MANY_REQUESTS', `too many failed log-ins from ${address}`);
  }

  failed(address: string): void {
    const now = this.#clock.monotonic();
    const entry = this.#failures.get(address);
    if (entry !== undefined && now - entry.since <= WINDOW_MS) entry.count++;
    else remember(this.#failures, address, { count: 1, since: now });
  }

  succeeded(credential: string): void {
    remember(this.#right, credential, this.#clock.monotonic());
  }
}

function remember<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key);
  if (map.size >= ENTRIES_MAX) map.delete(map.keys().next().value as string);
  map.set(key, value);
}
