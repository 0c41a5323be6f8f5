import type { Scenario } from '../scenarios/mod.ts';
import type { LoadTarget } from './target.ts';

export interface LoadOptions {
  scenario: Scenario;
  target: LoadTarget;
  /** Seconds of the load; that of the stages where not given. Everything is stretched or shortened alike. */
  durationS?: number | undefined;
  seed: number;
  /** Which part of how many: edges in turn. */
  part: { number: number; of: number };
  /** Only these edges; all where not given. */
  edges?: readonly string[] | undefined;
  /** Connection attempts of all together; below what a broker takes for a flood where not given. */
  connectPerS?: number;
}

/** How far a run is. */
export interface LoadProgress {
  phase: 'connecting' | 'load' | 'draining' | 'over';
  atS: number;
  durationS: number;
  due: number;
  acked: number;
  perS: number;
  pending: number;
  connected: number;
  clients: number;
  /** What goes wrong: connections refused, samples lost from a full memory, samples sent again, questions that the API did not answer. */
  errors: { refused: number; dropped: number; resent: number; api: number };
  lagMs: number;
}
