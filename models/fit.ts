import { type Letterbox, letterboxOf } from './letterbox.ts';
import type { ModelManifest } from './manifest.ts';

/** Which source pixels an input pixel covers, and with what share each. */
interface Cover {
  first: number;
  shares: readonly number[];
}

/**
 * Brings a picture to a model's input as an edge does: ffmpeg's area scaling (each pixel the mean of what it covers), bars
 * of the manifest's grey beside it. For pictures of one size; the result is valid until the next call.
 */
export class PictureFit {
  readonly letterbox: Letterbox;
  readonly #width: number;
  readonly #source: { widthPx: number; heightPx: number };
  readonly #columns: readonly Cover[];
  readonly #rows: readonly Cover[];
  readonly #rgb: Uint8Array;
  readonly #line: Float32Array;

  constructor(source: { widthPx: number; heightPx: number }, input: ModelManifest['input']) {
    this.letterbox = letterboxOf(source, input);
    this.#source = { widthPx: source.widthPx, heightPx: source.heightPx };
    this.#width = input.width;
    this.#columns = coversOf(source.widthPx, this.letterbox.widthPx);
    this.#rows = coversOf(source.heightPx, this.letterbox.heightPx);
    this.#rgb = new Uint8Array(input.width * input.height * 3).fill(input.letterbox?.pad ?? 0);
    this.#line = new Float32Array(source.widthPx * 3);
  }

  /** `rgba`: 4 bytes a pixel, row by row. Returns RGB, 3 bytes a pixel, in the input's size. */
  fit(rgba: Uint8Array | Uint8ClampedArray): Uint8Array {
    const { widthPx, heightPx } = this.#source;
    if (rgba.length !== widthPx * heightPx * 4) throw new RangeError(`no picture of ${widthPx} x ${heightPx}`);
    const { leftPx, topPx } = this.letterbox;
    for (const [y, row] of this.#rows.entries()) {
      this.#addRows(rgba, row);
      this.#shrinkLine(((y + topPx) * this.#width + leftPx) * 3);
    }
    return this.#rgb;
  }

  #addRows(rgba: Uint8Array | Uint8ClampedArray, { first, shares }: Cover): void {
    const line = this.#line;
    const { widthPx } = this.#source;
    line.fill(0);
    for (const [k, share] of shares.entries()) {
      for (let at = 0, from = (first + k) * widthPx * 4; at < line.length; at += 3, from += 4) {
        line[at] = (line[at] as number) + share * (rgba[from] as number);
        line[at + 1] = (line[at + 1] as number) + share * (rgba[from + 1] as number);
        line[at + 2] = (line[at + 2] as number) + share * (rgba[from + 2] as number);
      }
    }
  }

  #shrinkLine(to: number): void {
    const [line, rgb] = [this.#line, this.#rgb];
    let out = to;
    for (const { first, shares } of this.#columns) {
      let [r, g, b] = [0.5, 0.5, 0.5];
      for (let k = 0, at = first * 3; k < shares.length; k++, at += 3) {
        const share = shares[k] as number;
        r += share * (line[at] as number);
        g += share * (line[at + 1] as number);
        b += share * (line[at + 2] as number);
      }
      rgb[out++] = r;
      rgb[out++] = g;
      rgb[out++] = b;
    }
  }
}

/** Along one side. Where the picture has to grow, a pixel is taken from where its middle falls. */
function coversOf(sourcePx: number, inputPx: number): Cover[] {
  const step = sourcePx / inputPx;
  return Array.from({ length: inputPx }, (_, n) => {
    if (step < 1) return { first: Math.min(sourcePx - 1, Math.floor((n + 0.5) * step)), shares: [1] };
    const [from, to] = [n * step, Math.min(sourcePx, (n + 1) * step)];
    const first = Math.floor(from + 1e-9);
    const shares: number[] = [];
    for (let at = first; at < to - 1e-9; at++) shares.push((Math.min(at + 1, to) - Math.max(at, from)) / (to - from));
    return { first, shares };
  });
}
