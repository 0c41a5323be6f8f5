import { expect, test } from 'vitest';
import { type Look, maskOf, showingAt, whatGoes } from '#edge/evidence/mod.ts';
import type { Box } from '#models/mod.ts';

const THING = {};
const BOX: Box = [0.4, 0.4, 0.6, 0.7];
const look = (ms: number, people: Box[] = [], box: Box | null = BOX): Look => {
  return { at: ms, ms, people, things: new Map(box === null ? [] : [[THING, box]]) };
};
/** Whether a point of the picture may be seen at a moment. */
function shows(looks: Look[], ms: number, x: number, y: number): boolean {
  const [across, down] = [200, 112];
  return maskOf(showingAt(looks, THING, ms), across, down)[Math.floor(y * down) * across + Math.floor(x * across)] === 255;
}

test('the box of the event is shown, nothing around it; where two looks differ, only what both hold', () => {
  const looks = [look(0), look(500), look(1000, [], [0.5, 0.4, 0.7, 0.7])];
  expect([shows(looks, 250, 0.45, 0.5), shows(looks, 250, 0.39, 0.5), shows(looks, 250, 0.5, 0.72)]).toEqual([
    true,
    false,
    false,
  ]);
  expect([shows(looks, 750, 0.45, 0.5), shows(looks, 750, 0.55, 0.5), shows(looks, 750, 0.65, 0.5)]).toEqual([
    false,
    true,
    false,
  ]);
});

test('a person who walks through between two looks is covered all the way', () => {
  // A person of 0.2 of the picture's height, 1 m from the box on one side, then on the other: 500 ms apart.
  const [left, right]: [Box, Box] = [
    [0.3, 0.45, 0.34, 0.65],
    [0.64, 0.45, 0.68, 0.65],
  ];
  const looks = [look(0), look(500, [left]), look(1000, [right]), look(1500)];
  for (let ms = 500; ms <= 1000; ms += 50) {
    const centre = 0.32 + (0.34 * (ms - 500)) / 500;
    expect([ms, shows(looks, ms, centre, 0.5)]).toEqual([ms, false]);
  }
  // Long before and after, the event is to be seen.
  const quiet = [look(0), look(500), look(1000)];
  expect(shows(quiet, 500, 0.5, 0.5)).toBe(true);
});

test('a person whom one look has missed is covered by the one before', () => {
  const standing: Box = [0.48, 0.45, 0.52, 0.65];
  const looks = [look(0, [standing]), look(500), look(1000, [standing])];
  expect(shows(looks, 500, 0.5, 0.55)).toBe(false);
  expect(shows(looks, 500, 0.42, 0.68)).toBe(false);
});

test('in doubt nothing is shown: no look after, none for three seconds, the thing not seen for three', () => {
  expect(showingAt([look(0), look(500)], THING, 600)).toBeNull();
  expect(showingAt([look(500), look(1000)], THING, 400)).toBeNull();
  expect(showingAt([look(0), look(3001)], THING, 1000)).toBeNull();
  expect(showingAt([look(0), look(3000)], THING, 1000)).not.toBeNull();
  const lost = [look(0), ...[500, 1000, 1500, 2000, 2500, 3000, 3500].map((ms) => look(ms, [], null)), look(4000)];
  expect(showingAt(lost, THING, 400)).toBeNull();
  expect(showingAt([look(0), look(500)], {}, 250)).toBeNull();
  expect(maskOf(null, 4, 4)).toEqual(Buffer.alloc(16));
});

const file = (n: number, more: object = {}) => {
  return { sha256: `${n}`, bytes: 100, takenAt: n, class: '2:0501', waits: false, ...more };
};
const gone = (files: ReturnType<typeof file>[], limits: object) =>
  whatGoes(files, { quotaBytes: 1000, retention: { '*': { days: 30, share: 1 } }, now: 100, ...limits }).map((f) => f.sha256);
const DAY = 86_400_000;

test('retention: by the age of the class, its share, the quota; what waits goes last and never for its age', () => {
  const now = 40 * DAY;
  const aged = [file(1), file(20 * DAY), file(2, { waits: true }), file(3, { class: '1:0102:cover_open' })];
  expect(gone(aged, { now })).toEqual(['1', '3']);
  expect(gone(aged, { now, retention: { '*': { days: 10, share: 1 }, '1:0102': { days: 365, share: 1 } } })).toEqual([
    '1',
    `${20 * DAY}`,
  ]);
  // Stalls may fill a third: the covers stay, however old.
  const many = [...Array.from({ length: 5 }, (_, n) => file(n + 1)), file(0, { class: '1:0102:cover_open' })];
  expect(gone(many, { retention: { '*': { days: 30, share: 1 }, '2:0501': { days: 30, share: 0.3 } } })).toEqual(['1', '2']);
  expect(gone(many, { quotaBytes: 400 }).sort()).toEqual(['0', '1']);
  expect(gone([file(1, { waits: true }), file(2)], { quotaBytes: 100 })).toEqual(['2']);
  expect(gone([file(1), file(2)], { quotaBytes: 50, newest: '1' })).toEqual(['2']);
});
