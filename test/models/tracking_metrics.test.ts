import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  addCounts,
  assign,
  countTracks,
  scoresOf,
  type TrackedPicture,
  type TrackFound,
  type TrackTruth,
} from '#models/eval/mod.ts';

/** Boxes of width 1 beside each other; a shift of a third leaves an overlap of exactly 0.5, of a half one third. */
const truth = (id: string, x: number, changes: Partial<TrackTruth> = {}): TrackTruth => ({
  id,
  class: 'stall',
  box: [x, 0, x + 1, 1],
  ignored: false,
  ...changes,
});
const found = (id: string, x: number, changes: Partial<TrackFound> = {}): TrackFound => ({
  id,
  class: 'stall',
  box: [x, 0, x + 1, 1],
  ...changes,
});
const times = (n: number, picture: (k: number) => TrackedPicture): TrackedPicture[] =>
  Array.from({ length: n }, (_, k) => picture(k));

test('a perfect tracker has 1 of everything', () => {
  const counts = countTracks(
    times(5, (k) => ({ truth: [truth('a', k), truth('b', k + 3)], found: [found('1', k), found('2', k + 3)] })),
  );
  expect(counts).toMatchObject({
    truths: 10,
    hits: 10,
    missed: 0,
    falseFound: 0,
    switches: 0,
    fragments: 0,
    idHits: 10,
    mostlyTracked: 2,
  });
  expect(scoresOf(counts)).toEqual({ mota: 1, idf1: 1, precision: 1, recall: 1 });
});

test('a change of track half way: one switch for MOTA, half of the boxes for IDF1', () => {
  const counts = countTracks(times(10, (k) => ({ truth: [truth('a', 0)], found: [found(k < 5 ? '1' : '2', 0)] })));
  expect(counts).toMatchObject({ hits: 10, switches: 1, fragments: 0, idHits: 5, idFalse: 5, idMissed: 5 });
  // 1 - 1/10, and 2 * 5 / (10 + 10).
  expect(scoresOf(counts)).toMatchObject({ mota: 0.9, idf1: 0.5 });
});

test('a gap of two pictures under the same track is a fragment and two misses, no switch', () => {
  const counts = countTracks(times(10, (k) => ({ truth: [truth('a', 0)], found: k === 4 || k === 5 ? [] : [found('1', 0)] })));
  expect(counts).toMatchObject({ hits: 8, missed: 2, switches: 0, fragments: 1, mostlyTracked: 1 });
  // 16 / (16 + 0 + 2).
  expect(scoresOf(counts).idf1).toBeCloseTo(16 / 18);
  expect(scoresOf(counts).mota).toBeCloseTo(0.8);
});

test('a thing that comes back under another track after a gap is a switch and a fragment', () => {
  const counts = countTracks(
    times(9, (k) => ({ truth: [truth('a', 0)], found: k < 3 ? [found('1', 0)] : k < 6 ? [] : [found('2', 0)] })),
  );
  expect(counts).toMatchObject({ hits: 6, missed: 3, switches: 1, fragments: 1, idHits: 3 });
});

test('two tracks that swap their things are two switches', () => {
  const counts = countTracks(
    times(6, (k) => ({ truth: [truth('a', 0), truth('b', 5)], found: [found('1', k < 3 ? 0 : 5), found('2', k < 3 ? 5 : 0)] })),
  );
  expect(counts).toMatchObject({ truths: 12, hits: 12, switches: 2, idHits: 6 });
  expect(scoresOf(counts)).toMatchObject({ idf1: 0.5 });
});

test('false boxes and doubles count against MOTA; it may be negative', () => {
  const counts = countTracks(
    times(2, () => ({ truth: [truth('a', 0)], found: [found('1', 0.2), found('2', 0.1), found('3', 7), found('4', 9)] })),
  );
  expect(counts).toMatchObject({ hits: 2, falseFound: 6, missed: 0 });
  expect(scoresOf(counts)).toMatchObject({ mota: -2, precision: 0.25, recall: 1 });
});

test('a pair of the picture before stays one while it overlaps enough, though another lies better', () => {
  const pictures = [
    { truth: [truth('a', 0)], found: [found('1', 0)] },
    { truth: [truth('a', 0)], found: [found('1', 0.3), found('2', 0)] },
    { truth: [truth('a', 0)], found: [found('1', 0.4), found('2', 0)] },
  ];
  expect(countTracks(pictures.slice(0, 2)).switches).toBe(0);
  // 0.4 aside is an overlap of 0.43: no longer the same.
  expect(countTracks(pictures).switches).toBe(1);
});

test('classes are never mixed', () => {
  const counts = countTracks([{ truth: [truth('a', 0)], found: [found('1', 0, { class: 'garbage' })] }]);
  expect(counts).toMatchObject({ hits: 0, missed: 1, falseFound: 1, idHits: 0 });
});

test('what is ignored is neither missed nor falsely found, and does not make its thing forgotten', () => {
  const hidden = (k: number): boolean => k === 3 || k === 4;
  const pictures = times(8, (k) => ({ truth: [truth('a', 0, { ignored: hidden(k) })], found: [found(k < 5 ? '1' : '2', 0)] }));
  const counts = countTracks(pictures);
  expect(counts).toMatchObject({ truths: 6, hits: 6, missed: 0, falseFound: 0, fragments: 0, switches: 1 });
  const unseen = countTracks(pictures.map((p, k) => ({ ...p, found: hidden(k) ? [] : [found('1', 0)] })));
  expect(scoresOf(unseen)).toEqual({ mota: 1, idf1: 1, precision: 1, recall: 1 });
});

test('runs add up, and an empty one scores 1', () => {
  const one = countTracks([{ truth: [truth('a', 0)], found: [] }]);
  const other = countTracks([{ truth: [truth('a', 0)], found: [found('1', 0)] }]);
  expect(addCounts([one, other])).toMatchObject({ truths: 2, hits: 1, missed: 1, idHits: 1, things: 2, mostlyLost: 1 });
  expect(scoresOf(addCounts([]))).toEqual({ mota: 1, idf1: 1, precision: 1, recall: 1 });
});

test('the assignment is the best one: held against all of them', () => {
  const all = (worth: number[][], row = 0, taken = new Set<number>()): number => {
    if (row === worth.length) return 0;
    let best = all(worth, row + 1, taken);
    for (const [column, value] of (worth[row] ?? []).entries()) {
      if (value <= 0 || taken.has(column)) continue;
      best = Math.max(best, value + all(worth, row + 1, new Set([...taken, column])));
    }
    return best;
  };
  const matrix = fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 })).chain(([rows, columns]) =>
    fc.array(fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 20 })), { minLength: columns, maxLength: columns }), {
      minLength: rows,
      maxLength: rows,
    }),
  );
  fc.assert(
    fc.property(matrix, (worth) => {
      const chosen = assign(worth);
      const used = chosen.filter((c) => c >= 0);
      expect(new Set(used).size).toBe(used.length);
      const sum = chosen.reduce((s, c, row) => s + (c < 0 ? 0 : ((worth[row] as number[])[c] as number)), 0);
      expect(sum).toBe(all(worth));
    }),
    { numRuns: 300 },
  );
});
