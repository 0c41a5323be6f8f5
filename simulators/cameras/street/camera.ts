import type { CameraPose } from '../scene.ts';

/** Metres of one degree of latitude on the WGS-84 equator's circle: good to 0.5 % over a street. */
const METRES_PER_DEGREE = 111_319.49;
/** Nothing nearer to the lens than this is drawn, metres along the optical axis. */
export const NEAR_M = 0.4;

export type Vec3 = readonly [number, number, number];

/** Local metres (x east, y north) of a WGS-84 point around an origin. */
export function toLocal(lon: number, lat: number, originLon: number, originLat: number): [xM: number, yM: number] {
  const metresPerLon = METRES_PER_DEGREE * Math.cos((originLat * Math.PI) / 180);
  return [(lon - originLon) * metresPerLon, (lat - originLat) * METRES_PER_DEGREE];
}

/** WGS-84 of a local point; the inverse of `toLocal`. */
export function toWgs84(xM: number, yM: number, originLon: number, originLat: number): [lon: number, lat: number] {
  const metresPerLon = METRES_PER_DEGREE * Math.cos((originLat * Math.PI) / 180);
  return [originLon + xM / metresPerLon, originLat + yM / METRES_PER_DEGREE];
}

/**
 * Exact pinhole without lens distortion, in local ENU metres.
 *
 *   xPx = width/2  + f (d . right) / (d . forward)
 *   yPx = height/2 - f (d . up)    / (d . forward),   f = (width/2) / tan(hfov/2)
 *
 * A thing's box is not its footprint: the bottom edge of a standing thing's box is its near edge on the ground,
 * about half its depth before the footprint's centre. Who places a detection on the map takes the box centre for
 * flat things (ponding, open_manhole), and for standing things the bottom centre moved away by half the depth.
 */
export interface Camera {
  readonly widthPx: number;
  readonly heightPx: number;
  readonly focalPx: number;
  readonly eye: Vec3;
  readonly right: Vec3;
  readonly up: Vec3;
  readonly forward: Vec3;
  /** Right, up and forward distance of a point from the lens, metres. */
  view(xM: number, yM: number, zM: number): Vec3;
  /** Pixel of a point, or null when it is not before the lens. */
  pixel(xM: number, yM: number, zM: number): [xPx: number, yPx: number] | null;
  /** Ground point under a pixel, or null at or above the horizon. */
  ground(xPx: number, yPx: number): [xM: number, yM: number] | null;
}

export function cameraOf(pose: CameraPose, originLon: number, originLat: number): Camera {
  const { widthPx, heightPx } = pose;
  const [ex, ey] = toLocal(pose.lon, pose.lat, originLon, originLat);
  const heading = (pose.headingDeg * Math.PI) / 180;
  const pitch = (pose.pitchDeg * Math.PI) / 180;
  const focalPx = widthPx / 2 / Math.tan((pose.hfovDeg * Math.PI) / 360);
  const eye: Vec3 = [ex, ey, pose.heightM];
  const forward: Vec3 = [Math.sin(heading) * Math.cos(pitch), Math.cos(heading) * Math.cos(pitch), -Math.sin(pitch)];
  const right: Vec3 = [Math.cos(heading), -Math.sin(heading), 0];
  const up: Vec3 = [Math.sin(heading) * Math.sin(pitch), Math.cos(heading) * Math.sin(pitch), Math.cos(pitch)];

  const view = (xM: number, yM: number, zM: number): Vec3 => {
    const dx = xM - eye[0];
    const dy = yM - eye[1];
    const dz = zM - eye[2];
    return [
      dx * right[0] + dy * right[1],
      dx * up[0] + dy * up[1] + dz * up[2],
      dx * forward[0] + dy * forward[1] + dz * forward[2],
    ];
  };
  const pixel = (xM: number, yM: number, zM: number): [number, number] | null => {
    const [r, u, f] = view(xM, yM, zM);
    if (f < NEAR_M) return null;
    return [widthPx / 2 + (focalPx * r) / f, heightPx / 2 - (focalPx * u) / f];
  };
  const ground = (xPx: number, yPx: number): [number, number] | null => {
    const a = (xPx - widthPx / 2) / focalPx;
    const b = (heightPx / 2 - yPx) / focalPx;
    const dz = forward[2] + b * up[2];
    if (dz >= -1e-6) return null;
    const t = -eye[2] / dz;
    return [eye[0] + t * (forward[0] + a * right[0] + b * up[0]), eye[1] + t * (forward[1] + a * right[1] + b * up[1])];
  };
  return { widthPx, heightPx, focalPx, eye, right, up, forward, view, pixel, ground };
}
