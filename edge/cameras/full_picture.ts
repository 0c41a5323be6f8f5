/** Levels of brightness and colour of a video signal (ITU-R BT.601), which has room below and above them. */
const BLACK = 16;
const WHITE = 235;
const NEUTRAL = 128;
/** From such a level to one of a screen, 0 to 255. */
const GAIN = 255 / (WHITE - BLACK);
/** BT.601, in 1/65536: what the two differences of colour add to red, green and blue. */
const ONE = 65_536;
const RED_OF_V = Math.round(ONE * 1.596);
const GREEN_OF_U = Math.round(ONE * -0.392);
const GREEN_OF_V = Math.round(ONE * -0.813);
const BLUE_OF_U = Math.round(ONE * 2.017);

/** Bytes of a picture of that size: a brightness for each pixel, two differences of colour for each four. Sides are even. */
export function yuvBytes(widthPx: number, heightPx: number): number {
  return (widthPx * heightPx * 3) / 2;
}

/**
 * A full picture as the codec has it, 4:2:0: half the bytes of RGB, and no conversion for one that nobody is shown. `yuv` is laid
 * out as ffmpeg's PGMYUV: all rows of brightness, then for each two of them half a row of U and half a row of V.
 */
export class FullPicture {
  readonly widthPx: number;
  readonly heightPx: number;
  readonly yuv: Buffer;
  #rgb: Buffer | null = null;

  constructor(widthPx: number, heightPx: number, yuv: Buffer) {
    this.widthPx = widthPx;
    this.heightPx = heightPx;
    this.yuv = yuv;
  }

  /** Brightness row by row, one byte a pixel, in video levels. */
  get luma(): Buffer {
    return this.yuv.subarray(0, this.widthPx * this.heightPx);
  }

  /** rgb24, row by row: made when it is first asked for, in memory of its own. */
  get rgb(): Buffer {
    this.#rgb ??= toRgb(this);
    return this.#rgb;
  }
}

/** Video level to screen level, of brightness. */
export const SCREEN_LEVEL = Uint8ClampedArray.from({ length: 256 }, (_, y) => Math.round((y - BLACK) * GAIN));

/** So far an index goes beyond 0 to 255 on either side. */
const MARGIN = 384;
/** Brightness with the colour added, to what a byte holds. */
const CLAMPED = Uint8ClampedArray.from({ length: 256 + 2 * MARGIN }, (_, n) => n - MARGIN);

function toRgb({ widthPx, heightPx, yuv }: FullPicture): Buffer {
  const rgb = Buffer.allocUnsafeSlow(widthPx * heightPx * 3);
  const half = widthPx >> 1;
  for (let y = 0; y < heightPx; y++) {
    const rowAt = y * widthPx;
    const uAt = widthPx * heightPx + (y >> 1) * widthPx;
    for (let x = 0, to = rowAt * 3; x < half; x++) {
      const [u, v] = [(yuv[uAt + x] as number) - NEUTRAL, (yuv[uAt + half + x] as number) - NEUTRAL];
      const red = MARGIN + ((RED_OF_V * v) >> 16);
      const green = MARGIN + ((GREEN_OF_U * u + GREEN_OF_V * v) >> 16);
      const blue = MARGIN + ((BLUE_OF_U * u) >> 16);
      for (let from = rowAt + 2 * x, end = from + 2; from < end; from++, to += 3) {
        const level = SCREEN_LEVEL[yuv[from] as number] as number;
        rgb[to] = CLAMPED[level + red] as number;
        rgb[to + 1] = CLAMPED[level + green] as number;
        rgb[to + 2] = CLAMPED[level + blue] as number;
      }
    }
  }
  return rgb;
}
