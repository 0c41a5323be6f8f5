import { ModelError, type ModelManifest } from '../manifest.ts';

/** A tensor as the runtime names it; sizes that are not fixed are text. */
export interface Port {
  name: string;
  type: string;
  shape: readonly (number | string)[];
}

type Input = ModelManifest['input'];
/** Where an export leaves it open. */
const SIZE_USUAL = 640;
/** More rows are candidates, not things. */
const THINGS_MAX = 1000;
const GREY = 114;

/** Input of the manifest from that of the graph. `size`: [height, width] that the exporter noted. Throws ModelError. */
export function recogniseInput(inputs: readonly Port[], size: readonly number[] | null): Input {
  const [image, ...others] = inputs;
  if (image === undefined || others.length > 0)
    throw new ModelError(`inputs are ${inputs.map(shown).join(', ')}; one picture is wanted: export without further inputs`);
  const { name, type, shape } = image;
  if (type !== 'uint8' && type !== 'float32')
    throw new ModelError(`input ${shown(image)}: uint8 or float32 is wanted: export without half precision`);
  const layout = shape[1] === 3 ? 'NCHW' : shape[3] === 3 ? 'NHWC' : null;
  if (shape.length !== 4 || layout === null)
    throw new ModelError(`input ${shown(image)}: [1, 3, height, width] or [1, height, width, 3] is wanted`);
  const fixed = layout === 'NCHW' ? shape.slice(2) : shape.slice(1, 3);
  const [height = SIZE_USUAL, width = SIZE_USUAL] = fixed.map((side, i) =>
    typeof side === 'number' ? side : (size?.[i] ?? SIZE_USUAL),
  );
  const usual = { scale: 1 / 255, mean: [0, 0, 0], std: [1, 1, 1] } satisfies Input['normalisation'];
  return {
    name,
    width,
    height,
    layout,
    dtype: type,
    color: 'RGB',
    letterbox: { pad: GREY },
    ...(type === 'float32' ? { normalisation: usual } : {}),
  };
}

export interface Recognised {
  family: string;
  outputs: ModelManifest['outputs'];
  /** Of the score columns; null where the shape does not tell. */
  classCount: number | null;
  /** RT-DETR is trained on pictures that were stretched. */
  stretched: boolean;
  /** What else it could be, in plain words. */
  doubt: string | null;
}

/** Family from the outputs, whose shapes are those of a run. Throws ModelError. */
export function recogniseOutputs(outputs: readonly Port[], said: string): Recognised {
  const own = ownFamily(outputs);
  if (own !== null) return own;
  const [only, ...others] = outputs;
  const [one, a, b] = (only?.shape ?? []) as number[];
  if (only === undefined || others.length > 0 || only.shape.length !== 3 || one !== 1 || a === undefined || b === undefined)
    throw new ModelError(`outputs are ${outputs.map(shown).join(', ')}: no family has such; models/formats lists them`);
  const as = (family: string, classCount: number | null, more: Partial<Recognised> = {}): Recognised => ({
    family,
    outputs: { detections: { name: only.name, dtype: 'float32' } },
    classCount,
    stretched: false,
    doubt: null,
    ...more,
  });
  const isDetr = /rt-?detr/i.test(said);
  if (b === 6 && a <= THINGS_MAX && !isDetr)
    return as('yolo-end2end', null, {
      doubt: 'six columns could also be RT-DETR with two classes: then set family and letterbox',
    });
  if (a < b && a > 4) return as('yolov8', a - 4);
  if (a <= THINGS_MAX && b > 4) return as('rt-detr', b - 4, { stretched: true });
  if (b > 5) return as('yolov5', b - 5);
  throw new ModelError(`output ${shown(only)}: no family has such; models/formats lists them`);
}

function ownFamily(outputs: readonly Port[]): Recognised | null {
  const [boxes, scores] = ['boxes', 'scores'].map((name) => outputs.find((o) => o.name === name));
  if (outputs.length !== 2 || boxes === undefined || scores === undefined || boxes.shape[2] !== 4) return null;
  return {
    family: 'gewu-uint8',
    outputs: {
      boxes: { name: boxes.name, dtype: 'float32', format: 'x1y1x2y2', unit: 'input pixels' },
      scores: { name: scores.name, dtype: 'float32', range: [0, 1] },
    },
    classCount: Number(scores.shape[2]),
    stretched: false,
    doubt: null,
  };
}

export const shown = ({ name, type, shape }: Port): string => `${name} ${type} [${shape.join(', ')}]`;

/** Exporters write a Python literal: `{0: 'person', 1: "driver's cab"}`. Null when there is none, or it has gaps. */
export function classNames(names: string | undefined): string[] | null {
  if (names === undefined) return null;
  const found = [...names.matchAll(/(\d+)\s*:\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")/g)];
  const ordered = found.map(([, index, single, double]) => [Number(index), single ?? double ?? ''] as const);
  if (ordered.length === 0 || ordered.some(([index], i) => index !== i)) return null;
  const plain = ordered.map(([, name]) => {
    const words = name.toLowerCase().replace(/[^a-z0-9]+/g, '_');
    return words.replace(/^_+|_+$/g, '').slice(0, 48);
  });
  return plain.includes('') || new Set(plain).size < plain.length ? null : plain;
}
