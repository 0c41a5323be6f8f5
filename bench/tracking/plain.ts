import { type Box, iou } from '#models/mod.ts';

interface PlainTrack {
  id: string;
  class: string;
  box: Box;
  seenMs: number;
  hits: number;
}

const IOU_MIN = 0.3;
const FORGET_MS = 1_000;

/**
 * The yardstick: detections of two pictures that overlap are one thing, best pairs first, and nothing else is known
 * (Bochinski et al., High-Speed Tracking-by-Detection Without Using Image Information, AVSS 2017).
 */
export class PlainTracker {
  #tracks: PlainTrack[] = [];
  #next = 1;

  /** Takes the sure detections of one picture; returns what was found in it twice or more. */
  update(boxes: readonly { class: string; box: Box }[], nowMs: number): { id: string; class: string; box: Box }[] {
    const pairs = this.#tracks
      .flatMap((track) => boxes.map((one) => ({ track, one, overlap: track.class === one.class ? iou(track.box, one.box) : 0 })))
      .filter((p) => p.overlap >= IOU_MIN)
      .sort((a, b) => b.overlap - a.overlap);
    const [given, taken] = [new Set<PlainTrack>(), new Set<object>()];
    for (const { track, one } of pairs) {
      if (given.has(track) || taken.has(one)) continue;
      given.add(track);
      taken.add(one);
      Object.assign(track, { box: one.box, seenMs: nowMs, hits: track.hits + 1 });
    }
    for (const one of boxes)
      if (!taken.has(one)) this.#tracks.push({ id: `p-${this.#next++}`, class: one.class, box: one.box, seenMs: nowMs, hits: 1 });
    this.#tracks = this.#tracks.filter((t) => nowMs - t.seenMs <= FORGET_MS);
    return this.#tracks.filter((t) => t.seenMs === nowMs && t.hits > 1);
  }
}
