import type { Box } from '../letterbox.ts';
import type { ModelManifest } from '../manifest.ts';
import type { DecodeOptions, Detection, OutputTensor } from './format.ts';
import { DETECTIONS_MAX, PERSON_CLASS } from './suppress.ts';

/** People are only masked, never reported: rather one too many pixelated than one shown. */
const PERSON_FLOOR = 0.2;

/** Where the scores of one candidate stand: class `c` at `first + c * step`. */
export interface ScoreRow {
  data: Float32Array;
  first: number;
  step: number;
  /** What all of them are multiplied by: objectness, or 1. */
  factor: number;
}

/**
 * Picks what a model claims out of its candidates. A candidate takes the name of its best class; where `person` reaches its
 * floor too, it is also a person (masking needs it).
 */
export class Candidates {
  readonly found: Detection[] = [];
  readonly #manifest: ModelManifest;
  readonly #floors: readonly number[];
  readonly #lowest: number;
  readonly #person: number;

  constructor(manifest: ModelManifest, { weakFactor }: DecodeOptions) {
    this.#manifest = manifest;
    const { classes, thresholds } = manifest;
    this.#person = classes.indexOf(PERSON_CLASS);
    this.#floors = classes.map((name, c) => {
      const floor = (thresholds[name] as number) * weakFactor;
      return c === this.#person ? Math.min(floor, PERSON_FLOOR) : floor;
    });
    this.#lowest = Math.min(...this.#floors);
  }

  /** `box` is asked for only when the candidate counts; null when there is nothing of it. */
  add({ data, first, step, factor }: ScoreRow, box: () => Box | null): void {
    const { classes } = this.#manifest;
    let best = 0;
    let top = Number.NEGATIVE_INFINITY;
    for (let c = 0, at = first; c < classes.length; c++, at += step) {
      const score = data[at] as number;
      if (score > top) [best, top] = [c, score];
    }
    // A NaN fails the comparison and is left out.
    if (!(top * factor >= this.#lowest)) return;
    const person = this.#person;
    const names = person >= 0 && person !== best ? [best, person] : [best];
    const scoreOf = (c: number) => (data[first + c * step] as number) * factor;
    const seen = names.filter((c) => scoreOf(c) >= (this.#floors[c] as number));
    const where = seen.length === 0 ? null : box();
    if (where === null) return;
    for (const c of seen) this.found.push({ class: classes[c] as string, score: Math.min(1, scoreOf(c)), box: where });
  }

  /** One of a graph that has chosen a class itself. */
  addChosen(c: number, score: number, box: () => Box | null): void {
    const name = this.#manifest.classes[c];
    if (name === undefined || !(score >= (this.#floors[c] as number))) return;
    const where = box();
    if (where !== null) this.found.push({ class: name, score: Math.min(1, score), box: where });
  }

  /** Best first, as they are: of a graph that leaves no double. */
  best(): Detection[] {
    return this.found.sort((a, b) => b.score - a.score).slice(0, DETECTIONS_MAX);
  }
}

/** Edges clipped to the input; null when nothing of it is left, or it is none. */
export function edges(left: number, top: number, right: number, bottom: number, { input }: ModelManifest): Box | null {
  const box: Box = [Math.max(0, left), Math.max(0, top), Math.min(input.width, right), Math.min(input.height, bottom)];
  return box[2] > box[0] && box[3] > box[1] ? box : null;
}

/** The same from centre and size. */
export function centred(x: number, y: number, width: number, height: number, manifest: ModelManifest): Box | null {
  return edges(x - width / 2, y - height / 2, x + width / 2, y + height / 2, manifest);
}

/** `detections` of one picture, of `dims` [1, a, b]; `fits` says whether that is the family's shape. Throws RangeError. */
export function detectionsOf(
  outputs: Readonly<Record<string, OutputTensor>>,
  { name, outputs: named, classes }: ModelManifest,
  wanted: string,
  fits: (a: number, b: number, classes: number) => boolean,
): { data: Float32Array; a: number; b: number } {
  const tensor = outputs[named.detections?.name ?? ''];
  const [one, a = 0, b = 0] = tensor?.dims ?? [];
  if (tensor?.dims.length !== 3 || one !== 1 || tensor.data.length !== a * b || !fits(a, b, classes.length)) {
    const shapes = Object.entries(outputs).map(([key, t]) => `${key} [${t.dims.join(', ')}]`);
    throw new RangeError(
      `${name}: outputs are ${shapes.join(', ') || 'missing'}; wanted ${wanted} for ${classes.length} classes`,
    );
  }
  return { data: tensor.data, a, b };
}
