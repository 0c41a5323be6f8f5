import type { StreetStyle } from '../scene.ts';
import { hash2, noise2 } from './seed.ts';

/** What another maker's camera in another city does to a picture; the truth stays as it is. */
interface Finish {
  /** Rows give red, green, blue out of red, green, blue: other paints, other sensors. */
  mix: readonly (readonly [number, number, number])[];
  /** Tones: above 1 the shadows close. */
  gamma: number;
  /** Grey levels that a coarse grain adds or takes, in patches of so many pixels. */
  grainLevels: number;
  grainPx: number;
  /** Share of each pixel that comes from its neighbours: a lens out of focus. */
  softness: number;
}

const FINISHES: Readonly<Record<StreetStyle, Finish>> = {
  'other-city': {
    mix: [
      [0.1, 0.25, 0.65],
      [0.6, 0.3, 0.1],
      [0.2, 0.75, 0.05],
    ],
    gamma: 1.45,
    grainLevels: 30,
    grainPx: 2.5,
    softness: 0.5,
  },
};

/** Levels after mixing, 0..255, to levels shown. */
const curves = new Map<StreetStyle, Uint8ClampedArray>();

function curveOf(style: StreetStyle): Uint8ClampedArray {
  const known = curves.get(style);
  if (known !== undefined) return known;
  const { gamma } = FINISHES[style];
  const curve = Uint8ClampedArray.from({ length: 256 }, (_, level) => 255 * (level / 255) ** gamma);
  curves.set(style, curve);
  return curve;
}

/** Gives an RGBA picture another city's look, in place. The grain hangs on the camera: `seed` chooses it. */
export function applyStyle(
  pixels: Uint8ClampedArray,
  { widthPx, heightPx }: { widthPx: number; heightPx: number },
  style: StreetStyle,
  seed: number,
): void {
  const { mix, grainLevels, grainPx, softness } = FINISHES[style];
  const curve = curveOf(style);
  const sharp = Uint8ClampedArray.from(pixels);
  const row = widthPx * 4;
  for (let y = 0, at = 0; y < heightPx; y++)
    for (let x = 0; x < widthPx; x++, at += 4) {
      const [left, right] = [x > 0 ? at - 4 : at, x < widthPx - 1 ? at + 4 : at];
      const [above, below] = [y > 0 ? at - row : at, y < heightPx - 1 ? at + row : at];
      const soft = (c: number): number =>
        (sharp[at + c] as number) * (1 - softness) +
        (((sharp[left + c] as number) +
          (sharp[right + c] as number) +
          (sharp[above + c] as number) +
          (sharp[below + c] as number)) *
          softness) /
          4;
      const [r, g, b] = [soft(0), soft(1), soft(2)];
      const grain = (noise2(x / grainPx, y / grainPx, seed) + hash2(x, y, seed) * 0.3 - 0.65) * grainLevels;
      for (const [c, [fromR, fromG, fromB]] of mix.entries())
        pixels[at + c] = (curve[Math.round(Math.max(0, Math.min(255, r * fromR + g * fromG + b * fromB)))] as number) + grain;
    }
}
