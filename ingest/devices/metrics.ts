import { Counter, type Metrics } from '#service/mod.ts';
import type { HealthChange } from './types.ts';

/** Counts changes of state; the states themselves are in the database, which all replicas share. */
export function createHealthMetrics(metrics: Metrics) {
  const changes = new Counter({
    name: 'gewu_health_changes_total',
    help: 'Changes of state of edges, devices and cameras',
    labelNames: ['of', 'state'],
    registers: [metrics],
  });
  return { changed: ({ of, state }: HealthChange) => changes.inc({ of, state }) };
}
