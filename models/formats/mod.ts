import type { ModelFormat } from './format.ts';
import { gewuUint8 } from './gewu-uint8.ts';
import { rtDetr } from './rt-detr.ts';
import { yoloEnd2end } from './yolo-end2end.ts';
import { yolov5 } from './yolov5.ts';
import { yolov8 } from './yolov8.ts';

export type { DecodeOptions, Detection, ModelFormat, OutputTensor } from './format.ts';
export { CROSS_CLASS_IOU, DETECTIONS_MAX, iou, PERSON_CLASS, SAME_CLASS_IOU, shareInside, suppress } from './suppress.ts';

/** Every model family. To add one: a file in this folder, a line here. */
export const MODEL_FORMATS: readonly ModelFormat[] = [gewuUint8, yolov5, yolov8, yoloEnd2end, rtDetr];

export function modelFormat(family: string): ModelFormat | undefined {
  return MODEL_FORMATS.find((format) => format.family === family);
}
