import type { CityPlan } from '../city/mod.ts';
import type { Scenario } from '../scenarios/mod.ts';

export interface LoadOptions {
  scenario: Scenario;
  plan: CityPlan;
  /** Seconds of the load; that of the stages where not given. Everything is stretched or shortened alike. */
  durationS?: number | undefined;
  seed: number;
  /** Which part of how many: edges in turn. */
  part: { number: number; of: number };
  /** Only these edges; all where not given. */
  edges?: readonly string[] | undefined;
  /** Where the brokers are; as the plan says where not given. */
  host?: string | undefined;
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
  refused: number;
  lagMs: number;
}
