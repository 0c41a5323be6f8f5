import { expect, test } from 'vitest';
import type { LiveBox } from '#grid/live/mod.ts';
import { BoxHistory } from '../../console/live/boxes.ts';
import { contained } from '../../console/live/frame.ts';

const box = (track: string, left: number): LiveBox => ({ track, class: 'vehicle', score: 0.9, box: [left, 0, left + 0.1, 0.1] });
const history = (...looks: [number, LiveBox[]][]) => {
  const boxes = new BoxHistory();
  for (const [at, b] of looks) boxes.push({ type: 'boxes', at, boxes: b });
  return (ms: number) => boxes.at(ms).map((b) => `${b.track} ${b.box[0].toFixed(2)}`);
};

test('between two looks a thing is on its way; one that comes or goes has its half of the time', () => {
  const at = history([1000, [box('a', 0.2), box('b', 0.5)]], [2000, [box('a', 0.4), box('c', 0.8)]]);
  expect(at(1000)).toEqual(['a 0.20', 'b 0.50']);
  expect(at(1250)).toEqual(['a 0.25', 'b 0.50']);
  expect(at(1750)).toEqual(['a 0.35', 'c 0.80']);
});

test('a look that misses a thing is bridged, two are not, and what the next look knows to be gone is gone', () => {
  const missed = history([1000, [box('a', 0.2)]], [1500, []], [2000, [box('a', 0.2)]]);
  expect(missed(1600)).toEqual(['a 0.20']);
  const gone = history([1000, [box('a', 0.2)]], [1500, []], [2000, []]);
  expect([gone(1600), gone(2100)]).toEqual([[], []]);
  expect(history([1000, [box('a', 0.2)]], [1500, []])(1600)).toEqual(['a 0.20']);
});

test('boxes are held for two seconds, forgotten after a clock that was set back, and bounded', () => {
  const at = history([10_000, [box('a', 0.2)]]);
  expect([at(9_600), at(9_000), at(11_900), at(12_100)]).toEqual([['a 0.20'], [], ['a 0.20'], []]);
  expect(history([10_000, [box('a', 0.2)]], [5_000, [box('b', 0.3)]])(10_000)).toEqual([]);
});

test('the overlay lies where the browser puts the picture', () => {
  expect(contained(640, 360, 16 / 9)).toEqual({ x: 0, y: 0, width: 640, height: 360 });
  expect(contained(800, 360, 16 / 9)).toEqual({ x: 80, y: 0, width: 640, height: 360 });
  expect(contained(640, 480, 16 / 9)).toEqual({ x: 0, y: 60, width: 640, height: 360 });
});
