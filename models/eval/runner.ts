import { createCanvas, loadImage } from '@napi-rs/canvas';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { PictureFit } from '../fit.ts';
import { type Detection, type ModelFormat, modelFormat, type OutputTensor } from '../formats/mod.ts';
import { InputWriter, inputDims } from '../input.ts';
import { type LoadedModel, ModelError } from '../manifest.ts';

/** Precision at a recall is asked for down to here: what is surer than this counts as a claim. */
const SCORE_MIN = 0.02;

/** A picture as it lies in memory. */
export interface Pixels {
  widthPx: number;
  heightPx: number;
  /** 4 bytes a pixel, row by row. */
  rgba: Uint8Array | Uint8ClampedArray;
}

/** Reads a picture file. Throws ModelError. */
export async function readPicture(file: string): Promise<Pixels> {
  try {
    const image = await loadImage(file);
    const ctx = createCanvas(image.width, image.height).getContext('2d');
    ctx.drawImage(image, 0, 0);
    return { widthPx: image.width, heightPx: image.height, rgba: ctx.getImageData(0, 0, image.width, image.height).data };
  } catch (error) {
    throw new ModelError(`${file}: ${(error as Error).message}`, { cause: error });
  }
}

/** Runs a model of any family on pictures as an edge would, one thread; all that it claims, however unsure it is. */
export class ModelRunner {
  readonly #model: LoadedModel;
  readonly #format: ModelFormat;
  readonly #writer: InputWriter;
  #session: InferenceSession | null = null;
  #fit: { key: string; fit: PictureFit } | null = null;

  constructor(model: LoadedModel) {
    const { manifest } = model;
    const format = modelFormat(manifest.family);
    if (format === undefined) throw new ModelError(`${manifest.name}: no decoder for model family ${manifest.family}`);
    const thresholds = Object.fromEntries(manifest.classes.map((name) => [name, SCORE_MIN]));
    this.#model = { ...model, manifest: { ...manifest, thresholds } };
    this.#format = format;
    this.#writer = new InputWriter(manifest.input);
  }

  /** Throws ModelError when the runtime cannot open the file. */
  async start(): Promise<void> {
    try {
      this.#session = await InferenceSession.create(this.#model.bytes, {
        intraOpNumThreads: 1,
        interOpNumThreads: 1,
        logSeverityLevel: 3,
      });
    } catch (error) {
      throw new ModelError(`${this.#model.file}: ${(error as Error).message}`, { cause: error });
    }
  }

  async stop(): Promise<void> {
    await this.#session?.release();
    this.#session = null;
  }

  /** Boxes in pixels of the picture, best first. */
  async detect(picture: Pixels): Promise<Detection[]> {
    if (this.#session === null) throw new Error('the model has not been started');
    const { manifest } = this.#model;
    const fit = this.#fitFor(picture);
    const bytes = this.#writer.write(fit.fit(picture.rgba));
    const results = await this.#session.run({
      [manifest.input.name]: new Tensor(manifest.input.dtype, bytes, inputDims(manifest.input)),
    });
    const outputs: Record<string, OutputTensor> = Object.fromEntries(
      Object.entries(results).map(([name, { data, dims }]) => [name, { data: data as Float32Array, dims }]),
    );
    const { leftPx, topPx, widthPx, heightPx } = fit.letterbox;
    const x = (value: number) => clamp(((value - leftPx) / widthPx) * picture.widthPx, picture.widthPx);
    const y = (value: number) => clamp(((value - topPx) / heightPx) * picture.heightPx, picture.heightPx);
    return this.#format
      .decode(outputs, manifest, { weakFactor: 1 })
      .map(({ box, ...rest }) => ({ ...rest, box: [x(box[0]), y(box[1]), x(box[2]), y(box[3])] as const }));
  }

  #fitFor({ widthPx, heightPx }: Pixels): PictureFit {
    const key = `${widthPx} x ${heightPx}`;
    if (this.#fit?.key !== key) this.#fit = { key, fit: new PictureFit({ widthPx, heightPx }, this.#model.manifest.input) };
    return this.#fit.fit;
  }
}

const clamp = (value: number, most: number): number => Math.min(most, Math.max(0, value));
