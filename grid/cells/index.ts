import Flatbush from 'flatbush';
import { areaM2, distanceToRingM, inPolygon } from '../geo.ts';
import type { Position } from '../place.ts';
import type { SiteCell } from '../site/mod.ts';

/** Which unit grid a point lies in: an R-tree over the cells' boxes, then the polygon itself. */
export interface CellIndex {
  /** The cell that contains the point, or null. */
  cellAt(p: Position): string | null;
  /** The same, but a point up to `withinM` metres outside of all cells gets the nearest one: positions have errors, streets have edges. */
  cellNear(p: Position, withinM: number): string | null;
}

/** How far outside of every cell a position may lie and still be given to the nearest. */
export const NEAR_CELL_M = 30;
const METRES_PER_DEGREE = 111_195;

export function createCellIndex(cells: readonly SiteCell[]): CellIndex {
  if (cells.length === 0) return { cellAt: () => null, cellNear: () => null };
  const tree = new Flatbush(cells.length);
  for (const { polygon } of cells) {
    const lons = polygon.map(([lon]) => lon);
    const lats = polygon.map(([, lat]) => lat);
    tree.add(Math.min(...lons), Math.min(...lats), Math.max(...lons), Math.max(...lats));
  }
  tree.finish();
  const cell = (i: number) => cells[i] as SiteCell;

  const cellAt = ({ lon, lat }: Position): string | null => {
    // On a shared border the lower code wins, so that the answer does not depend on the order of the file.
    const hits = tree.search(lon, lat, lon, lat, (i) => inPolygon(lon, lat, cell(i).polygon));
    return hits.map((i) => cell(i).code).sort()[0] ?? null;
  };
  const cellNear = (p: Position, withinM: number): string | null => {
    const inside = cellAt(p);
    if (inside !== null) return inside;
    const dLat = withinM / METRES_PER_DEGREE;
    const dLon = dLat / Math.max(0.01, Math.cos((p.lat * Math.PI) / 180));
    const near = tree
      .search(p.lon - dLon, p.lat - dLat, p.lon + dLon, p.lat + dLat)
      .map((i) => ({ code: cell(i).code, m: distanceToRingM(p, cell(i).polygon) }))
      .filter((c) => c.m <= withinM)
      .sort((a, b) => a.m - b.m || a.code.localeCompare(b.code));
    return near[0]?.code ?? null;
  };
  return { cellAt, cellNear };
}

/** Unit grids as a GeoJSON FeatureCollection: code, area in square metres. */
export function cellsToGeoJson(cells: readonly SiteCell[]) {
  return {
    type: 'FeatureCollection' as const,
    features: cells.map(({ code, polygon }) => ({
      type: 'Feature' as const,
      id: code,
      properties: { code, areaM2: Math.round(areaM2(polygon)) },
      geometry: { type: 'Polygon' as const, coordinates: [closed(polygon)] },
    })),
  };
}

function closed(ring: readonly (readonly [number, number])[]): [number, number][] {
  const copy = ring.map(([lon, lat]): [number, number] => [lon, lat]);
  const [first, last] = [copy[0], copy.at(-1)];
  if (first && last && (first[0] !== last[0] || first[1] !== last[1])) copy.push([first[0], first[1]]);
  return copy;
}
