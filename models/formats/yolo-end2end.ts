import { Candidates, detectionsOf, edges } from './candidates.ts';
import type { ModelFormat } from './format.ts';

/**
 * YOLOv10, YOLO26 and exports with suppression built in: `detections` [1, N, 6], a row per thing: left, top, right, bottom in
 * input pixels, score, number of the class. What is double has been removed by the graph.
 */
export const yoloEnd2end: ModelFormat = {
  family: 'yolo-end2end',
  decode(outputs, manifest, options) {
    const { data, a } = detectionsOf(outputs, manifest, '[1, N, 6]', (_n, columns) => columns === 6);
    const candidates = new Candidates(manifest, options);
    for (let i = 0; i < a * 6; i += 6) {
      const at = (column: number) => data[i + column] as number;
      candidates.addChosen(Math.round(at(5)), at(4), () => edges(at(0), at(1), at(2), at(3), manifest));
    }
    return candidates.best();
  },
};
