/**
 * Watches the bytes of one MQTT connection for the declared size of each packet, so that a packet that is too
 * large is refused by its fixed header, before anybody buffers it [MQTT-2.2.3].
 */
export class PacketSizeGuard {
  readonly #bytesMax: number;
  /** Bytes of the present packet's body still to come. */
  #skip = 0;
  #state: 'type' | 'length' = 'type';
  #length = 0;
  #shift = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** False when a packet declares more than is allowed, or a malformed length. Costs a few steps a packet, not a byte. */
  accept(chunk: Buffer): boolean {
    let i = 0;
    while (i < chunk.length) {
      if (this.#skip > 0) {
        const step = Math.min(this.#skip, chunk.length - i);
        this.#skip -= step;
        i += step;
        continue;
      }
      const byte = chunk[i++] as number;
      if (this.#state === 'type') {
        this.#state = 'length';
        this.#length = 0;
        this.#shift = 0;
        continue;
      }
      this.#length += (byte & 0x7f) * 2 ** this.#shift;
      this.#shift += 7;
      if (byte & 0x80) {
        if (this.#shift > 21) return false;
        continue;
      }
      if (this.#length > this.#bytesMax) return false;
      this.#skip = this.#length;
      this.#state = 'type';
    }
    return true;
  }
}

/** Lets `perS` through each second on average, and a burst of as many at once, or of `burst`. */
export class TokenBucket {
  readonly #perS: number;
  readonly #burst: number;
  #tokens: number;
  #at: number;

  constructor(perS: number, nowMs: number, burst = perS) {
    this.#perS = perS;
    this.#burst = burst;
    this.#tokens = burst;
    this.#at = nowMs;
  }

  /** Takes `cost` if there is so much: for what is refused rather than kept waiting. */
  tryTake(nowMs: number, cost = 1): boolean {
    this.#fill(nowMs);
    const enough = this.#tokens >= cost;
    if (enough) this.#tokens -= cost;
    return enough;
  }

  /** Takes one; how many ms to wait before it may be used (0: at once). */
  take(nowMs: number): number {
    this.#fill(nowMs);
    this.#tokens--;
    return this.#tokens >= 0 ? 0 : (-this.#tokens * 1000) / this.#perS;
  }

  #fill(nowMs: number): void {
    this.#tokens = Math.min(this.#burst, this.#tokens + ((nowMs - this.#at) * this.#perS) / 1000);
    this.#at = nowMs;
  }
}
