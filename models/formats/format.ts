import type { Box } from '../letterbox.ts';
import type { ModelManifest } from '../manifest.ts';

/** One output of the session, float32, row by row. */
export interface OutputTensor {
  data: Float32Array;
  dims: readonly number[];
}

/** What the model claims to see. */
export interface Detection {
  class: string;
  /** 0..1 */
  score: number;
  /** Input pixels as it leaves a format, fractions of the picture after `toPictureBox`. */
  box: Box;
}

export interface DecodeOptions {
  /**
   * Detections below their class's threshold are kept down to `threshold * weakFactor`: a tracker may use them to hold
   * on to a thing it already knows. 1 keeps none.
   */
  weakFactor: number;
}

/**
 * A family of models: one decoder from output tensors to detections in input pixels, best first, duplicates removed.
 * Throws RangeError when the tensors do not have the family's shapes.
 */
export interface ModelFormat {
  family: string;
  decode(outputs: Readonly<Record<string, OutputTensor>>, manifest: ModelManifest, options: DecodeOptions): Detection[];
}
