import type { Street } from '../scene.ts';
import type { Camera } from './camera.ts';
import { diceOf, hash, hash2, noise2 } from './seed.ts';

type Rgb = [number, number, number];

/** What the seed decided about one street: materials, markings, frontage. */
interface Look {
  seed: number;
  roadHalfM: number;
  pavementM: number;
  frontM: number;
  asphalt: Rgb;
  tile: Rgb;
  tileM: number;
  apron: Rgb;
  grassy: boolean;
  blindPath: boolean;
  yellowCentre: boolean;
  dashed: boolean;
  laneM: number;
  crossingAt: number;
  roughness: number;
}

function lookOf(street: Street): Look {
  const dice = diceOf(street.seed, 11);
  const grey = dice.between(78, 132);
  const warm = dice.between(-6, 8);
  const roadHalfM = street.roadWidthM / 2;
  return {
    seed: hash(street.seed, 12),
    roadHalfM,
    pavementM: street.pavementWidthM,
    frontM: roadHalfM + street.pavementWidthM + dice.between(0.3, 4),
    asphalt: [grey + warm, grey, grey - warm],
    tile: dice.pick<Rgb>([
      [168, 164, 156],
      [150, 146, 142],
      [176, 138, 118],
      [188, 176, 146],
      [138, 142, 148],
      [160, 122, 108],
    ]),
    tileM: dice.pick([0.3, 0.4, 0.6]),
    apron: dice.pick<Rgb>([
      [140, 138, 132],
      [96, 118, 70],
      [86, 108, 62],
      [156, 150, 140],
    ]),
    grassy: dice.chance(0.4),
    blindPath: dice.chance(0.6),
    yellowCentre: dice.chance(0.5),
    dashed: dice.chance(0.6),
    laneM: dice.between(3, 3.6),
    crossingAt: dice.chance(0.5) ? dice.between(-14, 14) : 1e9,
    roughness: dice.between(0.5, 1.3),
  };
}

/** Share of a pixel that a stripe covers: |distance| from its middle, its half width, and the pixel's footprint, metres. */
function stripe(distance: number, half: number, footprint: number): number {
  const cover = (half - Math.abs(distance)) / footprint + 0.5;
  return Math.max(0, Math.min(1, cover)) * Math.min(1, (2 * half) / footprint);
}

function mixInto(out: Rgb, colour: Rgb, share: number): void {
  out[0] += (colour[0] - out[0]) * share;
  out[1] += (colour[1] - out[1]) * share;
  out[2] += (colour[2] - out[2]) * share;
}

const WHITE: Rgb = [214, 214, 208];
const YELLOW: Rgb = [206, 168, 70];
const KERB: Rgb = [172, 170, 164];
const GUTTER: Rgb = [70, 70, 70];
const BLIND: Rgb = [196, 164, 84];

function paintRoad(out: Rgb, look: Look, a: number, v: number, fa: number, fv: number): void {
  const { seed } = look;
  const detail = 1 / (1 + fa * 4);
  const tone =
    1 +
    (noise2(a * 0.22, v * 0.35, seed) - 0.5) * 0.22 +
    (noise2(a * 1.3, v * 1.3, seed + 1) - 0.5) * 0.12 * look.roughness +
    (noise2(a * 9, v * 9, seed + 2) - 0.5) * 0.22 * detail * look.roughness;
  out[0] = look.asphalt[0] * tone;
  out[1] = look.asphalt[1] * tone;
  out[2] = look.asphalt[2] * tone;
  // Patches of newer asphalt, and stains: dark things that are nothing.
  const ca = Math.floor(a / 5);
  const cv = Math.floor(v / 2.5);
  if (hash2(ca, cv, seed + 3) < 0.14) {
    const inA = stripe(a / 5 - ca - 0.5, 0.3 + 0.15 * hash2(ca, cv, seed + 4), fa / 5);
    const inV = stripe(v / 2.5 - cv - 0.5, 0.25 + 0.2 * hash2(ca, cv, seed + 5), fv / 2.5);
    const dark = 0.72 + 0.2 * hash2(ca, cv, seed + 6);
    const f = 1 - (1 - dark) * inA * inV;
    out[0] *= f;
    out[1] *= f;
    out[2] *= f;
  }
  const stain = noise2(a * 0.7, v * 0.9, seed + 7);
  if (stain > 0.8) {
    const f = 1 - (stain - 0.8) * 1.3;
    out[0] *= f;
    out[1] *= f;
    out[2] *= f;
  }
  const worn = 0.62 + 0.3 * noise2(a * 2.2, v * 3, seed + 8);
  const broken = look.dashed ? stripe((((a % 6) + 6) % 6) - 3, 1.5, fa) : 1;
  mixInto(out, look.yellowCentre ? YELLOW : WHITE, stripe(v, 0.08, fv) * (look.yellowCentre ? 1 : broken) * worn);
  for (let lane = look.laneM; lane < look.roadHalfM - 1; lane += look.laneM) {
    mixInto(out, WHITE, stripe(Math.abs(v) - lane, 0.07, fv) * broken * worn);
  }
  mixInto(out, WHITE, stripe(Math.abs(v) - (look.roadHalfM - 0.35), 0.07, fv) * worn);
  const across = stripe(a - look.crossingAt, 2, fa);
  if (across > 0) mixInto(out, WHITE, across * stripe((((v % 1) + 1) % 1) - 0.5, 0.24, fv) * worn);
}

function paintPavement(out: Rgb, look: Look, a: number, v: number, fa: number, fv: number): void {
  const { seed, tileM } = look;
  const ta = Math.floor(a / tileM);
  const tv = Math.floor(v / tileM);
  const fade = Math.min(1, tileM / (fa * 3));
  const tone =
    1 +
    (hash2(ta, tv, seed + 20) - 0.5) * 0.14 * fade +
    (noise2(a * 0.4, v * 0.4, seed + 21) - 0.5) * 0.2 +
    (noise2(a * 6, v * 6, seed + 22) - 0.5) * 0.1 * fade;
  out[0] = look.tile[0] * tone;
  out[1] = look.tile[1] * tone;
  out[2] = look.tile[2] * tone;
  if (look.blindPath) {
    const middle = look.roadHalfM + look.pavementM * 0.45;
    mixInto(out, BLIND, stripe(Math.abs(v) - middle, 0.28, fv) * 0.7);
  }
  const joint =
    Math.max(stripe(a / tileM - ta - 0.5, 0.47, fa / tileM), 0) * Math.max(stripe(v / tileM - tv - 0.5, 0.47, fv / tileM), 0);
  const f = 1 - 0.22 * (1 - joint) * fade;
  out[0] *= f;
  out[1] *= f;
  out[2] *= f;
}

/** Colour of the ground at a (along the road) and v (to the right of its centre line), metres; fa, fv: pixel footprint. */
function paintGround(out: Rgb, look: Look, a: number, v: number, fa: number, fv: number): void {
  const off = Math.abs(v);
  if (off < look.roadHalfM) paintRoad(out, look, a, v, fa, fv);
  else if (off < look.roadHalfM + look.pavementM) paintPavement(out, look, a, v, fa, fv);
  else {
    const wild = look.grassy ? 0.5 : 0.18;
    const tone =
      1 + (noise2(a * 2.5, v * 2.5, look.seed + 30) - 0.5) * wild + (noise2(a * 0.5, v * 0.5, look.seed + 31) - 0.5) * 0.25;
    out[0] = look.apron[0] * tone;
    out[1] = look.apron[1] * tone;
    out[2] = look.apron[2] * tone;
  }
  mixInto(out, GUTTER, stripe(off - look.roadHalfM + 0.14, 0.06, fv) * 0.8);
  mixInto(out, KERB, stripe(off - look.roadHalfM - 0.06, 0.12, fv));
}

/** A house of the frontage is so long, metres. */
const HOUSE_M = 11;
/** Share of the shop windows in which light burns at night. */
const LIT = 0.4;

const bayM = (house: number, seed: number): number => 2.2 + hash2(house, 4, seed + 40) * 1.6;

/** Shop windows in which light burns at night, both sides, as far as a camera sees: along and across the road, metres. */
export function litBays(street: Street): { fromM: number; toM: number; acrossM: number }[] {
  const { seed, frontM } = lookOf(street);
  const bays: { fromM: number; toM: number; acrossM: number }[] = [];
  for (const side of [-1, 1])
    for (let at = -44; at < 44; at += HOUSE_M) {
      const house = Math.floor(at / HOUSE_M + side * 31);
      const bay = bayM(house, seed);
      for (let bi = Math.ceil(at / bay); (bi + 1) * bay <= at + HOUSE_M; bi++)
        if (hash2(bi, house, seed + 41) < LIT)
          bays.push({ fromM: (bi + 0.08) * bay, toM: (bi + 0.92) * bay, acrossM: side * frontM });
    }
  return bays;
}

/** Colour of the frontage at height z, or false where the roof is below (sky shows). */
function paintFront(out: Rgb, look: Look, side: number, a: number, z: number, distance: number): boolean {
  const { seed } = look;
  const house = Math.floor(a / HOUSE_M + side * 31);
  const roof = 5 + 16 * hash2(house, 1, seed + 40);
  if (z > roof) return false;
  const base = 96 + 110 * hash2(house, 2, seed + 40);
  const warm = (hash2(house, 3, seed + 40) - 0.4) * 40;
  out[0] = base + warm;
  out[1] = base + warm * 0.3;
  out[2] = base - warm * 0.6;
  const bay = bayM(house, seed);
  const bi = Math.floor(a / bay);
  const inBay = a / bay - bi;
  if (z < 3.4) {
    // Shops: a door or window per bay, a sign band above.
    const lit = hash2(bi, house, seed + 41);
    if (z > 2.7) {
      const hue = hash2(bi >> 1, house, seed + 42);
      mixInto(
        out,
        hue < 0.3 ? [170, 50, 46] : hue < 0.5 ? [52, 92, 150] : hue < 0.65 ? [206, 180, 70] : [60, 120, 84],
        hue < 0.8 ? 0.85 : 0,
      );
      if (noise2(a * 5, z * 4, seed + 43) > 0.62) mixInto(out, [235, 230, 220], 0.6);
    } else if (inBay > 0.08 && inBay < 0.92 && z > 0.12) {
      const glass: Rgb = lit < 0.3 ? [122, 118, 112] : lit < 0.7 ? [62, 68, 76] : [120, 108, 84];
      mixInto(out, glass, 0.9);
      const clutter = (noise2(a * 3, z * 3, seed + 44) - 0.5) * 50;
      out[0] += clutter;
      out[1] += clutter;
      out[2] += clutter * 0.8;
    }
  } else {
    const floor = Math.floor((z - 3.4) / 3);
    const inFloor = (z - 3.4) / 3 - floor;
    if (inBay > 0.25 && inBay < 0.78 && inFloor > 0.28 && inFloor < 0.8) {
      mixInto(out, hash2(bi, floor, seed + 45) < 0.75 ? [70, 82, 96] : [180, 176, 160], 0.85);
    }
  }
  const tone = 1 + (noise2(a * 1.2, z * 1.2, seed + 46) - 0.5) * 0.16;
  const haze = Math.min(0.5, distance / 200);
  for (let c = 0; c < 3; c++) out[c as 0 | 1 | 2] = out[c as 0 | 1 | 2] * tone * (1 - haze) + 190 * haze;
  return true;
}

/**
 * The empty street in flat midday light, RGBA. One ray per pixel meets the ground or a frontage; the pixel's footprint
 * on the ground blurs markings that would otherwise flicker. About 0.1 s at 640 x 360: once per camera, then kept.
 *
 * @param wet 0 dry .. 1 soaked: darker asphalt with a grey sheen far away.
 */
export function drawBackground(street: Street, camera: Camera, wet: number): Uint8ClampedArray {
  const look = lookOf(street);
  const { widthPx, heightPx, focalPx, eye, right, up, forward } = camera;
  const heading = (street.roadHeadingDeg * Math.PI) / 180;
  const [sin, cos] = [Math.sin(heading), Math.cos(heading)];
  const along = (x: number, y: number): number => x * sin + y * cos;
  const lateral = (x: number, y: number): number => x * cos - y * sin;
  const eyeA = along(eye[0], eye[1]);
  const eyeV = lateral(eye[0], eye[1]) - street.roadOffsetM;
  const pixels = new Uint8ClampedArray(widthPx * heightPx * 4);
  const out: Rgb = [0, 0, 0];
  const [rA, rV] = [along(right[0], right[1]), lateral(right[0], right[1])];
  const [uA, uV] = [along(up[0], up[1]), lateral(up[0], up[1])];
  const [fA, fV] = [along(forward[0], forward[1]), lateral(forward[0], forward[1])];
  let i = 0;
  for (let py = 0; py < heightPx; py++) {
    const b = (heightPx / 2 - py - 0.5) / focalPx;
    const dz = forward[2] + b * up[2];
    const tGround = dz < -1e-4 ? -eye[2] / dz : 1e9;
    for (let px = 0; px < widthPx; px++, i += 4) {
      const s = (px + 0.5 - widthPx / 2) / focalPx;
      const dA = fA + s * rA + b * uA;
      const dV = fV + s * rV + b * uV;
      const side = dV > 0 ? 1 : -1;
      const gap = side * look.frontM - eyeV;
      const tFront = gap * side > 0.5 ? gap / (dV === 0 ? 1e-9 : dV) : 1e9;
      const sky = 226 - 40 * Math.max(0, b + 0.3);
      out[0] = sky - 22;
      out[1] = sky - 8;
      out[2] = sky + 4;
      if (tFront < tGround) {
        paintFront(out, look, side, eyeA + tFront * dA, eye[2] + tFront * dz, tFront);
      } else if (tGround < 400) {
        const fL = tGround / focalPx;
        const fD = (fL * tGround) / eye[2];
        const norm = Math.hypot(dA, dV) || 1;
        const fa = (fD * Math.abs(dA) + fL * Math.abs(dV)) / norm + 1e-3;
        const fv = (fD * Math.abs(dV) + fL * Math.abs(dA)) / norm + 1e-3;
        paintGround(out, look, eyeA + tGround * dA, eyeV + tGround * dV, fa, fv);
        const haze = Math.min(0.55, tGround / 220);
        const dark = (1 - 0.28 * wet) * (1 - haze);
        const sheen = 190 * haze + wet * 70 * Math.min(1, tGround / 45);
        out[0] = out[0] * dark + sheen;
        out[1] = out[1] * dark + sheen;
        out[2] = out[2] * dark + sheen + wet * 5;
      }
      pixels[i] = out[0];
      pixels[i + 1] = out[1];
      pixels[i + 2] = out[2];
      pixels[i + 3] = 255;
    }
  }
  return pixels;
}
