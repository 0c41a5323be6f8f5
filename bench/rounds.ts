/** Machines are shared and noisy: both sides run in turn, several times, and the medians are compared. */

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** A value that was measured, not one in between; NaN of none. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(q * sorted.length) - 1))] ?? Number.NaN;
}

/** Digits that mean something. */
export function rounded(value: number, digits = 3): number {
  return Number(value.toPrecision(digits));
}

export interface Rounds {
  rounds: number;
  /** For people, while it runs. */
  say(text: string): void;
}

/** Runs the sides in turn; the order changes from round to round, so that neither always follows the other. */
export async function alternate<T>(
  sides: Readonly<Record<string, () => Promise<T>>>,
  { rounds, say }: Rounds,
): Promise<Record<string, T[]>> {
  const results: Record<string, T[]> = Object.fromEntries(Object.keys(sides).map((name) => [name, []]));
  for (let round = 1; round <= rounds; round++) {
    const names = Object.keys(sides);
    for (const name of round % 2 === 1 ? names : names.reverse()) {
      const result = await (sides[name] as () => Promise<T>)();
      results[name]?.push(result);
      say(`round ${round} of ${rounds}, ${name}: ${JSON.stringify(result)}`);
    }
  }
  return results;
}
