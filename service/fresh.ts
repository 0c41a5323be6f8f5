import type { Clock } from './clock.ts';

/** An answer that is worth something for a time: however many ask, it is worked out this often at most. */
export class FreshAnswer<T> {
  readonly #freshMs: number;
  readonly #clock: Clock;
  readonly #ask: () => Promise<T>;
  #asked: { at: number; answer: Promise<T> } | null = null;

  constructor({ freshMs, clock, ask }: { freshMs: number; clock: Clock; ask: () => Promise<T> }) {
    this.#freshMs = freshMs;
    this.#clock = clock;
    this.#ask = ask;
  }

  /** Rejects as `ask` does: a failure is told to who asked, and not kept. */
  get(): Promise<T> {
    const now = this.#clock.monotonic();
    if (this.#asked !== null && now - this.#asked.at <= this.#freshMs) return this.#asked.answer;
    const asked = { at: now, answer: this.#ask() };
    this.#asked = asked;
    asked.answer.catch(() => {
      if (this.#asked === asked) this.#asked = null;
    });
    return asked.answer;
  }
}
