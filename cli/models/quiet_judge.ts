import { cameraOfView } from '#bench/tracking/mod.ts';
import { CameraView, type Ground, type Incident, ZoneWatch } from '#edge/vision/mod.ts';
import { wallClock, type Zone } from '#grid/mod.ts';
import { zonesOf } from '#simulators/city/mod.ts';
import type { SeenHour } from './quiet_hours.ts';

const TIME_ZONE = 'Asia/Shanghai';

/** An event, as it was raised. */
export interface Raised {
  incident: Incident;
  atMs: number;
}

/** The hour's camera: its zones, with these scores, and the ground under it. */
export function judgedBy(
  { camera, view }: SeenHour,
  confidenceMin: (detects: string) => number,
): { zones: Zone[]; ground: Ground } {
  const zones = zonesOf(camera, confidenceMin);
  return { zones, ground: cameraOfView(view, zones).ground };
}

/** How the hour is judged. */
export interface Judging {
  everyS: number;
  confidenceMin: (detects: string) => number;
  /** As in a camera's first minute: it knows nothing of what was there before. */
  isNew?: boolean;
}

/** What tracks and zones with these scores make of what was seen in the hour. */
export function raisedIn(hour: SeenHour, { everyS, confidenceMin, isNew = false }: Judging): Raised[] {
  const { manifest, view, moments } = hour;
  const { zones, ground } = judgedBy(hour, confidenceMin);
  const frameMs = everyS * 1000;
  const watch = new ZoneWatch({ zones, frameMs });
  const cameraView = new CameraView({ camera: { zones }, model: manifest, ground, watch, prefix: view.id, frameMs });
  const wall = wallClock(TIME_ZONE);
  return moments.flatMap(({ atMs, detections }) => {
    if (isNew) watch.fixtures.learnAnew();
    const { decisions } = cameraView.look(view.pose, detections, { at: atMs, ms: atMs, wall: wall(atMs) });
    return decisions.flatMap(({ kind, incident }) => (kind === 'raise' ? [{ incident: { ...incident }, atMs }] : []));
  });
}
