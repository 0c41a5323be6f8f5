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
  for (let n = 0; n < count; n++) {
    const at = (side: number) => boxes.data[n * 4 + side] as number;
    candidates.add({ data: scores.data, first: n * columns, step: 1, factor: 1 }, () =>
      edges(at(0), at(1), at(2), at(3), manifest),
    );
  }
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
