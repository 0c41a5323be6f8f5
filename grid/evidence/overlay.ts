/** What is drawn over a picture that proves an event, and what is left free of it: edges draw it, datasets take it off again. */

/** An event's box is shown clear with so much around it on each side; share of the box. */
export const KEPT_MARGIN = 0.08;

/** Of the frame around what is shown clear, which covers none of it, pixels. */
export const frameWidthPx = (widthPx: number): number => Math.max(2, Math.round(widthPx / 350));

/** [left, top, right, bottom) in whole pixels. */
export type Region = readonly [number, number, number, number];

/** A box in fractions in whole pixels, grown by a margin on each side, clipped to the picture. */
export function regionOf(
  box: readonly [number, number, number, number],
  margin: number,
  widthPx: number,
  heightPx: number,
): Region {
  const [dx, dy] = [(box[2] - box[0]) * margin, (box[3] - box[1]) * margin];
  return [
    Math.max(0, Math.floor((box[0] - dx) * widthPx)),
    Math.max(0, Math.floor((box[1] - dy) * heightPx)),
    Math.min(widthPx, Math.ceil((box[2] + dx) * widthPx)),
    Math.min(heightPx, Math.ceil((box[3] + dy) * heightPx)),
  ];
}
