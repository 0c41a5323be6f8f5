import { errorRadiusOf } from '#grid/mod.ts';
import type { Box } from '#models/mod.ts';
import { distanceM, type Ground, type GroundPoint } from './ground.ts';

/** Lie on the ground: their place is the middle of what is seen. */
const FLAT_CLASSES: ReadonlySet<string> = new Set(['ponding', 'open_manhole']);
/**
 * How deep a standing thing typically is, front to back, metres; by class. A little more than the things themselves (1.7, 1.3):
 * found boxes tend to end below the thing, by 0.3-0.7 m on the ground over 300 drawn scenes with the shipped model.
 */
const DEPTH_M: Readonly<Record<string, number>> = { stall: 2.4, garbage: 1.6 };
const DEPTH_M_OTHER = 1;
/** A car, seen from the side or from the front. */
const VEHICLE_LENGTH_M = 4.5;
const VEHICLE_WIDTH_M = 1.85;
/** Its wheels stand so much farther in than its ends, both together: the lower edge of its box is between the two. */
const VEHICLE_OVERHANG_M = 0.6;
/** Of one that is turned by more than half: between 4.5 and 1.85. */
const VEHICLE_DEPTH_M_TURNED = 3.4;
/** More for a car that the picture's edge cuts: how far it goes on beyond it nobody knows. Other things are too short to matter. */
const CUT_VEHICLE_ERROR_M = 1.5;
/** A box that ends nearer to the picture's edge than this, in the model's pixels, is cut by it. */
const CUT_PX = 1.5;

export interface Placed {
  point: GroundPoint;
  /** Radius, metres, within which the true centre of the footprint lies (about 95 %). */
  errorRadiusM: number;
  /** The pixel by which zones and lines judge where it is, fractions. */
  foot: Pixel;
}

export type Pixel = readonly [x: number, y: number];

/** The pixel by which a thing stands on the ground, fractions: bottom centre, or the middle of a flat thing. */
export function contactPixel(className: string, box: Box): Pixel {
  const x = (box[0] + box[2]) / 2;
  return FLAT_CLASSES.has(className) ? [x, (box[1] + box[3]) / 2] : [x, box[3]];
}

/**
 * Where a thing stands, as far as its box shows: uprights lean away from the camera's foot in the picture, the more the farther from its
 * middle, so what is tall has its foot not below its middle but on the line from there to the camera's foot. The middle of a car that the
 * picture's side cuts is as far off the other way.
 */
function footPixel(ground: Ground, className: string, box: Box, pixel: Pixel): Pixel {
  const [x, bottom] = contactPixel(className, box);
  const middle = (box[1] + box[3]) / 2;
  const leans = !FLAT_CLASSES.has(className) && !(className === 'vehicle' && isCutAside(box, pixel));
  const nadir = leans ? ground.pixelOf([0, 0]) : null;
  if (nadir === null || nadir[1] <= bottom) return [x, bottom];
  return [x + ((nadir[0] - x) * (bottom - middle)) / (nadir[1] - middle), bottom];
}

/**
 * Where a detection stands.
 *
 * Flat things: the ground under the box's middle. Standing things: the bottom edge of the box is their near edge, so the
 * ground under the bottom centre is moved away from the camera by half the class's typical depth.
 *
 *   errorRadiusM = 1 m + metres that four input pixels of the model mean at that place, within [0.5, 50];
 *                  more where a car is cut by the picture's left, right or lower edge
 *
 * Zones judge a thing by its contact, but a car by the ground under its middle: seen askew, the middle of its box's lower edge lies
 * beside it, up to two metres off, on the road where the car stands on the pavement.
 *
 * `pixel` is one input pixel of the model as fractions of the picture. Null when the contact is at or above the horizon.
 */
export function place(ground: Ground, className: string, box: Box, pixel: Pixel): Placed | null {
  const foot = footPixel(ground, className, box, pixel);
  const contact = ground.at(...foot);
  const perPixelM = ground.stepM(...foot, ...pixel);
  if (contact === null || perPixelM === null) return null;
  const errorRadiusM = errorRadiusOf(perPixelM, className === 'vehicle' && isCut(box, pixel) ? CUT_VEHICLE_ERROR_M : 0);
  if (FLAT_CLASSES.has(className)) return { point: contact, errorRadiusM, foot };
  const reachM = Math.hypot(...contact);
  if (reachM < 0.01) return { point: contact, errorRadiusM, foot };
  const by = 1 + depthM(ground, className, box) / 2 / reachM;
  const point: GroundPoint = [contact[0] * by, contact[1] * by];
  return { point, errorRadiusM, foot: className === 'vehicle' ? (ground.pixelOf(point) ?? foot) : foot };
}

const isCut = (box: Box, pixel: Pixel): boolean => isCutAside(box, pixel) || box[3] > 1 - CUT_PX * pixel[1];

const isCutAside = ([left, , right]: Box, [across]: Pixel): boolean => left < CUT_PX * across || right > 1 - CUT_PX * across;

/**
 * Depth along the view. For a car turned by t from the view it is L cos t + W sin t, and what it looks wide is
 * L sin t + W cos t: the one follows from the other, until it is turned so far that both sides of the maximum look the same.
 */
function depthM(ground: Ground, className: string, box: Box): number {
  if (className !== 'vehicle') return DEPTH_M[className] ?? DEPTH_M_OTHER;
  const left = ground.at(box[0], box[3]);
  const right = ground.at(box[2], box[3]);
  if (left === null || right === null) return VEHICLE_DEPTH_M_TURNED;
  const acrossM = distanceM(left, right);
  if (acrossM > VEHICLE_LENGTH_M * 0.95) return VEHICLE_DEPTH_M_TURNED;
  const diagonalM = Math.hypot(VEHICLE_LENGTH_M, VEHICLE_WIDTH_M);
  const turned = Math.max(0, Math.asin(Math.min(1, acrossM / diagonalM)) - Math.atan2(VEHICLE_WIDTH_M, VEHICLE_LENGTH_M));
  return VEHICLE_LENGTH_M * Math.cos(turned) + VEHICLE_WIDTH_M * Math.sin(turned) - VEHICLE_OVERHANG_M;
}
