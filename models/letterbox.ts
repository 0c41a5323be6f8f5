/**
 * How a picture lies in the model's input: scaled to fit, aspect kept, centred, bars beside it; or stretched over all of it.
 * The rounding is that of ffmpeg's `scale=force_original_aspect_ratio=decrease` and `pad=...:(ow-iw)/2:(oh-ih)/2`,
 * so that boxes go back to where the pixels came from.
 */
export interface Letterbox {
  /** Size and corner of the picture inside the input, input pixels. */
  widthPx: number;
  heightPx: number;
  leftPx: number;
  topPx: number;
}

/** [left, top, right, bottom]; in fractions of the picture unless said otherwise. */
export type Box = readonly [number, number, number, number];

export function letterboxOf(
  picture: { widthPx: number; heightPx: number },
  input: { width: number; height: number; letterbox: object | null },
): Letterbox {
  if (input.letterbox === null) return { widthPx: input.width, heightPx: input.height, leftPx: 0, topPx: 0 };
  const widthPx = Math.min(input.width, Math.round((input.height * picture.widthPx) / picture.heightPx));
  const heightPx = Math.min(input.height, Math.round((input.width * picture.heightPx) / picture.widthPx));
  const [leftPx, topPx] = [Math.trunc((input.width - widthPx) / 2), Math.trunc((input.height - heightPx) / 2)];
  return { widthPx, heightPx, leftPx, topPx };
}

const clamp = (value: number): number => Math.min(1, Math.max(0, value));

/** A box in input pixels as fractions of the picture, clipped to it. */
export function toPictureBox(box: Box, lb: Letterbox): Box {
  const [x, y] = [(v: number) => clamp((v - lb.leftPx) / lb.widthPx), (v: number) => clamp((v - lb.topPx) / lb.heightPx)];
  return [x(box[0]), y(box[1]), x(box[2]), y(box[3])];
}
