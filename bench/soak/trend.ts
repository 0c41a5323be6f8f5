/** How something changed over time. */
export interface Trend {
  mean: number;
  /** Of the best straight line, per hour. */
  perHour: number;
  /** Half the width of the interval in which the true slope lies in 95 of 100 runs; Infinity of fewer than three blocks. */
  perHourError: number;
}

/** Samples that follow each other are alike: each of so many blocks counts once. */
const BLOCKS = 10;
/** Student's t for 95 %, both sides, by degrees of freedom from 1 on. */
const T95 = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306];
const HOUR_MS = 3_600_000;

/** Least squares through the means of blocks; times in ms, in order. */
export function trendOf(samples: readonly { ms: number; value: number }[]): Trend {
  const size = Math.max(1, Math.ceil(samples.length / BLOCKS));
  const blocks = Array.from({ length: Math.ceil(samples.length / size) }, (_, n) => {
    const block = samples.slice(n * size, (n + 1) * size);
    return { x: mean(block.map((s) => s.ms)) / HOUR_MS, y: mean(block.map((s) => s.value)) };
  });
  const [xMean, yMean] = [mean(blocks.map((b) => b.x)), mean(blocks.map((b) => b.y))];
  const spread = sum(blocks.map(({ x }) => (x - xMean) ** 2));
  const perHour = sum(blocks.map(({ x, y }) => (x - xMean) * (y - yMean))) / spread;
  const residual = sum(blocks.map(({ x, y }) => (y - yMean - perHour * (x - xMean)) ** 2));
  const freedom = blocks.length - 2;
  const t = T95[freedom - 1];
  return {
    mean: mean(samples.map((s) => s.value)),
    perHour,
    perHourError: t === undefined ? Number.POSITIVE_INFINITY : t * Math.sqrt(residual / freedom / spread),
  };
}

const sum = (values: readonly number[]): number => values.reduce((total, v) => total + v, 0);
const mean = (values: readonly number[]): number => sum(values) / values.length;
