import type { SiteCell } from '#grid/mod.ts';
import type { Dice } from '../cameras/street/mod.ts';
import type { CityFrame } from './frame.ts';

/** 万米单元网格: about 100 m by 100 m. */
export const CELL_M = 100;
export const ROWS = 2;
/** Corners are off the square lattice by up to so much: real cells follow kerbs and walls. */
const CORNER_OFF_M = 5;
const STREET = '001';

/** A community: the columns [from, to) of the lattice, all rows. */
export interface Block {
  community: string;
  fromColumn: number;
  toColumn: number;
  cells: SiteCell[];
}

/** Where the road of a row runs, city metres across. */
export function roadM(row: number): number {
  return (row + 0.5) * CELL_M;
}

/**
 * Cells in two rows that tile without gap, cut into `blocks` communities side by side. In each community the sequence runs
 * from west to east, then from north to south. Source: docs/domain/rules.md section 3.
 */
export function layCells(frame: CityFrame, dice: Dice, division: string, cells: number, blocks: number): Block[] {
  const columns = cells / ROWS;
  if (!Number.isInteger(columns) || columns < blocks || blocks < 1)
    throw new RangeError(`${cells} cells: an even number is wanted, two or more for each of ${blocks} edges`);
  const corners = layCorners(frame, dice, columns);
  const corner = (row: number, column: number) => corners[row]?.[column] as [number, number];
  return Array.from({ length: blocks }, (_, block) => {
    const [fromColumn, toColumn] = [cut(columns, blocks, block), cut(columns, blocks, block + 1)];
    const community = STREET + String(block + 1).padStart(3, '0');
    const list: SiteCell[] = [];
    for (let row = ROWS - 1; row >= 0; row--)
      for (let column = fromColumn; column < toColumn; column++)
        list.push({
          code: division + community + String(list.length + 1).padStart(3, '0'),
          polygon: [corner(row, column), corner(row, column + 1), corner(row + 1, column + 1), corner(row + 1, column)],
        });
    return { community, fromColumn, toColumn, cells: list };
  });
}

/** Shared by the cells that meet there: that is what keeps gaps and overlaps away. */
function layCorners(frame: CityFrame, dice: Dice, columns: number): [number, number][][] {
  const off = () => dice.between(-CORNER_OFF_M, CORNER_OFF_M);
  return Array.from({ length: ROWS + 1 }, (_, row) =>
    Array.from({ length: columns + 1 }, (_, column) => {
      const { lon, lat } = frame.toPosition({ uM: column * CELL_M + off(), vM: row * CELL_M + off() });
      return [lon, lat];
    }),
  );
}

function cut(columns: number, blocks: number, at: number): number {
  return Math.round((at * columns) / blocks);
}
