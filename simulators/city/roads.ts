import { type Block, type CityLayout, columnsOf, roadM } from './cells.ts';
import type { CityFrame, CityPoint } from './frame.ts';

/** A straight road: `row` from west to east, `avenue` from south to north, through the middles of a line of cells. */
export interface Road {
  id: string;
  runs: 'row' | 'avenue';
  /** Number of its row or column. */
  line: number;
  /** Its length, city metres from the lattice's edge. */
  fromM: number;
  toM: number;
}

/** A part of a road. */
export interface Stretch {
  runs: Road['runs'];
  line: number;
  fromM: number;
  toM: number;
}

/** Every road of the city. */
export function layRoads(layout: CityLayout): Road[] {
  const { cellM, rowCells } = layout;
  const rows = rowCells.map((cells, line): Road => ({ id: `road-${line + 1}`, runs: 'row', line, fromM: 0, toM: cells * cellM }));
  const columns = Array.from({ length: Math.max(...rowCells) }, (_, column) => column);
  const avenues = columns
    .filter((c) => isAvenue(layout, c))
    .map((line): Road => {
      // Rows end where they like: an avenue reaches as far north as it has cells to run through.
      const length = rowCells.findIndex((cells) => cells <= line);
      return { id: `avenue-${line + 1}`, runs: 'avenue', line, fromM: 0, toM: (length < 0 ? rowCells.length : length) * cellM };
    });
  return [...rows, ...avenues.filter((a) => a.toM > 0)];
}

/** The roads of a community, `borderM` off its ends. */
export function stretchesOf(layout: CityLayout, block: Block, borderM: number): Stretch[] {
  const { cellM } = layout;
  const rows: Stretch[] = [];
  for (let row = block.fromRow; row < block.toRow; row++) {
    const [from, to] = columnsOf(layout, block, row);
    if (to > from) rows.push({ runs: 'row', line: row, fromM: from * cellM + borderM, toM: to * cellM - borderM });
  }
  const avenues: Stretch[] = [];
  for (let column = block.fromColumn; column < block.toColumn; column++) {
    if (!isAvenue(layout, column)) continue;
    let toRow = block.fromRow;
    while (toRow < block.toRow && column < (layout.rowCells[toRow] ?? 0)) toRow++;
    if (toRow > block.fromRow)
      avenues.push({ runs: 'avenue', line: column, fromM: block.fromRow * cellM + borderM, toM: toRow * cellM - borderM });
  }
  return [...rows, ...avenues];
}

/** A point of a road, so far along it and so far to its left. */
export function pointOn(
  layout: CityLayout,
  { runs, line }: Pick<Road, 'runs' | 'line'>,
  alongM: number,
  acrossM: number,
): CityPoint {
  const across = roadM(layout, line) + acrossM;
  return runs === 'row' ? { uM: alongM, vM: across } : { uM: across, vM: alongM };
}

/** The point at a share (0..1) of all stretches laid end to end. */
export function along(stretches: readonly Stretch[], share: number): { stretch: Stretch; alongM: number } {
  let restM = share * stretches.reduce((sum, s) => sum + s.toM - s.fromM, 0);
  for (const stretch of stretches) {
    const lengthM = stretch.toM - stretch.fromM;
    if (restM < lengthM) return { stretch, alongM: stretch.fromM + restM };
    restM -= lengthM;
  }
  throw new RangeError('no road left to stand at');
}

/** Both ends of a road. */
export function endsOf(frame: CityFrame, layout: CityLayout, road: Road) {
  return [road.fromM, road.toM].map((m) => frame.toPosition(pointOn(layout, road, m, 0)));
}

function isAvenue({ avenueEvery }: CityLayout, column: number): boolean {
  return avenueEvery !== undefined && column % avenueEvery === avenueEvery >> 1;
}
