import type { ScoreAnswer } from '#grid/api/mod.ts';
import { LANES } from '#grid/wire/mod.ts';
import type { DeviceService, EdgeStatus, HealthState, Registry } from '../devices/mod.ts';
import type { Cover } from './cover.ts';

/**
 * How well an edge, or a district, is: 100 times the weighted mean of its parts, those left out that it has nothing of.
 *
 *   sensors  0.4   (online + degraded / 2) / all that report, less those under maintenance
 *   cameras  0.3   the same of cameras
 *   heard    0.2   share of the last 24 h in which the edge was not silent
 *   backlog  0.1   1 at nothing that waits in its outbox, 0 at BACKLOG_RECORDS or more
 *
 * A thing that never reported counts as not well: it is registered, and nobody knows of it. A district is a division (six digits of its unit
 * grids' codes); its edges are those that have a grid in it, each counted alike.
 */
const WEIGHTS = { sensors: 0.4, cameras: 0.3, heard: 0.2, backlog: 0.1 } as const;
type Part = keyof typeof WEIGHTS;
const BACKLOG_RECORDS = 20_000;
const DAY_MS = 86_400_000;
const DIVISION_DIGITS = 6;
const WORTH: Record<HealthState, number> = { online: 1, degraded: 0.5, offline: 0, unknown: 0 };

export interface ScoreDependencies {
  registry: Registry;
  devices: Pick<DeviceService, 'states' | 'edges' | 'silentMs'>;
}

interface Tally {
  sensors: number[];
  cameras: number[];
  heard: number[];
  backlog: number[];
  maintenance: number;
}
const noTally = (): Tally => ({ sensors: [], cameras: [], heard: [], backlog: [], maintenance: 0 });

export async function scoresOf({ registry, devices }: ScoreDependencies, cover: Cover, now: number): Promise<ScoreAnswer[]> {
  const [states, edges, silent] = await Promise.all([devices.states(), devices.edges(), devices.silentMs(now - DAY_MS)]);
  const ofEdge = new Map(edges.map((e) => [e.id, noTally()]));
  const ofDistrict = new Map<string, Tally>();
  const district = (cell: string | null | undefined): Tally | null => {
    if (cell == null) return null;
    const id = cell.slice(0, DIVISION_DIGITS);
    const known = ofDistrict.get(id) ?? noTally();
    ofDistrict.set(id, known);
    return known;
  };
  for (const { of, id, state } of states) {
    if (of === 'edge') continue;
    const thing = (of === 'device' ? registry.devices : registry.cameras).get(id);
    for (const tally of [ofEdge.get(thing?.edge ?? ''), district(thing?.cell)]) {
      if (tally == null) continue;
      if (cover.of({ of, id }) !== null) tally.maintenance++;
      else tally[of === 'device' ? 'sensors' : 'cameras'].push(WORTH[state]);
    }
  }
  for (const edge of edges) {
    const divisions = new Set(registry.edges.get(edge.id)?.cells.map((c) => c.code) ?? []);
    const tallies = [ofEdge.get(edge.id), ...new Set([...divisions].map(district))];
    for (const tally of tallies) {
      if (tally == null) continue;
      // One that never reported was heard of for none of that time.
      tally.heard.push(edge.lastSeenAt === null ? 0 : 1 - Math.min(1, (silent.get(edge.id) ?? 0) / DAY_MS));
      if (edge.lastSeenAt !== null) tally.backlog.push(1 - Math.min(1, waiting(edge) / BACKLOG_RECORDS));
    }
  }
  return [
    ...[...ofEdge].map(([id, tally]) => toScore('edge', id, tally)),
    ...[...ofDistrict].map(([id, tally]) => toScore('district', id, tally)),
  ].sort((a, b) => (a.score ?? 101) - (b.score ?? 101) || (a.id < b.id ? -1 : 1));
}

const waiting = ({ values }: EdgeStatus): number => LANES.reduce((sum, lane) => sum + (values[`outbox.${lane}.records`] ?? 0), 0);

function toScore(of: ScoreAnswer['of'], id: string, tally: Tally): ScoreAnswer {
  const parts = (Object.keys(WEIGHTS) as Part[]).map((name) => {
    const values = tally[name];
    const value = values.length === 0 ? null : values.reduce((sum, v) => sum + v, 0) / values.length;
    return { name, value, weight: WEIGHTS[name] };
  });
  const counted = parts.filter((p) => p.value !== null);
  const weight = counted.reduce((sum, p) => sum + p.weight, 0);
  const mean = counted.reduce((sum, p) => sum + p.weight * (p.value ?? 0), 0) / weight;
  return {
    of,
    id,
    score: weight === 0 ? null : Math.round(100 * mean),
    parts,
    things: tally.sensors.length + tally.cameras.length,
    maintenance: tally.maintenance,
  };
}
