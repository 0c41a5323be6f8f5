import { type PictureFault, type RtspFaultKind, toEnu, toWgs84 } from '../cameras/mod.ts';
import { CAMERA_TERMS, type CityCamera } from '../city/mod.ts';
import type { StagedTruth } from '../report/mod.ts';
import type { Shown, ShownView, StagedCameraFault } from './staged_view.ts';

/** A camera that shows nothing of use is a fault of its own after so long, ms: docs/configuration.md. */
const IMPAIRED_MS = 30_000;
/** What an edge makes of a camera that is wrong. */
interface CameraReaction {
  /** The state of its health, and what it may give as the reason. */
  state: 'degraded' | 'offline';
  reasons: readonly string[];
  /** The case of its component. Null where it may have none: what is broken or left out is seen through. */
  fault: 'camera_offline' | 'camera_picture' | null;
  /** From the beginning of the fault to the state, ms: pictures are only bad after a while (docs/configuration.md). Null: of its own time. */
  graceMs: number | null;
}

function degraded(reason: string, fault: CameraReaction['fault'], graceMs: number | null): CameraReaction {
  return { state: 'degraded', reasons: [reason], fault, graceMs };
}

function offline(reasons: readonly string[], graceMs: number | null): CameraReaction {
  return { state: 'offline', reasons, fault: 'camera_offline', graceMs };
}

/** The named reaction to each fault: test/edge/cameras/{faulty,damaged}.test.ts show each of them at a node. */
export const CAMERA_REACTIONS: Readonly<Record<PictureFault | RtspFaultKind, CameraReaction>> = {
  black: degraded('black', 'camera_offline', 5_000),
  frozen: degraded('frozen', 'camera_offline', 30_000),
  overexposed: degraded('overexposed', 'camera_offline', 30_000),
  covered: degraded('covered', 'camera_offline', 45_000),
  moved: degraded('moved', 'camera_picture', 60_000),
  blurred: degraded('blurred', 'camera_picture', 120_000),
  freeze: offline(['stalled'], 5_000),
  cut: offline(['disconnected', 'unreachable', 'failed'], 5_000),
  halfOpen: offline(['stalled'], 15_000),
  password: offline(['unauthorised'], 5_000),
  drop: degraded('slow', null, null),
  corrupt: degraded('damaged', null, null),
  // Opened anew each time; it is away for longer or less than what counts as offline.
  garbage: offline(['disconnected', 'failed', 'stalled'], null),
};
/** What was confirmed so shortly before its end is no fair test. */
const MARGIN_MS = 2_000;

/** When a run began and ended, UTC ms, and after how long its cameras show the same again. */
interface RunSpan {
  startsAt: number;
  endsAt: number;
  reelMs: number;
}

/** What the centre must know of a run, and what it may. */
export function truthsOf(views: readonly ShownView[], faults: readonly StagedCameraFault[], span: RunSpan) {
  const { startsAt, endsAt, reelMs } = span;
  const due: StagedTruth[] = [];
  const possible: StagedTruth[] = [];
  for (const { view, shown } of views)
    for (const { camera, phaseMs } of view.cameras) {
      const isSound = faults.every((f) => f.camera !== camera);
      for (const { lap, thing } of lapsOf(shown, endsAt - startsAt + phaseMs, reelMs)) {
        const truth = truthOf(thing, camera, startsAt - phaseMs);
        if (truth.standsFrom >= endsAt) continue;
        const confirmed = truth.standsFrom + truth.confirmMs + MARGIN_MS <= Math.min(truth.standsTo, endsAt);
        (confirmed && !thing.repeats && lap === 0 && isSound ? due : possible).push(truth);
      }
    }
  for (const { what, camera, fromMs, toMs } of faults) {
    const { fault, graceMs } = CAMERA_REACTIONS[what];
    if (fault === null) continue;
    const [standsFrom, standsTo] = [startsAt + fromMs, startsAt + toMs];
    if (standsFrom >= endsAt) continue;
    const truth: StagedTruth = {
      id: `${what}-${camera.id}`,
      source: 'sensor',
      class: { flag: 1, code: '0136', fault },
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

/** What is shown in so long, the same things again in each lap of the reel. What stands at its end is gone with the next beginning. */
function lapsOf(shown: readonly Shown[], playedMs: number, reelMs: number): { lap: number; thing: Shown }[] {
  const laps = Array.from({ length: Math.ceil(playedMs / reelMs) }, (_, lap) => lap);
  return laps.flatMap((lap) =>
    shown
      .filter((thing) => thing.fromMs < reelMs)
      .map((thing) => ({
        lap,
        thing: {
          ...thing,
          id: lap === 0 ? thing.id : `${thing.id}-lap${lap + 1}`,
          fromMs: lap * reelMs + thing.fromMs,
          toMs: lap * reelMs + Math.min(reelMs, thing.toMs),
        },
      })),
  );
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
