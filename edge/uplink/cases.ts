import type { CaseStateCommand } from '#grid/wire/mod.ts';
import type { CaseStanding, CaseStates } from '../events.ts';

/** Events remembered at most; the oldest are forgotten, which only re-arms them. */
const EVENTS_MAX = 10_000;

/** What the centre has said last about the case of each event. */
export class CaseStateMap implements CaseStates {
  readonly #open = new Map<string, { open: boolean; ts: number }>();

  stateOf(event: string): CaseStanding {
    const known = this.#open.get(event);
    if (known === undefined) return 'unknown';
    return known.open ? 'open' : 'closed';
  }

  tell({ event, open, ts }: CaseStateCommand): void {
    const known = this.#open.get(event);
    if (known && known.ts > ts) return;
    this.#open.delete(event);
    this.#open.set(event, { open, ts });
    const oldest = this.#open.keys().next().value;
    if (this.#open.size > EVENTS_MAX && oldest !== undefined) this.#open.delete(oldest);
  }
}
