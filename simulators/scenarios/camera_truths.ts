import { type PictureFault, type RtspFaultKind, toEnu, toWgs84 } from '../cameras/mod.ts';
import { CAMERA_TERMS, type CityCamera } from '../city/mod.ts';
import type { StagedTruth } from '../report/mod.ts';
import type { Shown, ShownView, StagedCameraFault } from './staged_view.ts';

/** A camera that shows nothing of use is a fault of its own after so long, ms: docs/configuration.md. */
const IMPAIRED_MS = 30_000;
/** And so long after it has begun, for pictures that are only bad after a while (`GRACE`, docs/configuration.md). */
const GRACE_MS: Readonly<Record<PictureFault | RtspFaultKind, number | null>> = {
  black: 5_000,
  frozen: 30_000,
  overexposed: 30_000,
  covered: 45_000,
  moved: 60_000,
  blurred: 120_000,
  freeze: 5_000,
  cut: 5_000,
  halfOpen: 15_000,
  password: 5_000,
  // Fewer pictures, and broken ones: it is seen through.
  drop: null,
  corrupt: null,
  garbage: null,
};
const IMPAIRS_ONLY: readonly string[] = ['moved', 'blurred'];
/** What was confirmed so shortly before its end is no fair test. */
const MARGIN_MS = 2_000;

/** What the centre must know of a run between two moments, UTC ms, and what it may. */
export function truthsOf(views: readonly ShownView[], faults: readonly StagedCameraFault[], startsAt: number, endsAt: number) {
  const due: StagedTruth[] = [];
  const possible: StagedTruth[] = [];
  for (const { view, shown } of views)
    for (const { camera, phaseMs } of view.cameras) {
      const fault = faults.find((f) => f.camera === camera);
      for (const thing of shown) {
        const truth = truthOf(thing, camera, startsAt - phaseMs);
        if (truth.standsFrom >= endsAt) continue;
        const confirmed = truth.standsFrom + truth.confirmMs + MARGIN_MS <= Math.min(truth.standsTo, endsAt);
        (confirmed && !thing.repeats && fault === undefined ? due : possible).push(truth);
      }
    }
  for (const { what, camera, fromMs, toMs } of faults) {
    const graceMs = GRACE_MS[what];
    const [standsFrom, standsTo] = [startsAt + fromMs, startsAt + toMs];
    if (standsFrom >= endsAt) continue;
    const truth: StagedTruth = {
      id: `${what}-${camera.id}`,
      source: 'sensor',
      class: { flag: 1, code: '0136', fault: IMPAIRS_ONLY.includes(what) ? 'camera_picture' : 'camera_offline' },
      component: camera.component,
      lon: camera.pose.lon,
      lat: camera.pose.lat,
      standsFrom,
      standsTo,
      confirmMs: IMPAIRED_MS + (graceMs ?? 0),
    };
    const isDue = graceMs !== null && standsFrom + truth.confirmMs + MARGIN_MS <= Math.min(standsTo, endsAt);
    (isDue ? due : possible).push(truth);
  }
  return { due, possible };
}

function truthOf({ id, detects, place, cover, fromMs, toMs, confirmMs }: Shown, camera: CityCamera, zeroAt: number): StagedTruth {
  const { street } = camera;
  const { xM, yM } = toEnu(street, place);
  const [lon, lat] = toWgs84(xM, yM, street.originLon, street.originLat);
  const { raises } = CAMERA_TERMS[detects];
  const code = cover === null ? undefined : camera.covers[cover]?.code;
  return {
    id: `${camera.id}-${id}`,
    source: 'camera',
    class:
      'event' in raises ? { flag: 2, code: raises.event } : { flag: 1, code: code?.slice(6, 10) ?? '0114', fault: raises.fault },
    ...(code === undefined ? {} : { component: code }),
    lon,
    lat,
    standsFrom: zeroAt + fromMs,
    standsTo: zeroAt + toMs,
    confirmMs,
  };
}
