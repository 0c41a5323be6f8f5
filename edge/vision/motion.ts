import type { GroundPoint } from './ground.ts';

/**
 * Where a thing is on the ground and how fast: a Kalman filter with constant velocity, pushed by a random acceleration that
 * holds for one step (Bar-Shalom, Li and Kirubarajan, Estimation with Applications to Tracking and Navigation, 2001,
 * section 6.3.2). What a camera measures errs alike in both directions, so that one covariance serves east and north.
 */
export interface Motion {
  point: GroundPoint;
  /** Metres a second. */
  velocity: readonly [eastMps: number, northMps: number];
  /** Variances of place and speed along one axis, and what they share: m2, m2/s, m2/s2. */
  pp: number;
  pv: number;
  vv: number;
}

/** How a class of things moves. */
export interface Mobility {
  /** Of the speed of one that is seen for the first time, metres a second, one standard deviation along an axis. */
  speedMps: number;
  /** Of its acceleration, m/s2. */
  accelerationMps2: number;
}

export const speedMps = ({ velocity }: Motion): number => Math.hypot(...velocity);

export function begin(point: GroundPoint, varianceM2: number, { speedMps }: Mobility): Motion {
  return { point, velocity: [0, 0], pp: varianceM2, pv: 0, vv: speedMps * speedMps };
}

/** Where it is after so many seconds without a look. */
export function predict(m: Motion, seconds: number, { accelerationMps2 }: Mobility): Motion {
  const q = accelerationMps2 * accelerationMps2 * seconds * seconds;
  return {
    point: [m.point[0] + m.velocity[0] * seconds, m.point[1] + m.velocity[1] * seconds],
    velocity: m.velocity,
    pp: m.pp + 2 * seconds * m.pv + seconds * seconds * m.vv + (q * seconds * seconds) / 4,
    pv: m.pv + seconds * m.vv + (q * seconds) / 2,
    vv: m.vv + q,
  };
}

/** What is known after a look that saw it at `at`, with that variance along an axis. */
export function correct(m: Motion, at: GroundPoint, varianceM2: number): Motion {
  const s = m.pp + varianceM2;
  const [placeGain, speedGain] = [m.pp / s, m.pv / s];
  const [east, north] = [at[0] - m.point[0], at[1] - m.point[1]];
  return {
    point: [m.point[0] + placeGain * east, m.point[1] + placeGain * north],
    velocity: [m.velocity[0] + speedGain * east, m.velocity[1] + speedGain * north],
    pp: (1 - placeGain) * m.pp,
    pv: (1 - placeGain) * m.pv,
    vv: m.vv - speedGain * m.pv,
  };
}

/** Squared distance from where it is expected, in standard deviations of both; and the variance that this is held against. */
export function surprise(m: Motion, at: GroundPoint, varianceM2: number): { distance2: number; varianceM2: number } {
  const s = m.pp + varianceM2;
  const [east, north] = [at[0] - m.point[0], at[1] - m.point[1]];
  return { distance2: (east * east + north * north) / s, varianceM2: s };
}
