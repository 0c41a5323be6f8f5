import { type Calibration, fitGround, type Ground, type GroundPoint } from '#grid/mod.ts';
import { GewuError } from '#service/mod.ts';

export type { Ground, GroundPoint } from '#grid/mod.ts';

/**
 * The ground under a camera from its calibration points. Throws GEWU_CALIBRATION when they do not determine it, or
 * when one of them is more than 5 m away from where the others say it is.
 */
export function groundOf(camera: { id: string; lon: number; lat: number; calibration: Calibration }): Ground {
  const fitted = fitGround(camera);
  if (!fitted.ok) throw new GewuError('GEWU_CALIBRATION', `camera ${camera.id}: ${fitted.fault}`);
  return fitted.ground;
}

export function distanceM(a: GroundPoint, b: GroundPoint): number {
  return Math.hypot(a[0] - b[0], a[1] - b[1]);
}
