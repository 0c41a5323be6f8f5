/**
 * A high dynamic range histogram: every value is kept to one part in 64, in buckets whose width doubles with the value, so
 * that a week of microseconds takes a few hundred numbers and two histograms add up exactly. After HdrHistogram (Tene).
 *
 *   0 .. 127 one by one, 128 .. 255 by twos, 256 .. 511 by fours, ...
 */
const SUB_BITS = 6;
const SUB = 1 << SUB_BITS;

/** Buckets that hold something: number of the bucket, count. */
export type HistogramCounts = readonly (readonly [bucket: number, count: number])[];

export class Histogram {
  /** By bucket; holes are nothing. */
  readonly #counts: (number | undefined)[] = [];
  #total = 0;
  #max = 0;

  static of(counts: HistogramCounts): Histogram {
    const histogram = new Histogram();
    histogram.add(counts);
    return histogram;
  }

  /** A whole number from 0 on; others are rounded, negative ones count as 0. */
  record(value: number, times = 1): void {
    const whole = Math.max(0, Math.round(value));
    const bucket = bucketOf(whole);
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + times;
    this.#total += times;
    this.#max = Math.max(this.#max, whole);
  }

  add(counts: HistogramCounts): void {
    for (const [bucket, count] of counts) {
      this.#counts[bucket] = (this.#counts[bucket] ?? 0) + count;
      this.#total += count;
      this.#max = Math.max(this.#max, topOf(bucket));
    }
  }

  get total(): number {
    return this.#total;
  }

  /** The largest value below which (or at which) this share of all lies; null of nothing. */
  percentile(share: number): number | null {
    if (this.#total === 0) return null;
    const rank = Math.max(1, Math.ceil(share * this.#total));
    let seen = 0;
    for (const [bucket, count] of this.counts) {
      seen += count;
      if (seen >= rank) return Math.min(topOf(bucket), this.#max);
    }
    return this.#max;
  }

  get max(): number | null {
    return this.#total === 0 ? null : this.#max;
  }

  /** Ascending. */
  get counts(): HistogramCounts {
    const counts: [number, number][] = [];
    this.#counts.forEach((count, bucket) => {
      if (count !== undefined) counts.push([bucket, count]);
    });
    return counts;
  }
}

function bucketOf(value: number): number {
  if (value < 2 * SUB) return value;
  const shift = Math.floor(Math.log2(value)) - SUB_BITS;
  return shift * SUB + Math.floor(value / 2 ** shift);
}

/** The largest value of a bucket. */
function topOf(bucket: number): number {
  if (bucket < 2 * SUB) return bucket;
  const shift = Math.floor(bucket / SUB) - 1;
  return (bucket - shift * SUB + 1) * 2 ** shift - 1;
}
