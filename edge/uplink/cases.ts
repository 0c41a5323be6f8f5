import type { CaseStateCommand } from '#grid/wire/mod.ts';
import type { CaseStanding, CaseStates } from '../events.ts';

/** Events remembered at most; the oldest are forgotten, which only re-arms them. */
const EVENTS_MAX = 10_000;

/** What the centre has said last about the case of each event. */
export class CaseStateMap implements CaseStates {
  readonly #said = new Map<string, CaseStateCommand>();

  stateOf(event: string): CaseStanding {
    const known = this.#said.get(event);
    if (known === undefined) return 'unknown';
    if (known.open) return 'open';
    return known.unfounded === true ? 'unfounded' : 'closed';
  }

  tell(command: CaseStateCommand): void {
    const known = this.#said.get(command.event);
    if (known && known.ts > command.ts) return;
    this.#said.delete(command.event);
    this.#said.set(command.event, command);
    const oldest = this.#said.keys().next().value;
    if (this.#said.size > EVENTS_MAX && oldest !== undefined) this.#said.delete(oldest);
  }
}
