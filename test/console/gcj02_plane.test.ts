import { expect, test } from 'vitest';
import { inServersPlane, reach, underneath } from '../../console/parts/map/gcj02_plane.ts';
import { TILE_PX, tilePlace } from '../support/tiles.ts';

/** How far a point of a tile that is drawn anew is from where it belongs, pixels, at most: over cities from Urumqi to Harbin. */
const CITIES = [
  [87.6, 43.8],
  [116.4, 39.9],
  [121.5, 31.2],
  [113.3, 23.1],
  [104.1, 30.7],
  [126.5, 45.8],
  [91.1, 29.7],
] as const;
const SIDES = [0, 0.2, 0.4, 0.5, 0.6, 0.8, 1];

function worstPx(z: number): number {
  let worst = 0;
  for (const [lon, lat] of CITIES) {
    const place = tilePlace({ lon, lat }, z);
    const [x, y] = [Math.floor(place.x), Math.floor(place.y)];
    const { corner, alongX, alongY } = underneath({ z, x, y });
    for (const dx of SIDES)
      for (const dy of SIDES) {
        const right = inServersPlane({ z, x: x + dx, y: y + dy });
        for (const axis of [0, 1] as const)
          worst = Math.max(worst, Math.abs(corner[axis] + dx * alongX[axis] + dy * alongY[axis] - right[axis]) * TILE_PX);
      }
  }
  return worst;
}

test.each([
  [8, 0.35],
  [10, 0.35],
  [11, 0.35],
  [12, 0.2],
  [14, 0.06],
  [16, 0.02],
  [18, 0.01],
])('at zoom %i a tile lies right within %f pixels', (z, px) => {
  expect(worstPx(z)).toBeLessThan(px);
});

test('a tile of ours lies over four of the server at most, but where they shrink', () => {
  const under = underneath({ z: 16, x: 53_960, y: 24_835 });
  for (const axis of [0, 1] as const) {
    const [first, count] = reach(under, axis);
    expect(first).toBeLessThanOrEqual(under.corner[axis]);
    expect(count).toBeLessThanOrEqual(3);
  }
});
