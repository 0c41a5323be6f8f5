import { SEVERITIES } from '#grid/mod.ts';
import type { CasesTable, EventsTable } from '../database/mod.ts';

export type SummaryEvent = Pick<
  EventsTable,
  | 'subject'
  | 'severity'
  | 'confidence'
  | 'lon'
  | 'lat'
  | 'error_radius_m'
  | 'cell'
  | 'component'
  | 'started_at'
  | 'confirmed_at'
  | 'last_seen_at'
  | 'cleared_at'
  | 'observations'
>;
export const SUMMARY_COLUMNS = [
  'subject',
  'severity',
  'confidence',
  'lon',
  'lat',
  'error_radius_m',
  'cell',
  'component',
  'started_at',
  'confirmed_at',
  'last_seen_at',
  'cleared_at',
  'observations',
] as const satisfies readonly (keyof SummaryEvent)[];

export type Summary = Pick<
  CasesTable,
  | 'severity'
  | 'confidence'
  | 'observations'
  | 'started_at'
  | 'confirmed_at'
  | 'last_seen_at'
  | 'recovered_at'
  | 'lon'
  | 'lat'
  | 'error_radius_m'
  | 'cell'
  | 'component'
>;

/**
 * What a case says of its events: a function of the set of them, so that it comes out the same in whatever order they
 * and their revisions arrived. The place is the one with the smallest error radius; it is recovered when all
 * have cleared, at the time of the last.
 */
export function summarise(events: readonly [SummaryEvent, ...SummaryEvent[]]): Summary {
  const best = [...events].sort(
    (a, b) => a.error_radius_m - b.error_radius_m || a.confirmed_at - b.confirmed_at || (a.subject < b.subject ? -1 : 1),
  ) as [SummaryEvent, ...SummaryEvent[]];
  const worst = Math.min(...events.map((e) => SEVERITIES.indexOf(e.severity as (typeof SEVERITIES)[number])));
  const cleared = events.map((e) => e.cleared_at);
  return {
    severity: SEVERITIES[worst] as string,
    confidence: Math.max(...events.map((e) => e.confidence)),
    observations: events.reduce((sum, e) => sum + e.observations, 0),
    started_at: Math.min(...events.map((e) => e.started_at)),
    confirmed_at: Math.min(...events.map((e) => e.confirmed_at)),
    last_seen_at: Math.max(...events.map((e) => e.last_seen_at)),
    recovered_at: cleared.every((t) => t !== null) ? Math.max(...cleared) : null,
    lon: best[0].lon,
    lat: best[0].lat,
    error_radius_m: best[0].error_radius_m,
    cell: best[0].cell,
    component: best.find((e) => e.component !== null)?.component ?? null,
  };
}
