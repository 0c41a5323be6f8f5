import { Candidates, centred, detectionsOf } from './candidates.ts';
import type { ModelFormat } from './format.ts';
import { suppress } from './suppress.ts';

/**
 * YOLOv5 (and v6, v7 as usually exported): `detections` [1, N, 5 + C], a row per candidate: centre and size in input pixels,
 * objectness, and a score per class that counts as far as the objectness does.
 */
export const yolov5: ModelFormat = {
  family: 'yolov5',
  decode(outputs, manifest, options) {
    const { data, a, b } = detectionsOf(outputs, manifest, '[1, N, 5 + C]', (_n, columns, classes) => columns === 5 + classes);
    const candidates = new Candidates(manifest, options);
    const at = (i: number) => data[i] as number;
    for (let i = 0; i < a * b; i += b)
      candidates.add({ data, first: i + 5, step: 1, factor: at(i + 4) }, () =>
        centred(at(i), at(i + 1), at(i + 2), at(i + 3), manifest),
      );
    return suppress(candidates.found);
  },
};
