import { createCanvas, loadImage } from '@napi-rs/canvas';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { type Box, type Found, iou } from './metric.ts';

const SIZE = 320;
const PAD = 114;
const SCORE_MIN = 0.02;
const IOU_SAME = 0.55;
const FOUND_MAX = 100;

/** Runs an exported model on picture files as an edge would: letterbox, uint8 in, boxes and scores out, NMS here. */
export async function openDetector(model: string): Promise<{ detect(file: string): Promise<Found[]> }> {
  const session = await InferenceSession.create(model, { intraOpNumThreads: 1, interOpNumThreads: 1 });
  const input = new Uint8Array(SIZE * SIZE * 3);
  return {
    async detect(file) {
      const fit = await letterbox(file, input);
      const { boxes, scores } = await session.run({ image: new Tensor('uint8', input, [1, SIZE, SIZE, 3]) });
      if (boxes === undefined || scores === undefined) throw new TypeError(`${model} has no outputs named boxes and scores`);
      return suppress(unpack(boxes.data as Float32Array, scores.data as Float32Array, scores.dims[2] as number, fit));
    },
  };
}

interface Fit {
  widthPx: number;
  heightPx: number;
  scale: number;
  leftPx: number;
  topPx: number;
}

/** Shrinks a picture into the square by area averaging (whole factors) or linearly, and fills the rest with grey. */
async function letterbox(file: string, into: Uint8Array): Promise<Fit> {
  const image = await loadImage(file);
  const scale = SIZE / Math.max(image.width, image.height);
  const [width, height] = [Math.round(image.width * scale), Math.round(image.height * scale)];
  const [leftPx, topPx] = [(SIZE - width) >> 1, (SIZE - height) >> 1];
  const factor = Math.max(1, Math.round(1 / scale));
  const ctx = createCanvas(width * factor, height * factor).getContext('2d');
  ctx.drawImage(image, 0, 0, width * factor, height * factor);
  const { data } = ctx.getImageData(0, 0, width * factor, height * factor);
  into.fill(PAD);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < 3; c++) {
        let sum = 0;
        for (let dy = 0; dy < factor; dy++) {
          for (let dx = 0; dx < factor; dx++)
            sum += data[((y * factor + dy) * width * factor + x * factor + dx) * 4 + c] as number;
        }
        into[((y + topPx) * SIZE + x + leftPx) * 3 + c] = Math.round(sum / (factor * factor));
      }
    }
  }
  return { widthPx: image.width, heightPx: image.height, scale, leftPx, topPx };
}

function unpack(
  boxes: Float32Array,
  scores: Float32Array,
  classes: number,
  { widthPx, heightPx, scale, leftPx, topPx }: Fit,
): Found[] {
  const x = (value: number): number => Math.min(widthPx, Math.max(0, (value - leftPx) / scale));
  const y = (value: number): number => Math.min(heightPx, Math.max(0, (value - topPx) / scale));
  const found: Found[] = [];
  for (let n = 0; n < scores.length / classes; n++) {
    for (let kind = 0; kind < classes; kind++) {
      const score = scores[n * classes + kind] as number;
      if (score < SCORE_MIN) continue;
      const [x1, y1, x2, y2] = boxes.subarray(n * 4, n * 4 + 4) as unknown as Box;
      found.push({ kind, score, box: [x(x1), y(y1), x(x2), y(y2)] });
    }
  }
  return found.sort((a, b) => b.score - a.score);
}

/** Per class, of boxes that overlap, only the best stays. */
function suppress(found: readonly Found[]): Found[] {
  const kept: Found[] = [];
  for (const entry of found) {
    if (kept.length >= FOUND_MAX) break;
    if (!kept.some((other) => other.kind === entry.kind && iou(other.box, entry.box) > IOU_SAME)) kept.push(entry);
  }
  return kept;
}
