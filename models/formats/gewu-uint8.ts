import type { Box } from '../letterbox.ts';
import type { ModelManifest } from '../manifest.ts';
import type { DecodeOptions, Detection, ModelFormat, OutputTensor } from './format.ts';
import { PERSON_CLASS, suppress } from './suppress.ts';

/**
 * Our own family: uint8 NHWC in; `boxes` float32 [1, N, 4] (left, top, right, bottom, input pixels) and
 * `scores` float32 [1, N, C] (0..1, already through the sigmoid) out.
 * A box takes the name of its best class; where `person` reaches its threshold too, it is also a person (masking needs it).
 */
export const gewuUint8: ModelFormat = { family: 'gewu-uint8', decode };

/** People are only masked, never reported: rather one too many pixelated than one shown. */
const PERSON_FLOOR = 0.2;

function decode(outputs: Readonly<Record<string, OutputTensor>>, manifest: ModelManifest, options: DecodeOptions): Detection[] {
  const { boxes, scores, count } = tensors(outputs, manifest);
  const { classes, thresholds } = manifest;
  const floors = classes.map((name) => (thresholds[name] as number) * options.weakFactor);
  const person = classes.indexOf(PERSON_CLASS);
  if (person >= 0) floors[person] = Math.min(floors[person] as number, PERSON_FLOOR);
  const found: Detection[] = [];
  for (let n = 0; n < count; n++) {
    const at = (c: number): number => scores.data[n * classes.length + c] as number;
    let best = 0;
    for (let c = 1; c < classes.length; c++) if (at(c) > at(best)) best = c;
    const names = person >= 0 && person !== best ? [best, person] : [best];
    // A NaN fails the comparison and is left out.
    const seen = names.filter((c) => at(c) >= (floors[c] as number));
    if (seen.length === 0) continue;
    const box = boxAt(boxes.data, n, manifest.input);
    if (box !== null) for (const c of seen) found.push({ class: classes[c] as string, score: Math.min(1, at(c)), box });
  }
  return suppress(found);
}

/** The n-th box, clipped to the input; null when nothing of it is left, or it is none. */
function boxAt(data: Float32Array, n: number, input: { width: number; height: number }): Box | null {
  const left = Math.max(0, data[n * 4] as number);
  const top = Math.max(0, data[n * 4 + 1] as number);
  const right = Math.min(input.width, data[n * 4 + 2] as number);
  const bottom = Math.min(input.height, data[n * 4 + 3] as number);
  return right > left && bottom > top ? [left, top, right, bottom] : null;
}

function tensors(outputs: Readonly<Record<string, OutputTensor>>, manifest: ModelManifest) {
  const boxes = outputs[manifest.outputs.boxes.name];
  const scores = outputs[manifest.outputs.scores.name];
  const count = boxes?.dims[1] ?? 0;
  const fits = (t: OutputTensor | undefined, columns: number): t is OutputTensor =>
    t !== undefined &&
    t.dims.length === 3 &&
    t.dims[0] === 1 &&
    t.dims[1] === count &&
    t.dims[2] === columns &&
    t.data.length === count * columns;
  if (!fits(boxes, 4) || !fits(scores, manifest.classes.length)) {
    const shapes = Object.entries(outputs).map(([name, t]) => `${name} [${t.dims.join(', ')}]`);
    throw new RangeError(
      `${manifest.name}: outputs are ${shapes.join(', ') || 'missing'}; wanted [1, N, 4] and [1, N, ${manifest.classes.length}]`,
    );
  }
  return { boxes, scores, count };
}
