import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { canvasOf } from './canvas.ts';
import { DETECTION_CLASSES, type Light, type Picture, type StreetStyle, type TruthBox } from './scene.ts';
import { createStreetRenderer, diceOf, hash, randomScene, randomView } from './street/mod.ts';

/** Moments of one street: drawing an empty street costs ten times a moment of it. */
const MOMENTS_PER_VIEW = 3;
/** What a camera's own encoder leaves of a picture. */
const JPEG_QUALITY = [25, 90] as const;

export interface DatasetOptions {
  /** Folder to write; made when missing. */
  out: string;
  /** Every picture follows from it: two seeds never share a street. */
  seed: number;
  images: number;
  widthPx?: number;
  heightPx?: number;
  /** Of all its streets; the usual one where not given. */
  style?: StreetStyle | undefined;
}

/** One line of truth.jsonl. */
export interface DatasetImage {
  /** Relative to the folder. */
  file: string;
  light: Light;
  boxes: TruthBox[];
}

/**
 * Writes a folder for training or testing a detector:
 *
 *   out/images/000000.jpg ...   drawn scenes, JPEG quality 25-90 (truth is in pixels of these pictures)
 *   out/truth.jsonl             one DatasetImage a line
 *   out/classes.json            class names in the model's order
 *
 * The same options give the same truth and the same pixels. About 0.1 s a picture.
 */
export async function writeDataset(options: DatasetOptions, onProgress: (written: number) => void = () => {}): Promise<void> {
  const { seed, images, widthPx = 640, heightPx = 360, style } = options;
  const writer = new DatasetWriter(options);
  for (let first = 0; first < images; first += MOMENTS_PER_VIEW) {
    const usual = randomView(hash(seed, first, 41), widthPx, heightPx);
    const view = style === undefined ? usual : { ...usual, street: { ...usual.street, style } };
    const renderer = createStreetRenderer(view.street, view.pose);
    for (let index = first; index < Math.min(images, first + MOMENTS_PER_VIEW); index++) {
      const scene = randomScene(view, hash(seed, index, 42));
      await writer.add(renderer.render(scene), scene.light);
      onProgress(index + 1);
    }
  }
  writer.close();
}

/** Puts drawn pictures and their truth into a folder, in the form that `writeDataset` describes. */
export class DatasetWriter {
  readonly #out: string;
  readonly #seed: number;
  readonly #lines: string[] = [];

  constructor({ out, seed }: { out: string; seed: number }) {
    this.#out = out;
    this.#seed = seed;
    mkdirSync(join(out, 'images'), { recursive: true });
    writeFileSync(join(out, 'classes.json'), `${JSON.stringify(DETECTION_CLASSES)}\n`);
  }

  async add(picture: Picture, light: Light): Promise<void> {
    const index = this.#lines.length;
    const file = `images/${String(index).padStart(6, '0')}.jpg`;
    const quality = diceOf(this.#seed, index, 43).whole(...JPEG_QUALITY);
    writeFileSync(join(this.#out, file), await canvasOf(picture).encode('jpeg', quality));
    this.#lines.push(JSON.stringify({ file, light, boxes: picture.truth.map(shortTruth) } satisfies DatasetImage));
  }

  close(): void {
    writeFileSync(join(this.#out, 'truth.jsonl'), `${this.#lines.join('\n')}\n`);
  }
}

function shortTruth({ box, visible, ...rest }: TruthBox): TruthBox {
  const [left, top, right, bottom] = box.map((value) => Math.round(value * 10) / 10) as TruthBox['box'];
  return { ...rest, box: [left, top, right, bottom], visible: Math.round(visible * 1000) / 1000 };
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { out: { type: 'string' }, images: { type: 'string', default: '600' }, seed: { type: 'string', default: '1' } },
  });
  if (values.out === undefined) throw new TypeError('--out DIR is missing');
  await writeDataset({ out: values.out, images: Number(values.images), seed: Number(values.seed) }, (written) => {
    if (written % 300 === 0) process.stderr.write(`${written} images\n`);
  });
}
