/** What can be wrong with what a camera films, on command. */
export const PICTURE_FAULTS = ['black', 'frozen', 'overexposed', 'covered', 'moved', 'blurred'] as const;
export type PictureFault = (typeof PICTURE_FAULTS)[number];

/** How far a camera that was knocked looks aside, as a share of its picture. */
const MOVED_SHARE = 0.3;
/** Half the side of the square that an unfocused point becomes, pixels. */
const BLUR_PX = 5;
const COVER_GREY = 70;
/** A sensor's own noise, which no cover and no blur takes away. */
const NOISE = 6;

/** Makes an RGBA picture one that such a camera would film, in place. `frozen`, the same coded picture over and over, is the business of who sends it. */
export function spoilPicture(rgba: Uint8Array, widthPx: number, fault: PictureFault, random: () => number): void {
  const noise = (): number => (random() - 0.5) * NOISE;
  if (fault === 'black' || fault === 'overexposed') {
    for (let at = 0; at < rgba.length; at++) rgba[at] = fault === 'black' ? random() * 4 : 252 + random() * 3;
  } else if (fault === 'covered') {
    // A bag: dark and soft, a little brighter above.
    for (let at = 0; at < rgba.length; at++) rgba[at] = COVER_GREY - (20 * at) / rgba.length + noise();
  } else if (fault === 'moved') {
    const by = 4 * Math.round(widthPx * MOVED_SHARE);
    for (let row = 0; row < rgba.length; row += 4 * widthPx) {
      const aside = rgba.slice(row, row + by);
      rgba.copyWithin(row, row + by, row + 4 * widthPx);
      // What comes into view on the other side is no mirror of anything: upside down, as good as unknown.
      rgba.set(
        aside.toReversed().map((value, n) => (n % 4 === 0 ? 255 - value : value)),
        row + 4 * widthPx - by,
      );
    }
  } else if (fault === 'blurred') {
    const heightPx = rgba.length / 4 / widthPx;
    for (let row = 0; row < heightPx; row++) blur(rgba, 4 * widthPx * row, 4, widthPx);
    for (let column = 0; column < widthPx; column++) blur(rgba, 4 * column, 4 * widthPx, heightPx);
    for (let at = 0; at < rgba.length; at++) rgba[at] = Math.min(255, Math.max(0, (rgba[at] as number) + noise()));
  }
}

/** Along one row or column of `count` pixels, `stride` bytes apart, each value becomes the mean of those around it. */
function blur(rgba: Uint8Array, from: number, stride: number, count: number): void {
  const line = new Float64Array(count);
  for (let channel = 0; channel < 3; channel++) {
    const at = (n: number): number => from + channel + stride * Math.min(count - 1, Math.max(0, n));
    let sum = 0;
    for (let n = -BLUR_PX; n <= BLUR_PX; n++) sum += rgba[at(n)] as number;
    for (let n = 0; n < count; n++) {
      line[n] = sum / (2 * BLUR_PX + 1);
      sum += (rgba[at(n + BLUR_PX + 1)] as number) - (rgba[at(n - BLUR_PX)] as number);
    }
    for (let n = 0; n < count; n++) rgba[at(n)] = line[n] as number;
  }
}
