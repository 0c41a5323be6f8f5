import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Generated inputs over all properties of this folder. `GEWU_RUNS=120000` is the full run; CONTRIBUTING.md. */
const RUNS = Number(process.env.GEWU_RUNS ?? 4_000);
const SEED = process.env.GEWU_SEED;

/** How far a property goes. */
export interface Extent {
  numRuns: number;
  seed?: number;
  /** Without looking for a smaller counterexample. */
  endOnFailure?: boolean;
}

/** Parameters of a property that draws `batch` inputs a time, for its share of the budget. A failure prints the seed. */
export function budget(share: number, batch: number): Extent {
  return { numRuns: Math.max(1, Math.ceil((RUNS * share) / batch)), ...(SEED === undefined ? {} : { seed: Number(SEED) }) };
}

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;

/** MiB of live objects and buffers, after two collections. */
export function liveMiB(): number {
  gc();
  gc();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return (heapUsed + arrayBuffers) / 2 ** 20;
}

/** One line on stderr: what was generated, and what became of it. */
export function report(what: string, counts: object): void {
  process.stderr.write(`${what}: ${JSON.stringify(counts)}\n`);
}
