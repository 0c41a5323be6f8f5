import { Compile } from 'typebox/compile';
import { Command } from '#grid/wire/mod.ts';
import type { CaseStates } from '../events.ts';

/** Takes in what the centre says on `down/command`. */
export interface CommandReceiver {
  receive(message: unknown): void;
}

/** Events remembered at most; the oldest are forgotten, which only re-arms them. */
const EVENTS_MAX = 10_000;
const check = Compile(Command);

export class CaseStateMap implements CaseStates, CommandReceiver {
  readonly #open = new Map<string, { open: boolean; ts: number }>();

  isOpen(event: string): boolean {
    return this.#open.get(event)?.open ?? false;
  }

  receive(message: unknown): void {
    if (!check.Check(message)) return;
    const known = this.#open.get(message.event);
    if (known && known.ts > message.ts) return;
    this.#open.delete(message.event);
    this.#open.set(message.event, { open: message.open, ts: message.ts });
    const oldest = this.#open.keys().next().value;
    if (this.#open.size > EVENTS_MAX && oldest !== undefined) this.#open.delete(oldest);
  }
}
