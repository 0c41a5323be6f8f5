import type { Site } from '#grid/mod.ts';
import type { CityEdge, PlayedCity } from './types.ts';

/** Digits of a unit grid's code that name its community. */
const COMMUNITY_DIGITS = 12;

/** What edges are in charge of by their site files, as a city whose devices can be played. Its cameras are real, and stay out of it. */
export function cityOfSites(sites: readonly { id: string; site: Site }[]): PlayedCity {
  const edges = sites.map(({ id, site: { cells, components, devices, groups = [] } }): CityEdge => {
    const communities = [...Map.groupBy(cells, (c) => c.code.slice(0, COMMUNITY_DIGITS))];
    return {
      id,
      communities: communities.map(([code, own]) => ({ code, cells: own.map((c) => c.code) })),
      ...{ cells, components, devices, groups },
      cameras: [],
    };
  });
  // A unit grid may be of two edges.
  const cells = new Map(edges.flatMap((e) => e.cells.map((c) => [c.code, c] as const)));
  const division = edges.flatMap((e) => e.devices)[0]?.component.slice(0, 6) ?? '';
  return { seed: 0, division, cells: [...cells.values()], edges };
}
