import { expect, test } from 'vitest';
import { bordersOf } from '../../console/parts/map/borders.ts';

const COLUMNS = 4;
const ROWS = 3;
/** Unit grids in rows, whose neighbours share their borders; each ring begins at its lower left corner. */
const features = Array.from({ length: COLUMNS * ROWS }, (_, i) => {
  const [x, y] = [i % COLUMNS, Math.floor(i / COLUMNS)];
  const ring: [number, number][] = [
    [x, y],
    [x + 1, y],
    [x + 1, y + 1],
    [x, y + 1],
    [x, y],
  ];
  return { geometry: { coordinates: [ring] } };
});
/** Each piece of a line by its two ends, however it runs. */
const pieces = (lines: readonly (readonly [number, number])[][]) =>
  lines.flatMap((line) => line.slice(1).map((to, i) => [line[i]?.join(), to.join()].sort().join(' ')));

test('each border of the unit grids is drawn once, and those in a row as one line', () => {
  const { coordinates } = bordersOf({ features });
  const drawn = pieces(coordinates);
  const wanted = new Set(pieces(features.flatMap(({ geometry }) => geometry.coordinates)));
  expect(wanted.size).toBe(COLUMNS * (ROWS + 1) + ROWS * (COLUMNS + 1));
  expect(drawn.toSorted()).toEqual([...wanted].sort());
  expect(coordinates.length).toBeLessThanOrEqual(ROWS + 1 + COLUMNS + 1);
});

test('no unit grids have no borders', () => {
  expect(bordersOf({ features: [] }).coordinates).toEqual([]);
});
