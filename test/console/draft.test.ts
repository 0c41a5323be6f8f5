import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { expect, test } from 'vitest';
import { Zone } from '#grid/mod.ts';
import { schemaMistakes } from '#service/mod.ts';
import {
  asKind,
  type Draft,
  draftOf,
  firstClass,
  freeId,
  kindOf,
  newRule,
  type Point,
  rounded,
  stepOf,
  withCorner,
  withoutShape,
  withPoints,
  withShape,
  type Zone as ZoneDraft,
} from '../../console/pages/cameras/draft.ts';
import { mistakeText } from '../../console/pages/cameras/mistake_text.ts';
import { seated, VIEWS_MAX, VIEWS_PER_EDGE_MAX } from '../../console/pages/cameras/seats.ts';

const SQUARE: Point[] = [
  [0.1, 0.1],
  [0.5, 0.1],
  [0.5, 0.5],
  [0.1, 0.5],
];
const check = Compile(Type.Array(Zone));
const drawn = (): Draft => withShape(draftOf({ zones: null, exclude: null }), 'zones', SQUARE, 'stall')[0];

test('what is drawn is a zone that the edge takes, under a name that none has, and leaves the old draft as it was', () => {
  const one = drawn();
  const [two, key] = withShape(one, 'zones', SQUARE, 'garbage');
  expect(key).toBe('zones.1');
  expect(two.zones.map((z) => [z.id, z.rules[0]?.detects])).toEqual([
    ['zone-1', 'stall'],
    ['zone-2', 'garbage'],
  ]);
  expect(one.zones).toHaveLength(1);
  expect(check.Check(two.zones)).toBe(true);
  expect(freeId('zone', [{ id: 'zone-2' }])).toBe('zone-3');
  expect(firstClass(['person', 'ponding'])).toBe('ponding');
  const [cut, hole] = withShape(two, 'exclude', SQUARE, 'stall');
  expect([hole, cut.exclude.length, withoutShape(cut, 'zones.0').zones.map((z) => z.id)]).toEqual(['exclude.0', 1, ['zone-2']]);
});

test('a corner stays in the picture, moves by steps of the keyboard, and a side gets one more', () => {
  expect(rounded([-0.2, 1.23456])).toEqual([0, 1]);
  expect(rounded([0.123456, 0.5])).toEqual([0.1235, 0.5]);
  expect([stepOf({ key: 'ArrowLeft', shiftKey: false }), stepOf({ key: 'ArrowDown', shiftKey: true })]).toEqual([
    [-0.005, 0],
    [0, 0.05],
  ]);
  expect(stepOf({ key: 'Enter', shiftKey: false })).toBeNull();
  // The last side leads back to the first corner.
  expect(withCorner(SQUARE, 3)).toEqual([...SQUARE, [0.1, 0.3]]);
  const moved = withPoints(drawn(), 'zones.0', withCorner(SQUARE, 0));
  expect(moved.zones[0]?.polygon).toHaveLength(5);
});

test('a rule becomes one of another kind and back, and is always one that the edge takes', () => {
  const rule = newRule([], 'vehicle');
  const [line, many] = [asKind(rule, 'crosses', SQUARE), asKind(rule, 'count', SQUARE)];
  expect([kindOf(rule), kindOf(line), kindOf(many)]).toEqual(['stands', 'crosses', 'count']);
  expect([line.dwellS, line.crosses?.line]).toEqual([
    0,
    [
      [0.1, 0.3],
      [0.5, 0.3],
    ],
  ]);
  for (const one of [line, many, asKind(line, 'count', SQUARE)])
    expect(check.Check([{ id: 'zone-1', polygon: SQUARE, rules: [one] }])).toBe(true);
  expect(Object.keys(asKind(many, 'stands', SQUARE))).toEqual(Object.keys(rule));
});

test('what a schema finds wrong with a zone has words of ours, each with its limit', () => {
  const zone = drawn().zones[0] as ZoneDraft;
  const rule = zone.rules[0] as ZoneDraft['rules'][number];
  const bad = (changes: object) => ({ ...zone, rules: [{ ...rule, ...changes }] });
  const said = (one: unknown) =>
    schemaMistakes(check, [one]).map(({ message }) => [mistakeText(message)?.key ?? message, mistakeText(message)?.n]);
  expect(said(bad({ dwellS: -3 }))).toEqual([['least', '0']]);
  expect(said(bad({ confidenceMin: 2 }))).toEqual([['most', '1']]);
  expect(said(bad({ dwellS: 'long' }))).toEqual([['number', undefined]]);
  expect(said(bad({ id: 'no spaces' }))).toEqual([['id', undefined]]);
  expect(said(bad({ severity: 'dreadful' }))).toEqual([['choice', undefined]]);
  expect(said(bad({ colour: 'red' }))).toEqual([['unknownKey', undefined]]);
  expect(said(bad({ schedule: [{ from: '8:00', to: '20:00' }] }))).toEqual([['clock', undefined]]);
  expect(said(bad({ schedule: [{ from: '08:00', to: '20:00', dates: ['1 May'] }] }))).toEqual([['day', undefined]]);
  expect(said(bad({ schedule: [{ from: '08:00', to: '20:00', days: [1, 1] }] }))).toEqual([['double', undefined]]);
  expect(said({ ...zone, polygon: SQUARE.slice(0, 2) })).toEqual([['itemsLeast', '3']]);
  expect(said({ ...zone, rules: [] })).toEqual([['itemsLeast', '1']]);
  expect(said({ polygon: SQUARE, rules: zone.rules })).toEqual([['required', undefined]]);
  expect(mistakeText('a sentence of tomorrow')).toBeNull();
});

test('a wall shows twelve views at most and four of an edge, those that were asked for first', () => {
  const wall = Array.from({ length: 30 }, (_, i) => ({ id: `cam-${i}`, edge: `edge-${i % 5}` }));
  const seats = [...seated(wall, [])];
  expect(seats).toEqual(wall.slice(0, VIEWS_MAX).map((c) => c.id));
  // The last of all, and one that is out of sight.
  expect([...seated(wall, ['cam-29', 'cam-99'])][0]).toBe('cam-29');
  const lone = wall.map((c) => ({ ...c, edge: 'edge-0' }));
  expect([...seated(lone, ['cam-7'])]).toEqual(['cam-7', 'cam-0', 'cam-1', 'cam-2']);
  expect(seated(lone, []).size).toBe(VIEWS_PER_EDGE_MAX);
  expect(seated([], ['cam-1']).size).toBe(0);
});
