import type { SiteCamera } from '#grid/mod.ts';
import { type Box, type Detection, letterboxOf, type ModelManifest, PERSON_CLASS, toPictureBox } from '#models/mod.ts';
import type { Ground } from './ground.ts';
import type { Decision, Moment } from './incident.ts';
import { contactPixel, place } from './placement.ts';
import { oneOfEachThing } from './same_thing.ts';
import { type Observed, type Track, Tracker } from './tracker.ts';
import type { ZoneWatch } from './watch.ts';
import { standsIn } from './zone_rules.ts';

export interface CameraViewDeps {
  camera: Pick<SiteCamera, 'zones' | 'exclude'>;
  model: Pick<ModelManifest, 'input' | 'thresholds'>;
  ground: Ground;
  watch: ZoneWatch;
  /** Of track ids; unique within one run of the edge. */
  prefix: string;
  /** Between two pictures. */
  frameMs: number;
}

/** What one picture showed; boxes in fractions of it. */
export interface Sight {
  /** For the mask only: people are not tracked, stored or sent. */
  people: readonly Box[];
  tracks: readonly Track[];
  decisions: readonly Decision[];
}

/**
 * What a camera makes of its pictures, one after the other:
 *
 *   detections --> place on the ground --> one of each thing --> Tracker --> ZoneWatch --> decisions
 */
export class CameraView {
  readonly #deps: CameraViewDeps;
  readonly #tracker: Tracker;
  /** By class, the lowest score that a zone's rule of this camera accepts: from there on a detection may begin a track. */
  readonly #acceptedFrom = new Map<string, number>();

  constructor(deps: CameraViewDeps) {
    this.#deps = deps;
    this.#tracker = new Tracker(deps);
    for (const { detects, confidenceMin } of deps.camera.zones.flatMap((zone) => zone.rules))
      this.#acceptedFrom.set(detects, Math.min(confidenceMin, this.#acceptedFrom.get(detects) ?? 1));
  }

  /** `picture` is the full one's size; detections are in the model's input pixels. */
  look(picture: { widthPx: number; heightPx: number }, detections: readonly Detection[], now: Moment): Sight {
    const letterbox = letterboxOf(picture, this.#deps.model.input);
    const pixel = [1 / letterbox.widthPx, 1 / letterbox.heightPx] as const;
    const inPicture = detections.map((d) => ({ ...d, box: toPictureBox(d.box, letterbox) }));
    const people = inPicture.filter((d) => d.class === PERSON_CLASS).map((d) => d.box);
    const things = inPicture.filter((d) => d.class !== PERSON_CLASS);
    const observed = things.map((d) => this.#observe(d, pixel)).filter((o) => this.#counts(o));
    const tracks = this.#tracker.update(oneOfEachThing(observed), now.ms);
    return { people, tracks, decisions: this.#deps.watch.step(tracks, now, observed) };
  }

  #counts({ foot }: Observed): boolean {
    const { exclude = [] } = this.#deps.camera;
    return !exclude.some((polygon) => standsIn(polygon, foot));
  }

  #observe(d: Detection, pixel: readonly [number, number]): Observed {
    const { ground, model } = this.#deps;
    const placed = place(ground, d.class, d.box, pixel);
    const strong = d.score >= Math.min(model.thresholds[d.class] ?? 1, this.#acceptedFrom.get(d.class) ?? 1);
    const nowhere = { point: null, errorRadiusM: 0, foot: contactPixel(d.class, d.box) };
    return { ...d, strong, ...(placed ?? nowhere) };
  }
}
