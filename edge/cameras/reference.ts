import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import type { Log } from '#service/mod.ts';
import { writeDurably } from '../evidence/mod.ts';
import type { PictureFault } from './picture.ts';
import { COLUMNS, edgesOf, likeness, ROWS, type Thumbnail } from './thumbnail.ts';

/** What a camera shows in the mean of some seconds: who walks by, rain and noise are gone from it. */
export interface SteadyView {
  widthPx: number;
  heightPx: number;
  /** Brightness of each cell. */
  luma: Float32Array;
  detail: number;
}

/** A view is the mean of about so many pictures, and none before so many have come. */
const VIEW_PICTURES = 20;

/** The mean of the last pictures; one of another size begins it anew. */
export class View {
  #view: SteadyView | null = null;
  #count = 0;

  /** Null while too few have come. */
  add({ widthPx, heightPx, luma, detail }: Thumbnail): SteadyView | null {
    const view = this.#view;
    if (view === null || view.widthPx !== widthPx || view.heightPx !== heightPx) {
      this.#view = { widthPx, heightPx, luma: Float32Array.from(luma), detail };
      this.#count = 1;
      return null;
    }
    this.#count++;
    blend(view, { luma, detail }, 1 / Math.min(this.#count, VIEW_PICTURES));
    return this.#count < VIEW_PICTURES ? null : view;
  }

  clear(): void {
    this.#view = null;
  }
}

/**
 * Below this likeness of its edges a view is another one. On the drawn streets, each mean of twenty pictures against one by day:
 * 0.60 at worst for another light or weather (night with rain), 0.37 at best for a camera turned by six degrees or more. Less than
 * three degrees are not told from the weather.
 */
const LIKE_MIN = 0.45;
/** A view with less contrast than this share of the reference's shows something held before the lens: rain leaves six tenths. */
const CONTRAST_SHARE_MIN = 0.3;
/** One with less fine detail is out of focus: rain takes a quarter away, three pixels of blur two thirds. */
const DETAIL_SHARE_MIN = 0.45;
/** A reference follows what grows and is built, over about so many pictures; only a view that is surely the same one is followed. */
const FOLLOW_PICTURES = 3600;
const FOLLOW_LIKE_MIN = 0.7;
/** Levels from one cell to the next: a view with less is none to learn from. */
const CONTRAST_MIN = 1;
const SAVE_EVERY_PICTURES = 3600;

const Stored = Type.Object({
  v: Type.Literal(1),
  widthPx: Type.Integer(),
  heightPx: Type.Integer(),
  detail: Type.Number(),
  luma: Type.Array(Type.Number(), { minItems: COLUMNS * ROWS, maxItems: COLUMNS * ROWS }),
});
const check = Compile(Stored);

/** Where a camera looks, learned from its first good pictures, kept over restarts in a small file of its own. */
export class Reference {
  readonly #file: string;
  readonly #log: Log;
  #known: SteadyView | null = null;
  #edges: { map: Float32Array; contrast: number } | null = null;
  #followed = 0;
  #saving: Promise<void> = Promise.resolve();

  constructor({ dir, camera, log }: { dir: string; camera: string; log: Log }) {
    this.#file = join(dir, `${camera}.json`);
    this.#log = log;
  }

  /** One that cannot be used (logged) is learned anew. */
  async load(): Promise<void> {
    const input = await readFile(this.#file, 'utf8').then(JSON.parse, () => undefined);
    if (input === undefined) return;
    if (check.Check(input)) this.#become({ ...input, luma: Float32Array.from(input.luma) });
    else this.#log.error({ file: this.#file }, 'the reference picture is not usable and is learned anew');
  }

  isOtherSize({ widthPx, heightPx }: Pick<SteadyView, 'widthPx' | 'heightPx'>): boolean {
    return this.#known !== null && (widthPx !== this.#known.widthPx || heightPx !== this.#known.heightPx);
  }

  /** What is wrong with a view of the reference's size; null also for the one that is taken as the reference. */
  compare(view: SteadyView): PictureFault | null {
    const edges = edgesOf(view);
    const contrast = contrastOf(edges);
    if (this.#known === null || this.#edges === null) {
      if (contrast >= CONTRAST_MIN) this.#learn(view);
      return null;
    }
    if (contrast < CONTRAST_SHARE_MIN * this.#edges.contrast) return 'covered';
    const like = likeness(edges, this.#edges.map) ?? 0;
    if (like < LIKE_MIN) return 'moved';
    if (view.detail < DETAIL_SHARE_MIN * this.#known.detail) return 'blurred';
    if (like >= FOLLOW_LIKE_MIN) this.#follow(view);
    return null;
  }

  /** Resolves when what was learned is on the disk. */
  saved(): Promise<void> {
    return this.#saving;
  }

  /** The next good view is learned. */
  async forget(): Promise<void> {
    this.#known = null;
    this.#edges = null;
    await this.#saving;
    await rm(this.#file, { force: true });
  }

  #learn(view: SteadyView): void {
    this.#become({ ...view, luma: view.luma.slice() });
    this.#save();
  }

  #follow(view: SteadyView): void {
    const known = this.#known as SteadyView;
    blend(known, view, 1 / FOLLOW_PICTURES);
    if (++this.#followed % SAVE_EVERY_PICTURES !== 0) return;
    this.#become(known);
    this.#save();
  }

  #become(view: SteadyView): void {
    this.#known = view;
    const map = edgesOf(view);
    this.#edges = { map, contrast: contrastOf(map) };
  }

  #save(): void {
    const { luma, ...rest } = this.#known as SteadyView;
    const text = JSON.stringify({ v: 1, ...rest, luma: Array.from(luma, (value) => Math.round(value * 10) / 10) });
    this.#saving = this.#saving
      .then(() => writeDurably(this.#file, text))
      .catch((error: unknown) => this.#log.warn({ file: this.#file, err: error }, 'reference picture not written'));
  }
}

function blend(
  into: Pick<SteadyView, 'luma' | 'detail'>,
  from: { luma: ArrayLike<number>; detail: number },
  share: number,
): void {
  for (let at = 0; at < into.luma.length; at++)
    into.luma[at] = (into.luma[at] as number) + ((from.luma[at] as number) - (into.luma[at] as number)) * share;
  into.detail += (from.detail - into.detail) * share;
}

/** The map holds square roots. */
function contrastOf(edges: Float32Array): number {
  return edges.reduce((sum, edge) => sum + edge * edge, 0) / edges.length;
}
