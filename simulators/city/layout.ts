import type { CityLayout } from './cells.ts';

const DEMO_CELL_M = 100;
const DEMO_ROWS = 2;

/**
 * Two rows, a community for each edge, one street.
 *
 *   +-----+-----+-----+-----+-----+-----+
 *   |=====|==C==|=====|=====|=====|==C==|   north road
 *   +-----+-----+-----+-----+-----+-----+
 *   |==C==|=====|=====|=====|==C==|=====|   south road
 *   +-----+-----+-----+-----+-----+-----+
 *        edge-01            edge-02
 *
 * Throws RangeError on numbers that do not fit.
 */
export function demoLayout({ cells, edges }: { cells: number; edges: number }): CityLayout {
  const columns = cells / DEMO_ROWS;
  if (!Number.isInteger(columns) || columns < edges || edges < 1)
    throw new RangeError(`${cells} cells: an even number is wanted, two or more for each of ${edges} edges`);
  return {
    cellM: DEMO_CELL_M,
    rowCells: Array.from({ length: DEMO_ROWS }, () => columns),
    communityRows: 1,
    communityColumns: edges,
    streetRows: 1,
    streetColumns: edges,
  };
}

/** Dongcheng, Beijing, where unit grids were invented: 1,652 of them on 25.38 km2. */
const DISTRICT_CELL_M = Math.sqrt(25_380_000 / 1_652);
/** Cells along each side of a community, and communities along each side of a street: some 180 of 9 cells, in some 17 streets. */
const COMMUNITY_CELLS = 3;
const STREET_COMMUNITIES = 4;
const AVENUE_EVERY = 3;
/** More communities than a street has numbers for would need other streets. */
const CELLS_MAX = 50_000;

/** About a square of `cells` unit grids; its rows differ by one where they do not divide, so that the east is ragged. */
export function districtLayout({ cells }: { cells: number }): CityLayout {
  if (!Number.isInteger(cells) || cells < 4 || cells > CELLS_MAX)
    throw new RangeError(`${cells} cells: a whole number from 4 to ${CELLS_MAX} is wanted`);
  const rows = Math.max(1, Math.floor(Math.sqrt(cells)));
  const rowCells = Array.from({ length: rows }, (_, row) => Math.floor(cells / rows) + (row < cells % rows ? 1 : 0));
  const communities = (cellsAcross: number) => Math.max(1, Math.round(cellsAcross / COMMUNITY_CELLS));
  return {
    cellM: DISTRICT_CELL_M,
    rowCells,
    communityRows: communities(rows),
    communityColumns: communities(Math.max(...rowCells)),
    streetRows: STREET_COMMUNITIES,
    streetColumns: STREET_COMMUNITIES,
    avenueEvery: AVENUE_EVERY,
  };
}
