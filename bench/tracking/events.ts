import { CameraView, type Incident, Locator, ZoneWatch } from '#edge/vision/mod.ts';
import { createCellIndex, wallClock } from '#grid/mod.ts';
import type { ModelManifest } from '#models/mod.ts';
import { cameraTruth, matchIncidents, type SeenCase } from '#simulators/mod.ts';
import { cameraOfView, type DrawnMoment } from './drawn.ts';
import type { StagedView } from './streets.ts';

/** Events of one camera against what was staged before it. */
export interface EventCounts {
  staged: number;
  found: number;
  falseAlarms: number;
  /** Beyond the dwell time, ms. */
  delaysMs: number[];
}

/** Runs tracks and zones over what the detector saw at `fps`. The centre and the stream are left out. */
export function countEvents(
  manifest: ModelManifest,
  { view, moments }: { view: StagedView; moments: readonly DrawnMoment[] },
  { fps, dwellS }: { fps: number; dwellS: number },
): EventCounts {
  const { camera, ground } = cameraOfView(view, view.zones);
  const frameMs = 1000 / fps;
  const watch = new ZoneWatch({ zones: view.zones, frameMs });
  const cameraView = new CameraView({ camera, model: manifest, ground, watch, prefix: view.id, frameMs });
  const locator = new Locator({ ground, cells: createCellIndex(view.cells), components: view.components });
  const wall = wallClock('Asia/Shanghai');
  const seen: SeenCase[] = [];
  const raise = (incident: Incident, atMs: number): void => {
    const located = locator.locate(incident);
    if (located === null) return;
    incident.subject = `event-${seen.length}`;
    const { startedAt } = incident;
    const about = { id: incident.subject, source: 'camera' as const, startedAt, confirmedAt: startedAt + dwellS * 1000 };
    seen.push({ case: { ...about, ...located }, readableAt: atMs });
  };
  for (const { atMs, detections } of moments) {
    const { decisions } = cameraView.look(view.pose, detections, { at: atMs, ms: atMs, wall: wall(atMs) });
    for (const { kind, incident } of decisions) if (kind === 'raise') raise(incident, atMs);
  }
  // Nobody works on cases here: what comes again where it was is an event again.
  const staged = view.incidents.map((i) => ({ ...i, repeats: false, dwellMs: dwellS * 1000 }));
  const { detected, falseAlarms, pairs } = matchIncidents(cameraTruth(staged, 0), seen);
  return { staged: staged.length, found: detected, falseAlarms, delaysMs: pairs.map((p) => p.latencyMs) };
}
