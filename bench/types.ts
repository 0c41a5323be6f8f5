/** What every bench is given. */
export interface BenchOptions {
  /** Data and logs; removed by the caller. */
  dir: string;
  /** Rounds of each side. */
  rounds: number;
  /** A fifth of the work, or less, for the suite: the figures mean little. */
  short: boolean;
  /** Of the benches that watch cameras. */
  cameras?: number | undefined;
  fps?: number | undefined;
  /** Of the bench that goes on for long. */
  minutes?: number | undefined;
  /** For people, on stderr. */
  say(text: string): void;
}

/** One line of JSON, and whether it meets the project's figures. */
export interface BenchResult {
  figures: Record<string, number | string | boolean | null | readonly number[]>;
  /** What was missed; empty when all is met. */
  missed: string[];
}

export interface Bench {
  name: string;
  summary: string;
  run(options: BenchOptions): Promise<BenchResult>;
}

/** `name` when the condition does not hold. */
export function missed(conditions: Readonly<Record<string, boolean>>): string[] {
  return Object.entries(conditions).flatMap(([name, met]) => (met ? [] : [name]));
}
