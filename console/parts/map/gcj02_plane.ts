import { toGcj02 } from '#grid/gcj02/mod.ts';

export interface TileName {
  z: number;
  x: number;
  y: number;
}

/** How the plane of a server's tiles, in tiles, lies under one of ours: where its corner is, and a step along each side. */
export interface Under {
  corner: [number, number];
  alongX: [number, number];
  alongY: [number, number];
}

/**
 * Over one tile the shift is as good as a linear function of place: what that leaves is a third of a pixel at most, at zoom 10 and 11,
 * and under a twentieth from 15 on (docs/decisions/017).
 */
export function underneath({ z, x, y }: TileName): Under {
  const of = (dx: number, dy: number) => inServersPlane({ z, x: x + dx, y: y + dy });
  const [a, b, c, d] = [of(0, 0), of(1, 0), of(0, 1), of(1, 1)];
  const axis = (i: 0 | 1) => {
    const alongX = (b[i] - a[i] + d[i] - c[i]) / 2;
    const alongY = (c[i] - a[i] + d[i] - b[i]) / 2;
    return { alongX, alongY, corner: (a[i] + b[i] + c[i] + d[i]) / 4 - (alongX + alongY) / 2 };
  };
  const [east, south] = [axis(0), axis(1)];
  return {
    corner: [east.corner, south.corner],
    alongX: [east.alongX, south.alongX],
    alongY: [east.alongY, south.alongY],
  };
}

/** Where a point of our tiles' plane is in that of the server's; both Web Mercator, in tiles of a zoom. */
export function inServersPlane({ z, x, y }: TileName): [x: number, y: number] {
  const n = 2 ** z;
  const lat = (Math.atan(Math.sinh(Math.PI * (1 - (2 * y) / n))) * 180) / Math.PI;
  const there = toGcj02({ lon: (x / n) * 360 - 180, lat });
  const sine = Math.sin((there.lat * Math.PI) / 180);
  return [((there.lon + 180) / 360) * n, (0.5 - Math.log((1 + sine) / (1 - sine)) / (4 * Math.PI)) * n];
}

/** The server's tiles that lie under one of ours: the first along an axis, and how many. */
export function reach({ corner, alongX, alongY }: Under, axis: 0 | 1): [first: number, count: number] {
  const [at, x, y] = [corner[axis], alongX[axis], alongY[axis]];
  const ends = [at, at + x, at + y, at + x + y];
  const first = Math.floor(Math.min(...ends));
  return [first, Math.ceil(Math.max(...ends)) - first];
}
