import { FullPicture, yuvBytes } from '#edge/cameras/full_picture.ts';
import type { LumaPicture } from '#edge/cameras/thumbnail.ts';

/** Brightness of drawn pictures as a camera's stream has it (ITU-R BT.601, video levels), in memory that is used again. */
export function lumaOf({ widthPx, heightPx }: { widthPx: number; heightPx: number }) {
  const luma = new Uint8Array(widthPx * heightPx);
  return (rgba: Uint8Array | Uint8ClampedArray): LumaPicture => {
    for (let to = 0, at = 0; to < luma.length; to++, at += 4)
      luma[to] = 16.5 + (66 * (rgba[at] as number) + 129 * (rgba[at + 1] as number) + 25 * (rgba[at + 2] as number)) / 256;
    return { widthPx, heightPx, luma };
  };
}

/** One without colour. */
export function greyPicture(widthPx: number, heightPx: number, level: number): FullPicture {
  const yuv = Buffer.alloc(yuvBytes(widthPx, heightPx), 128);
  return new FullPicture(widthPx, heightPx, yuv.fill(level, 0, widthPx * heightPx));
}
