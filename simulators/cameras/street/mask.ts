/**
 * Who is on top at each second pixel. Things are drawn from far to near, so the last owner of a sample is the one that
 * the picture shows; what an owner still holds at the end, of all it ever filled, is the share of it that can be seen.
 */
export class OwnerMask {
  readonly #columns: number;
  readonly #rows: number;
  readonly #owner: Int16Array;
  readonly #filled = new Map<number, number>();
  readonly #left = new Map<number, number>();
  #current = 0;
  /** Kept between calls: a list per row would be most of the cost. */
  readonly #cuts: number[] = [];

  constructor(widthPx: number, heightPx: number) {
    this.#columns = widthPx >> 1;
    this.#rows = heightPx >> 1;
    this.#owner = new Int16Array(this.#columns * this.#rows);
  }

  clear(): void {
    this.#owner.fill(0);
    this.#filled.clear();
    this.#left.clear();
  }

  /** Owner numbers are positive. */
  begin(owner: number): void {
    this.#current = owner;
  }

  /** Fills a polygon (even-odd, pixels) for the current owner. */
  fill(xs: readonly number[], ys: readonly number[]): void {
    const cuts = this.#cuts;
    const low = Math.max(0, Math.ceil(Math.min(...ys) / 2 - 0.5));
    const high = Math.min(this.#rows - 1, Math.floor(Math.max(...ys) / 2 - 0.5));
    let gained = 0;
    for (let row = low; row <= high; row++) {
      const y = (row + 0.5) * 2;
      cuts.length = 0;
      for (let k = 0, j = ys.length - 1; k < ys.length; j = k++) {
        const [y0, y1, x0, x1] = [ys[j] as number, ys[k] as number, xs[j] as number, xs[k] as number];
        if (y0 <= y !== y1 <= y) cuts.push(x0 + ((y - y0) / (y1 - y0)) * (x1 - x0));
      }
      if (cuts.length > 2) cuts.sort((a, b) => a - b);
      else if ((cuts[0] as number) > (cuts[1] as number)) cuts.reverse();
      for (let k = 0; k + 1 < cuts.length; k += 2) gained += this.#span(row, cuts[k] as number, cuts[k + 1] as number);
    }
    if (gained === 0) return;
    this.#filled.set(this.#current, (this.#filled.get(this.#current) ?? 0) + gained);
    this.#left.set(this.#current, (this.#left.get(this.#current) ?? 0) + gained);
  }

  /** Of the samples that the owner filled, the share that nobody drew over; 1 when it filled none. */
  shareLeft(owner: number): number {
    const filled = this.#filled.get(owner) ?? 0;
    return filled === 0 ? 1 : (this.#left.get(owner) ?? 0) / filled;
  }

  /** Whose the picture is there; 0 nobody's, or outside. */
  ownerAt(xPx: number, yPx: number): number {
    const [column, row] = [xPx >> 1, yPx >> 1];
    if (column < 0 || row < 0 || column >= this.#columns || row >= this.#rows) return 0;
    return this.#owner[row * this.#columns + column] as number;
  }

  #span(row: number, from: number, to: number): number {
    const first = Math.max(0, Math.ceil(from / 2 - 0.5));
    const last = Math.min(this.#columns - 1, Math.floor(to / 2 - 0.5));
    let gained = 0;
    for (let k = row * this.#columns + first; k <= row * this.#columns + last; k++) {
      const before = this.#owner[k] as number;
      if (before === this.#current) continue;
      if (before > 0) this.#left.set(before, (this.#left.get(before) ?? 0) - 1);
      this.#owner[k] = this.#current;
      gained++;
    }
    return gained;
  }
}
