import type { Calibration } from '#grid/mod.ts';
import type { CameraPose, StreetRenderer } from './scene.ts';
import { toWgs84 } from './street/mod.ts';

/** Across and up the picture, 0..1 each: spread over it, and no three in a line. */
const TARGETS: readonly (readonly [across: number, up: number])[] = [
  [0.06, 0],
  [0.9, 0.06],
  [0.24, 0.5],
  [0.72, 0.42],
  [0.12, 0.94],
  [0.84, 1],
];
const LOWEST = 0.96;
const HIGHEST = 0.06;
/** Points farther away would be measured too coarsely: a pixel there is metres. */
const FAR_M = 40;

/**
 * Six ground points that the camera sees, as its installer would have measured them: pixels as fractions of the
 * picture, places in WGS-84, paired by the renderer's own exact projection.
 * Throws RangeError when the camera sees too little ground.
 */
export function calibrationPoints(pose: CameraPose, renderer: Pick<StreetRenderer, 'project'>): Calibration['points'] {
  const top = highestRow(pose);
  return TARGETS.map(([across, up]) => {
    const { lon, lat } = groundUnder(pose, across, LOWEST - up * (LOWEST - top));
    const at = renderer.project(lon, lat);
    const [x, y] = at === null ? [-1, -1] : [at.xPx / pose.widthPx, at.yPx / pose.heightPx];
    if (!(x >= 0 && x <= 1 && y >= 0 && y <= 1)) throw new RangeError('the camera does not see enough ground');
    return { x, y, lon, lat };
  });
}

/** The row (fraction from the top) whose ground is FAR_M away, or the picture's upper margin. */
function highestRow(pose: CameraPose): number {
  const downDeg = (Math.atan2(pose.heightM, FAR_M) * 180) / Math.PI - pose.pitchDeg;
  const row = 0.5 + (Math.tan((downDeg * Math.PI) / 180) * focalPx(pose)) / pose.heightPx;
  return Math.max(HIGHEST, row);
}

/** Ground point that the ray through a picture point (fractions) meets: a pinhole over a flat street. */
function groundUnder(pose: CameraPose, x: number, y: number): { lon: number; lat: number } {
  const pitch = (pose.pitchDeg * Math.PI) / 180;
  const right = ((x - 0.5) * pose.widthPx) / focalPx(pose);
  const down = ((y - 0.5) * pose.heightPx) / focalPx(pose);
  // Of the ray with depth 1: how far it sinks, and how far it goes ahead over the ground.
  const sinks = Math.sin(pitch) + down * Math.cos(pitch);
  const ahead = Math.cos(pitch) - down * Math.sin(pitch);
  if (sinks <= 1e-6) throw new RangeError('the camera does not see enough ground');
  const scaleM = pose.heightM / sinks;
  const heading = (pose.headingDeg * Math.PI) / 180;
  const eastM = scaleM * (ahead * Math.sin(heading) + right * Math.cos(heading));
  const northM = scaleM * (ahead * Math.cos(heading) - right * Math.sin(heading));
  const [lon, lat] = toWgs84(eastM, northM, pose.lon, pose.lat);
  return { lon, lat };
}

function focalPx(pose: CameraPose): number {
  return pose.widthPx / 2 / Math.tan((pose.hfovDeg * Math.PI) / 360);
}
