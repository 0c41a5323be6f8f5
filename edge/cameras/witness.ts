import { type Calibration, classKey, type EvidenceRef, fitGround, type Ground, type GroundPoint } from '#grid/mod.ts';
import type { Box } from '#models/mod.ts';
import type { Clock } from '#service/mod.ts';
import type { Question, Testimony } from '../events.ts';
import type { CameraEvidence } from '../evidence/mod.ts';
import { distanceM } from '../vision/mod.ts';
import type { Looked, Lookout } from './lookout.ts';

/** A camera that may be asked. */
export interface Bystander {
  camera: { id: string; lon: number; lat: number; calibration: Calibration };
  online: boolean;
}

export interface WitnessDeps {
  bystanders: () => readonly Bystander[];
  lookout: Lookout;
  /** Of the camera with that id: begins in this very turn, never throws; null when there is none to be had. */
  photograph: (camera: string, ...picture: Parameters<CameraEvidence['view']>) => Promise<EvidenceRef | null>;
  clock: Clock;
}

/** Looks that long, and at so many pictures at least; one that shows nothing by the second time has no view. */
const WATCH_MS = 3000;
const WATCH_MS_MAX = 8000;
const PICTURES_MIN = 3;
/** Seen in so many pictures it is there; one may be a mistake. */
const HITS_MIN = 2;
/** Farther from its foot a camera is not asked: a detector of this size finds nothing there. */
const VIEW_M_MAX = 40;
/** The thing may be off by both errors, within this. */
const REACH_M_MIN = 3;
const REACH_M_MAX = 8;
/** A place is looked at with so much around it. */
const AROUND_M = 2;
const ASKED_MAX = 16;

/** What a detector calls what an alarm is about; alarms that are not here have nothing to be seen by it. */
const SHOWN_AS: Readonly<Record<string, string>> = {
  cover_open: 'open_manhole',
  cover_overflow: 'ponding',
  '2:0406': 'ponding',
};

interface View {
  id: string;
  ground: Ground;
  point: GroundPoint;
  farM: number;
  online: boolean;
}

interface Seen {
  pictures: number;
  hits: number;
  best: { score: number; offM: number; class: string } | null;
}

/**
 * Asks the nearest camera that has a place in view what it sees there:
 *
 *   question --nearest camera--> its next pictures, 3 s --> agrees | disagrees | no-opinion | no-view, and a masked picture
 *
 * It answers in any case, and never throws.
 */
export class Witness {
  readonly #deps: WitnessDeps;
  #asked = 0;

  constructor(deps: WitnessDeps) {
    this.#deps = deps;
  }

  async ask(question: Question): Promise<Testimony> {
    const view = this.#viewOf(question);
    const at = this.#deps.clock.now();
    if (view === null) return { second: { verdict: 'no-camera', at }, evidence: [] };
    if (this.#asked >= ASKED_MAX) return { second: { verdict: 'no-view', camera: view.id, at }, evidence: [] };
    this.#asked++;
    try {
      return await this.#watch(question, view);
    } finally {
      this.#asked--;
    }
  }

  /** Of those that have the place in view one that shows something, then the nearest. */
  #viewOf({ place }: Question): View | null {
    const views = this.#deps.bystanders().flatMap(({ camera, online }): View[] => {
      const fit = fitGround(camera);
      if (!fit.ok) return [];
      const point = fit.ground.toPoint(place);
      const farM = Math.hypot(...point);
      const [x, y] = fit.ground.pixelOf(point) ?? [-1, -1];
      const inView = x >= 0 && x <= 1 && y >= 0 && y <= 1 && farM <= VIEW_M_MAX;
      return inView ? [{ id: camera.id, ground: fit.ground, point, farM, online }] : [];
    });
    views.sort((a, b) => Number(b.online) - Number(a.online) || a.farM - b.farM);
    return views[0] ?? null;
  }

  #watch(question: Question, view: View): Promise<Testimony> {
    const { lookout, photograph, clock } = this.#deps;
    const wanted = SHOWN_AS[classKey(question.class)] ?? SHOWN_AS[question.class.fault ?? ''] ?? null;
    const seen: Seen = { pictures: 0, hits: 0, best: null };
    const sinceMs = clock.monotonic();
    return new Promise((resolve) => {
      const end = (looked: Looked | null, box: Box | null): void => {
        clearTimeout(late);
        unwatch();
        const verdict = looked === null ? 'no-view' : verdictOf(seen, wanted, looked);
        const found = seen.best === null || verdict !== 'agrees' ? {} : { detected: seen.best };
        const second: Testimony['second'] = { verdict, camera: view.id, at: looked?.at ?? clock.now(), ...found };
        const shown = { box: box ?? around(view), score: seen.best?.score ?? 0 };
        const picture = looked === null ? null : photograph(view.id, looked, shown, question, question.event);
        void Promise.resolve(picture).then((ref) => resolve({ second, evidence: ref === null ? [] : [ref] }));
      };
      const late = setTimeout(() => end(null, null), WATCH_MS_MAX);
      // A node that stops does not wait for an answer.
      late.unref();
      const unwatch = lookout.watch(view.id, (looked) => {
        seen.pictures++;
        const hit = wanted === null ? null : nearest(looked, wanted, view, question);
        if (hit !== null) {
          seen.hits++;
          if (seen.best === null || hit.score > seen.best.score)
            seen.best = { score: hit.score, offM: hit.offM, class: hit.class };
        }
        const long = clock.monotonic() - sinceMs >= WATCH_MS && seen.pictures >= PICTURES_MIN;
        if (long || seen.hits >= HITS_MIN) end(looked, hit?.box ?? null);
      });
    });
  }
}

/** A model that may not speak for the camera shows its picture, and says nothing. */
function verdictOf({ hits }: Seen, wanted: string | null, { trusted }: Looked): Testimony['second']['verdict'] {
  if (wanted === null || !trusted(wanted)) return 'no-opinion';
  return hits >= HITS_MIN ? 'agrees' : 'disagrees';
}

function nearest({ tracks }: Looked, wanted: string, { point }: View, { place }: Question) {
  const near = tracks.flatMap((t) => {
    if (t.class !== wanted || t.point === null) return [];
    const offM = distanceM(t.point, point);
    const reachM = Math.max(REACH_M_MIN, Math.min(REACH_M_MAX, place.errorRadiusM + t.errorRadiusM));
    return offM <= reachM ? [{ class: t.class, score: t.score, box: t.box, offM: Math.round(offM * 10) / 10 }] : [];
  });
  return near.sort((a, b) => a.offM - b.offM)[0] ?? null;
}

/** The place with what is around it, as high as it is deep. */
function around({ ground, point: [east, north] }: View): Box {
  const corners = [-AROUND_M, AROUND_M].flatMap((e) =>
    [-AROUND_M, AROUND_M].flatMap((n) => {
      const pixel = ground.pixelOf([east + e, north + n]);
      return pixel === null ? [] : [pixel];
    }),
  );
  const clip = (v: number): number => Math.min(1, Math.max(0, v));
  const [xs, ys] = [corners.map(([x]) => x), corners.map(([, y]) => y)];
  const [top, bottom] = [Math.min(...ys), Math.max(...ys)];
  return [clip(Math.min(...xs)), clip(top - (bottom - top)), clip(Math.max(...xs)), clip(bottom)];
}
