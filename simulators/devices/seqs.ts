/** A growing set of sequence numbers, kept as ranges: small as long as few are missing. */
export class SeqSet {
  readonly #ranges: [first: number, last: number][] = [];
  #count = 0;

  /** Numbers come mostly in order; one that is in already changes nothing. */
  add(seq: number): void {
    const at = this.#ranges.findLastIndex(([first]) => first <= seq);
    const before = this.#ranges[at];
    if (before !== undefined && seq <= before[1]) return;
    this.#count++;
    const after = this.#ranges[at + 1];
    const [touchesBefore, touchesAfter] = [before?.[1] === seq - 1, after?.[0] === seq + 1];
    if (before && after && touchesBefore && touchesAfter) this.#ranges.splice(at, 2, [before[0], after[1]]);
    else if (before && touchesBefore) before[1] = seq;
    else if (after && touchesAfter) after[0] = seq;
    else this.#ranges.splice(at + 1, 0, [seq, seq]);
  }

  has(seq: number): boolean {
    const range = this.#ranges.findLast(([first]) => first <= seq);
    return range !== undefined && seq <= range[1];
  }

  get size(): number {
    return this.#count;
  }

  /** First and last of each run of numbers, in order. */
  get ranges(): readonly (readonly [first: number, last: number])[] {
    return this.#ranges;
  }

  *[Symbol.iterator](): Generator<number> {
    for (const [first, last] of this.#ranges) for (let seq = first; seq <= last; seq++) yield seq;
  }
}
