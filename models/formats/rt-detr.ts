import { Candidates, centred, detectionsOf } from './candidates.ts';
import type { ModelFormat } from './format.ts';

/**
 * RT-DETR as Ultralytics exports it: `detections` [1, N, 4 + C], a row per query: centre and size as fractions of the input, a
 * score per class, through the sigmoid. Queries are matched one to one in training, so there are no doubles.
 */
export const rtDetr: ModelFormat = {
  family: 'rt-detr',
  decode(outputs, manifest, options) {
    const { data, a, b } = detectionsOf(outputs, manifest, '[1, N, 4 + C]', (_n, columns, classes) => columns === 4 + classes);
    const { width, height } = manifest.input;
    const candidates = new Candidates(manifest, options);
    const at = (i: number) => data[i] as number;
    for (let i = 0; i < a * b; i += b)
      candidates.add({ data, first: i + 4, step: 1, factor: 1 }, () =>
        centred(at(i) * width, at(i + 1) * height, at(i + 2) * width, at(i + 3) * height, manifest),
      );
    return candidates.best();
  },
};
