import { distanceM, place } from '#edge/vision/mod.ts';
import { assign, IOU_SAME } from '#models/eval/mod.ts';
import { type Box, iou, letterboxOf, type ModelManifest } from '#models/mod.ts';
import type { TruthBox } from '#simulators/cameras/mod.ts';
import { rounded } from '../rounds.ts';
import { cameraOfView, type DrawnMoment, type DrawnView } from './drawn.ts';
import { isCounted, type Seen, sureBoxes } from './measure.ts';

/** Beside what one input pixel means there, a detection may be so far from where the thing is. */
const SLACK_M = 0.5;

/** How far the place of a found box is from the middle of the thing's footprint. */
export interface FoundPlace {
  class: string;
  offM: number;
  /** One input pixel there and the slack. */
  allowedM: number;
  /** What the edge tells. */
  radiusM: number;
}

/** Places of all boxes that were found of things that count. */
export function foundPlaces(manifest: ModelManifest, { view, moments }: Seen): FoundPlace[] {
  const { ground } = cameraOfView(view, []);
  const { widthPx, heightPx } = letterboxOf(view.pose, manifest.input);
  const pixel = [1 / widthPx, 1 / heightPx] as const;
  return moments
    .flatMap((moment) => pairsOf(manifest, view, moment))
    .map(({ truth, box }): FoundPlace => {
      const placed = place(ground, truth.class, box, pixel);
      const pixelM = placed === null ? null : ground.stepM(...placed.foot, ...pixel);
      if (placed === null || pixelM === null)
        return { class: truth.class, offM: Number.POSITIVE_INFINITY, allowedM: SLACK_M, radiusM: 0 };
      const offM = distanceM(placed.point, ground.toPoint(truth));
      return { class: truth.class, offM, allowedM: SLACK_M + pixelM, radiusM: placed.errorRadiusM };
    });
}

/** Each thing with the box that was found of it, for the greatest total overlap. */
function pairsOf(manifest: ModelManifest, view: DrawnView, moment: DrawnMoment): { truth: TruthBox; box: Box }[] {
  const truths = moment.truth.filter((t) => isCounted(t, view));
  const found = sureBoxes(manifest, view, moment.detections);
  const worthOf = (t: TruthBox, f: { class: string; box: Box }): number => {
    const overlap = t.class === f.class ? iou(t.box, f.box) : 0;
    return overlap >= IOU_SAME ? overlap : 0;
  };
  return assign(truths.map((t) => found.map((f) => worthOf(t, f)))).flatMap((column, row) => {
    const [truth, box] = [truths[row], found[column]?.box];
    return truth === undefined || box === undefined ? [] : [{ truth, box }];
  });
}

/** In all and by class: how many were found, the share within what is allowed, and the share within the radius. */
export function placeFigures(places: readonly FoundPlace[]): Record<string, number> {
  const groups = [...Map.groupBy(places, (p) => p.class)].sort(([a], [b]) => a.localeCompare(b));
  const figuresOf = (of: readonly FoundPlace[], name: string): [string, number][] => {
    const share = (is: (p: FoundPlace) => boolean): number => rounded(of.filter(is).length / of.length);
    return [
      [`placed${name}`, of.length],
      [`placeWithin${name}`, share((p) => p.offM <= p.allowedM)],
      [`placeCovered${name}`, share((p) => p.offM <= p.radiusM)],
    ];
  };
  const byClass = groups.flatMap(([name, of]) => figuresOf(of, `Of_${name}`));
  return Object.fromEntries([...(places.length === 0 ? [] : figuresOf(places, '')), ...byClass]);
}
