/** Damage is told when a decoder has complained in so many of the last seconds. */
const SPAN_MS = 10_000;
const SECONDS_MIN = 4;

/**
 * Whether a stream is damaged: not by a picture now and then, which a lost packet costs, but over and over. A decoder makes
 * up what is missing, so pictures go on to come, and only it knows.
 */
export class DamageWatch {
  /** Seconds in which it complained, the newest last. */
  #seconds: number[] = [];

  add(nowMs: number): void {
    const second = Math.floor(nowMs / 1000);
    if (this.#seconds.at(-1) !== second) this.#seconds.push(second);
    this.#trim(nowMs);
  }

  lasts(nowMs: number): boolean {
    this.#trim(nowMs);
    return this.#seconds.length >= SECONDS_MIN;
  }

  /** Another ffmpeg begins. */
  reset(): void {
    this.#seconds = [];
  }

  #trim(nowMs: number): void {
    const from = (nowMs - SPAN_MS) / 1000;
    this.#seconds = this.#seconds.filter((second) => second >= from);
  }
}
