import type { ModelManifest } from './manifest.ts';

type Input = ModelManifest['input'];

/** Shape of the input tensor, one picture. */
export function inputDims({ layout, width, height }: Input): [number, number, number, number] {
  return layout === 'NHWC' ? [1, height, width, 3] : [1, 3, height, width];
}

/** What turns pictures, RGB bytes row by row in the input's size, into the model's input tensor. */
export class InputWriter {
  readonly #input: Input;
  /** Reused from picture to picture; null where the bytes are taken as they come. */
  readonly #values: Uint8Array | Float32Array | null;
  /** Of each channel in the order of `color`, what each byte becomes. */
  readonly #tables: readonly Float32Array[];

  constructor(input: Input) {
    this.#input = input;
    const count = input.width * input.height * 3;
    const asItComes = input.dtype === 'uint8' && input.layout === 'NHWC' && input.color === 'RGB';
    if (asItComes) this.#values = null;
    else this.#values = input.dtype === 'uint8' ? new Uint8Array(count) : new Float32Array(count);
    this.#tables = [0, 1, 2].map((channel) => tableOf(input, channel));
  }

  /** The result is valid until the next call. */
  write(rgb: Uint8Array): Uint8Array | Float32Array {
    const values = this.#values;
    if (values === null) return rgb;
    const { width, height, layout, color } = this.#input;
    const pixels = width * height;
    const [step, plane] = layout === 'NHWC' ? [3, 1] : [1, pixels];
    for (let channel = 0; channel < 3; channel++) {
      const table = this.#tables[channel] as Float32Array;
      const from = color === 'RGB' ? channel : 2 - channel;
      for (let i = 0, to = channel * plane; i < pixels; i++, to += step)
        values[to] = table[rgb[i * 3 + from] as number] as number;
    }
    return values;
  }
}

function tableOf({ dtype, normalisation }: Input, channel: number): Float32Array {
  const { scale, mean, std } = normalisation ?? { scale: 1, mean: [0, 0, 0], std: [1, 1, 1] };
  const normal = (byte: number) => (byte * scale - (mean[channel] as number)) / (std[channel] as number);
  return Float32Array.from({ length: 256 }, (_, byte) => (dtype === 'uint8' ? byte : normal(byte)));
}
