import type { Clock } from '#service/mod.ts';
import type { CaseStates } from '../events.ts';

/** After a start the centre has so long to say which cases are open; then what it has not named counts as closed. */
const CASES_KNOWN_MS = 60_000;
/** Of a silent one nothing is told, so that the centre does not answer: a closing that was lost with a connection is known after this. */
const ASK_AGAIN_MS = 300_000;

/**
 * How the cases of one camera's events are, as far as the centre has said. What it says may come late, and may be lost; it says it
 * again with every revision that it gets.
 */
export class CaseLedger {
  readonly #cases: CaseStates;
  readonly #clock: Clock;
  readonly #open = new Set<string>();
  /** Of an earlier run, and the centre has not said yet how their cases are. */
  readonly #unsure = new Set<string>();
  readonly #askedMs = new Map<string, number>();
  #startedMs = 0;

  constructor({ cases, clock }: { cases: CaseStates; clock: Clock }) {
    this.#cases = cases;
    this.#clock = clock;
  }

  start(): void {
    this.#startedMs = this.#clock.monotonic();
  }

  /** An event of an earlier run. The case of one that was silent was open when we last heard. */
  restore(subject: string, isSilent: boolean): void {
    this.#unsure.add(subject);
    if (isSilent) this.#open.add(subject);
  }

  forget(subject: string): void {
    this.#open.delete(subject);
    this.#unsure.delete(subject);
    this.#askedMs.delete(subject);
  }

  /**
   * What is to be done about it now: `closed` is told once, when the case has closed or nothing is heard of it any more; `unfounded`
   * for as long as it was rejected.
   */
  look(subject: string): 'open' | 'closed' | 'unfounded' | null {
    const said = this.#cases.stateOf(subject);
    if (said === 'open') {
      this.#open.add(subject);
      this.#unsure.delete(subject);
      return 'open';
    }
    const given = this.#open.has(subject) && (this.#casesKnown || !this.#unsure.has(subject));
    if (said === 'unknown' && !given) return null;
    this.#open.delete(subject);
    this.#unsure.delete(subject);
    return said === 'unfounded' ? said : 'closed';
  }

  /** Whether one that ends now is silent from then on. One that ends before the centre has spoken may have an open case. */
  silences(subject: string): boolean {
    if (this.#unsure.has(subject) && !this.#casesKnown) this.#open.add(subject);
    return this.#open.has(subject);
  }

  /** Whether it is time to hear again how the case of a silent one is; notes that it was asked. */
  asks(subject: string): boolean {
    const nowMs = this.#clock.monotonic();
    const askedMs = this.#askedMs.get(subject);
    if (askedMs !== undefined && nowMs - askedMs < ASK_AGAIN_MS) return false;
    this.#askedMs.set(subject, nowMs);
    // It has just been told.
    return askedMs !== undefined;
  }

  get #casesKnown(): boolean {
    return this.#clock.monotonic() - this.#startedMs > CASES_KNOWN_MS;
  }
}
