import type { CoverageAnswer, SituationAnswer } from '#grid/api/mod.ts';
import type { Shade } from '../../parts/map/shades.ts';

export const LAYERS = ['cases', 'health', 'coverage'] as const;
export type Layer = (typeof LAYERS)[number];

/** Shades of each layer, worst first: a unit grid has that of the worst that is in it. */
export const SHADES_OF: Record<Layer, readonly Shade[]> = {
  cases: ['critical', 'high', 'normal', 'low'],
  health: ['offline', 'degraded', 'online', 'unknown'],
  coverage: ['unwatched', 'partly', 'sensor', 'camera'],
};

type CellNow = SituationAnswer['cells'][number];
type CellWatch = CoverageAnswer['cells'][number];
/** Percent of the time above which a grid counts as watched, and up to which as not. */
const WATCHED_MIN = 95;
const UNWATCHED_MAX = 5;

export function shadesNow({ cells }: SituationAnswer, layer: 'cases' | 'health'): Map<string, Shade> {
  const worst = (counts: Record<string, number>) => SHADES_OF[layer].find((shade) => (counts[shade] ?? 0) > 0) ?? 'none';
  return new Map(cells.map((cell: CellNow) => [cell.code, worst(layer === 'cases' ? cell.openCases : cell.devices)]));
}

/** Of one hour of the day, or of all of it. */
export function shadesWatched({ cells }: CoverageAnswer, hour: number | null): Map<string, Shade> {
  return new Map(cells.map((cell) => [cell.code, watchShade(cell, hour)]));
}

function watchShade({ camera, either }: CellWatch, hour: number | null): Shade {
  if (shareOf(camera, hour) >= WATCHED_MIN) return 'camera';
  const share = shareOf(either, hour);
  return share >= WATCHED_MIN ? 'sensor' : share > UNWATCHED_MAX ? 'partly' : 'unwatched';
}

/** Percent of an hour, or of the whole day; 0 where there is nothing that could watch. */
export function shareOf(percents: readonly number[], hour: number | null): number {
  if (hour !== null) return percents[hour] ?? 0;
  return percents.length === 0 ? 0 : percents.reduce((sum, p) => sum + p, 0) / percents.length;
}
