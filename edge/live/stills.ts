import { createCanvas, ImageData } from '@napi-rs/canvas';
import type { LiveBox } from '#grid/wire/mod.ts';
import type { Clock, Log } from '#service/mod.ts';
import type { CameraPipeline, FullPicture, Looked } from '../cameras/mod.ts';
import { maskPicture, type Picture, toRgba } from '../evidence/mod.ts';
import type { LiveSink, LiveSource } from './sink.ts';

/** Pictures are scaled down by a whole number until they are below twice this width. */
const WIDTH_PX = 640;
const QUALITY = 70;
/** A picture may come so much before its time: the camera's rate is not exact. */
const EARLY = 0.8;

/** What of a picture may be shown, in full colour RGBA. */
export type Render = (looked: Looked) => Picture;

/**
 * The masked view: everything in coarse blocks but things that an event tells of, and people in blocks wherever they are. What the
 * model merely takes for a thing stays in blocks: it may be somebody who walks by.
 */
export const masked: Render = ({ full, clear, people }) => maskPicture(reduced(full), clear, people);

/** The picture itself: the raw view of a camera that sends nothing but pictures. */
export const plain: Render = ({ full }) => toRgba(reduced(full));

/** Things only: people have no track. */
export function boxesOf({ tracks }: Looked): LiveBox[] {
  const rounded = (x: number): number => Math.min(2, Math.max(-1, Math.round(x * 1e4) / 1e4));
  return tracks
    .filter((t) => t.confirmed)
    .map(({ id, class: className, score, box }) => ({
      track: id,
      class: className,
      score: Math.round(Math.min(1, score) * 100) / 100,
      box: [rounded(box[0]), rounded(box[1]), rounded(box[2]), rounded(box[3])],
    }));
}

export interface StillsDeps {
  camera: string;
  cameras: Pick<CameraPipeline, 'watch'>;
  render: Render;
  fpsMax: number;
  sink: LiveSink;
  clock: Clock;
  log: Log;
}

/** Single JPEGs of the pictures that are looked at anyway, with their boxes; one in work at a time, the newest wins. */
export class Stills implements LiveSource {
  readonly #deps: StillsDeps;
  #unwatch: () => void = () => undefined;
  #size = '';
  #lastMs = Number.NEGATIVE_INFINITY;
  #working = false;
  #stopped = false;

  constructor(deps: StillsDeps) {
    this.#deps = deps;
  }

  start(): void {
    const { cameras, camera } = this.#deps;
    this.#unwatch = cameras.watch(camera, (looked) => this.#look(looked));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#unwatch();
  }

  #look(looked: Looked): void {
    const { clock, fpsMax, log, camera } = this.#deps;
    const ms = clock.monotonic();
    if (this.#working || ms - this.#lastMs < (EARLY * 1000) / fpsMax) return;
    this.#lastMs = ms;
    this.#working = true;
    this.#show(looked)
      .catch((error: unknown) => log.error({ camera, err: error }, 'live: a picture was not made'))
      .finally(() => {
        this.#working = false;
      });
  }

  async #show(looked: Looked): Promise<void> {
    const { render, sink } = this.#deps;
    // Before the first await: the picture's memory is used again soon.
    const { rgba, widthPx, heightPx } = render(looked);
    const [at, boxes] = [looked.at, boxesOf(looked)];
    const canvas = createCanvas(widthPx, heightPx);
    canvas.getContext('2d').putImageData(new ImageData(rgba, widthPx, heightPx), 0, 0);
    const bytes = await canvas.encode('jpeg', QUALITY);
    if (this.#stopped) return;
    const size = `${widthPx}x${heightPx}`;
    if (size !== this.#size) sink.start({ form: 'jpeg', widthPx, heightPx });
    this.#size = size;
    sink.packet({ kind: 'media', key: true, at, bytes });
    sink.boxes(at, boxes);
  }
}

/** Means over squares of n x n pixels. */
function reduced(full: FullPicture): Pick<FullPicture, 'widthPx' | 'heightPx' | 'rgb'> {
  const n = Math.max(1, Math.floor(full.widthPx / WIDTH_PX));
  if (n === 1) return full;
  const [widthPx, heightPx] = [Math.floor(full.widthPx / n), Math.floor(full.heightPx / n)];
  const rgb = Buffer.allocUnsafe(widthPx * heightPx * 3);
  const row = full.widthPx * 3;
  const pixels = full.rgb;
  for (let y = 0, to = 0; y < heightPx; y++) {
    for (let x = 0; x < widthPx; x++) {
      let [r, g, b] = [0, 0, 0];
      for (let dy = 0; dy < n; dy++) {
        const from = (y * n + dy) * row + x * n * 3;
        for (let at = from; at < from + n * 3; at += 3) {
          r += pixels[at] as number;
          g += pixels[at + 1] as number;
          b += pixels[at + 2] as number;
        }
      }
      rgb[to++] = r / (n * n);
      rgb[to++] = g / (n * n);
      rgb[to++] = b / (n * n);
    }
  }
  return { widthPx, heightPx, rgb };
}
