import type { SiteCell } from '#grid/mod.ts';
import type { Dice } from '../cameras/street/mod.ts';
import type { CityFrame } from './frame.ts';

/** How the ground is divided: rows of unit grids, cut into communities, these into streets. */
export interface CityLayout {
  /** Side of a unit grid (万米单元网格), metres: about 100, from 45 to 220 by docs/domain/rules.md section 3. */
  cellM: number;
  /** Unit grids of each row, from south to north; all rows begin at the same meridian of the lattice. */
  rowCells: readonly number[];
  /** Communities from south to north, and from west to east. */
  communityRows: number;
  communityColumns: number;
  /** Communities of a street (街道), in both directions. */
  streetRows: number;
  streetColumns: number;
  /** A road from south to north in every n-th column; none where not given. Every row has one from west to east. */
  avenueEvery?: number;
}

/** Corners are off the square lattice by up to this share of a side: real cells follow kerbs and walls. */
const CORNER_OFF = 0.05;
const STREETS_MAX = 599;
const SEQUENCE_MAX = 999;

/** A community: columns [from, to) and rows [from, to) of the lattice. */
export interface Block {
  /** Street and community, six digits. */
  community: string;
  fromColumn: number;
  toColumn: number;
  fromRow: number;
  toRow: number;
  cells: SiteCell[];
}

/** Where the road of a row or a column runs, city metres across. */
export function roadM({ cellM }: Pick<CityLayout, 'cellM'>, line: number): number {
  return (line + 0.5) * cellM;
}

/** The columns of a block in one of its rows: rows may end before the block does. */
export function columnsOf({ rowCells }: CityLayout, block: Block, row: number): readonly [from: number, to: number] {
  return [block.fromColumn, Math.min(block.toColumn, rowCells[row] ?? 0)];
}

/**
 * Cells that tile without gap, in communities. In each community the sequence runs from west to east, then from north to
 * south. Source: docs/domain/rules.md section 3. Throws RangeError on a layout that has no codes.
 */
export function layCells(frame: CityFrame, dice: Dice, division: string, layout: CityLayout): Block[] {
  const corners = layCorners(frame, dice, layout);
  const corner = (row: number, column: number) => corners[row]?.[column] as [number, number];
  const blocks = layBlocks(layout);
  for (const block of blocks) {
    for (let row = block.toRow - 1; row >= block.fromRow; row--) {
      const [from, to] = columnsOf(layout, block, row);
      for (let column = from; column < to; column++)
        block.cells.push({
          code: division + block.community + String(block.cells.length + 1).padStart(3, '0'),
          polygon: [corner(row, column), corner(row, column + 1), corner(row + 1, column + 1), corner(row + 1, column)],
        });
    }
    if (block.cells.length > SEQUENCE_MAX) throw new RangeError(`${block.cells.length} cells in community ${block.community}`);
  }
  return blocks.filter((b) => b.cells.length > 0);
}

/** Communities, numbered within their streets, both from west to east and then from north to south. */
function layBlocks({ rowCells, communityRows, communityColumns, streetRows, streetColumns }: CityLayout): Block[] {
  const columns = Math.max(...rowCells);
  const streetsAcross = Math.ceil(communityColumns / streetColumns);
  const inStreet = new Map<number, number>();
  const blocks: Block[] = [];
  for (let down = 0; down < communityRows; down++)
    for (let across = 0; across < communityColumns; across++) {
      const street = Math.floor(down / streetRows) * streetsAcross + Math.floor(across / streetColumns) + 1;
      if (street > STREETS_MAX) throw new RangeError(`more than ${STREETS_MAX} streets`);
      const number = (inStreet.get(street) ?? 0) + 1;
      inStreet.set(street, number);
      const up = communityRows - 1 - down;
      blocks.push({
        community: String(street).padStart(3, '0') + String(number).padStart(3, '0'),
        fromColumn: cut(columns, communityColumns, across),
        toColumn: cut(columns, communityColumns, across + 1),
        fromRow: cut(rowCells.length, communityRows, up),
        toRow: cut(rowCells.length, communityRows, up + 1),
        cells: [],
      });
    }
  return blocks.sort((a, b) => (a.community < b.community ? -1 : 1));
}

/** Shared by the cells that meet there: that is what keeps gaps and overlaps away. */
function layCorners(frame: CityFrame, dice: Dice, { cellM, rowCells }: CityLayout): [number, number][][] {
  const offM = CORNER_OFF * cellM;
  const off = () => dice.between(-offM, offM);
  const columns = Math.max(...rowCells);
  return Array.from({ length: rowCells.length + 1 }, (_, row) =>
    Array.from({ length: columns + 1 }, (_, column) => {
      const { lon, lat } = frame.toPosition({ uM: column * cellM + off(), vM: row * cellM + off() });
      return [lon, lat];
    }),
  );
}

function cut(whole: number, parts: number, at: number): number {
  return Math.round((at * whole) / parts);
}
