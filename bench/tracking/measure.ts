import { CameraView, ZoneWatch } from '#edge/vision/mod.ts';
import { wallClock } from '#grid/mod.ts';
import {
  addCounts,
  countTracks,
  type TrackCounts,
  type TrackedPicture,
  type TrackFound,
  type TrackTruth,
} from '#models/eval/mod.ts';
import { letterboxOf, type ModelManifest, PERSON_CLASS, toPictureBox } from '#models/mod.ts';
import type { TruthBox } from '#simulators/cameras/mod.ts';
import { cameraOfView, type DrawnMoment, type DrawnView } from './drawn.ts';
import { PlainTracker } from './plain.ts';

/** As `models/train` counts: smaller, or more hidden, is no fair test. Pixels of the 640 x 360 picture. */
const SIDE_PX_MIN = 12;
const VISIBLE_MIN = 0.3;

export interface Seen {
  view: DrawnView;
  moments: readonly DrawnMoment[];
}

export interface Measured {
  fps: number;
  ours: TrackCounts;
  plain: TrackCounts;
  cpuUsPerPicture: number;
}

/** Runs both trackers over what the detector saw, at one rate. */
export function measure(manifest: ModelManifest, seen: readonly Seen[], fps: number): Measured {
  const began = process.cpuUsage();
  const of = seen.map(({ view, moments }) => ({ view, moments: moments.filter((m) => isDue(m.atMs, fps)) }));
  const ours = of.map(({ view, moments }) => countTracks(ourTracks(manifest, view, moments, fps)));
  const used = process.cpuUsage(began);
  const pictures = of.reduce((n, o) => n + o.moments.length, 0);
  const plain = of.map(({ view, moments }) => countTracks(plainTracks(manifest, view, moments)));
  return { fps, ours: addCounts(ours), plain: addCounts(plain), cpuUsPerPicture: (used.user + used.system) / pictures };
}

export function ourTracks(
  manifest: ModelManifest,
  view: DrawnView,
  moments: readonly DrawnMoment[],
  fps: number,
): TrackedPicture[] {
  const { camera, ground } = cameraOfView(view, []);
  const frameMs = 1000 / fps;
  const watch = new ZoneWatch({ zones: [], frameMs });
  const cameraView = new CameraView({ camera, model: manifest, ground, watch, prefix: view.id, frameMs });
  const wall = wallClock('Asia/Shanghai');
  return moments.map(({ atMs, truth, detections }) => {
    const { tracks } = cameraView.look(view.pose, detections, { at: atMs, ms: atMs, wall: wall(atMs) });
    return { truth: toTruth(truth, view), found: tracks.filter((t) => t.seen && t.confirmed).map(still) };
  });
}

function plainTracks(manifest: ModelManifest, view: DrawnView, moments: readonly DrawnMoment[]): TrackedPicture[] {
  const tracker = new PlainTracker();
  return moments.map(({ atMs, truth, detections }) => {
    const found = tracker.update(sureBoxes(manifest, view, detections), atMs);
    return { truth: toTruth(truth, view), found: found.map(still) };
  });
}

/** Things that reach their class's threshold, in fractions of the picture. */
export function sureBoxes({ input, thresholds }: ModelManifest, { pose }: DrawnView, detections: DrawnMoment['detections']) {
  const letterbox = letterboxOf(pose, input);
  return detections
    .filter((d) => d.class !== PERSON_CLASS && d.score >= (thresholds[d.class] ?? 1))
    .map((d) => ({ class: d.class, box: toPictureBox(d.box, letterbox) }));
}

/** Trackers go on writing in theirs. */
const still = ({ id, class: className, box }: TrackFound): TrackFound => ({ id, class: className, box });

function toTruth(truth: DrawnMoment['truth'], view: DrawnView): TrackTruth[] {
  return truth
    .filter((t) => t.class !== PERSON_CLASS)
    .map((t) => ({ id: t.id, class: t.class, box: t.box, ignored: !isCounted(t, view) }));
}

/** Whether finding it is asked for. */
export function isCounted({ visible, box: [left, top, right, bottom] }: Pick<TruthBox, 'visible' | 'box'>, { pose }: DrawnView) {
  return visible >= VISIBLE_MIN && Math.min((right - left) * pose.widthPx, (bottom - top) * pose.heightPx) >= SIDE_PX_MIN;
}

const isDue = (atMs: number, fps: number): boolean => Number.isInteger((atMs * fps) / 1000);
