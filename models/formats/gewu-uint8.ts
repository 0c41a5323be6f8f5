import type { ModelManifest } from '../manifest.ts';
import { Candidates, edges } from './candidates.ts';
import type { DecodeOptions, Detection, ModelFormat, OutputTensor } from './format.ts';
import { suppress } from './suppress.ts';

/**
 * Our own family: uint8 NHWC in; `boxes` float32 [1, N, 4] (left, top, right, bottom, input pixels) and
 * `scores` float32 [1, N, C] (0..1, already through the sigmoid) out.
 */
export const gewuUint8: ModelFormat = { family: 'gewu-uint8', decode };

function decode(outputs: Readonly<Record<string, OutputTensor>>, manifest: ModelManifest, options: DecodeOptions): Detection[] {
  const { boxes, scores, count } = tensors(outputs, manifest);
  const columns = manifest.classes.length;
  const candidates = new Candidates(manifest, options);
  // One row and one function for all of the thousands: made anew for each they cost more than the search.
  const row = { data: scores.data, first: 0, step: 1, factor: 1 };
  let n = 0;
  const at = (side: number) => boxes.data[n * 4 + side] as number;
  const box = () => edges(at(0), at(1), at(2), at(3), manifest);
  for (; n < count; n++, row.first += columns) candidates.add(row, box);
  return suppress(candidates.found);
}

function tensors(outputs: Readonly<Record<string, OutputTensor>>, manifest: ModelManifest) {
  const boxes = outputs[manifest.outputs.boxes?.name ?? ''];
  const scores = outputs[manifest.outputs.scores?.name ?? ''];
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
