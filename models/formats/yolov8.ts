import { Candidates, centred, detectionsOf } from './candidates.ts';
import type { ModelFormat } from './format.ts';
import { suppress } from './suppress.ts';

/**
 * YOLOv8, YOLO11 and their like: `detections` [1, 4 + C, N], a column per candidate: centre and size in input pixels and a
 * score per class; no objectness.
 */
export const yolov8: ModelFormat = {
  family: 'yolov8',
  decode(outputs, manifest, options) {
    const { data, b } = detectionsOf(outputs, manifest, '[1, 4 + C, N]', (rows, _n, classes) => rows === 4 + classes);
    const candidates = new Candidates(manifest, options);
    for (let n = 0; n < b; n++) {
      const at = (row: number) => data[row * b + n] as number;
      candidates.add({ data, first: 4 * b + n, step: b, factor: 1 }, () => centred(at(0), at(1), at(2), at(3), manifest));
    }
    return suppress(candidates.found);
  },
};
