import { applyZoneProfile, type EventClass } from '#grid/mod.ts';
import {
  type Actor,
  ARRIVAL_MS,
  customer,
  DETECTION_CLASSES,
  decoys,
  type IncidentClass,
  type IncidentPlan,
  passingCar,
  type StreetPlace,
  type Stretch,
  stageIncident,
  toEnu,
  toStreetPlace,
  toWgs84,
  walker,
} from '../../cameras/mod.ts';
import { type Dice, diceOf } from '../../cameras/street/mod.ts';
import { type Spot, spotAt, throwSpot } from '../spots.ts';
import type { CameraIncident, DemoCamera, DemoCover } from '../types.ts';
import { apartM, overlaps, type StreetView, streetView } from '../view.ts';
import { CAMERA_TERMS, cameraRule } from '../zones.ts';

const CLASSES = DETECTION_CLASSES.filter((c): c is IncidentClass => c !== 'person');
/** The first thing begins to come; cameras follow each other by the second number, incidents of one camera by the third. */
const FIRST_MS = 8_000;
const CAMERA_STEP_MS = 2_500;
const EVERY_MS = 14_000;
const JITTER_MS = 800;
const STANDS_MS = [14_000, 20_000] as const;
/** A car takes so long to leave the picture. */
const LEAVES_MS = 3_000;
/** Things that stand at the same time. */
const APART_M = 12;
const GAP_PX = 6;
/** Two of one class at different times: nearer than this the second counts as the first again. */
const SAME_CLASS_APART_M = 6;
const DECOYS = 4;
const CLEAR_OF_DECOYS_M = 3;
const THROWS_MAX = 400;
const WALKERS_PER_MINUTE = 5;
const CARS_PER_MINUTE = 4;
/** What is in view and a little beyond, metres ahead of the pole. */
const STRETCH_M = [-4, 34] as const;

interface Standing extends Spot {
  fromMs: number;
  toMs: number;
}

/** What is added to a camera's street: things to draw, and the truth about them. */
export interface CameraRound {
  actors: Actor[];
  incidents: CameraIncident[];
}

/**
 * What happens before one camera, in order and without end: incidents of all five classes, each at a spot of its own, well
 * in view and not hidden by another, with people and cars that pass. `number` counts the cameras of the city.
 */
export class CameraDirector {
  readonly camera: DemoCamera;
  readonly #view: StreetView;
  readonly #dice: Dice;
  readonly #firstMs: number;
  readonly #stretch: Stretch;
  readonly #fixed: Actor[];
  readonly #decoyRects: Spot[];
  /** What stands, or has just left. */
  #standing: Standing[] = [];
  /** Where something of a class has stood. */
  readonly #stood: { detects: IncidentClass; place: StreetPlace }[] = [];
  /** Covers that were never open yet; a cover is taken once before any is taken again. */
  #covers: DemoCover[];
  #slot = 0;
  #bystanders = { walkerMs: 0, carMs: 0, count: 0 };
  readonly #classes: IncidentClass[];

  constructor(camera: DemoCamera, number: number, seed: number) {
    this.camera = camera;
    this.#dice = diceOf(seed, number, 82);
    this.#view = streetView(camera.street, camera.pose);
    this.#firstMs = FIRST_MS + number * CAMERA_STEP_MS;
    this.#stretch = camera.looks === 1 ? STRETCH_M : [-STRETCH_M[1], -STRETCH_M[0]];
    // Cameras begin with different classes: four incidents on each of four cameras show every class at least three times.
    this.#classes = CLASSES.map((_, i) => CLASSES[(i + 4 * number) % CLASSES.length] as IncidentClass);
    this.#covers = [...camera.covers];
    const { street } = camera;
    const taken = camera.covers.map((c) => c.place);
    const standing = decoys(street, this.#dice.whole(1, 1e9), DECOYS, this.#stretch, taken);
    this.#decoyRects = standing.flatMap((d) => {
      const place = toStreetPlace(street, d.stay.xM, d.stay.yM);
      const rect = this.#view.rectOf(d.object.kind, place);
      return rect === null ? [] : [{ place, rect }];
    });
    this.#fixed = standing;
  }

  /** There from the beginning to the end. */
  get decoys(): readonly Actor[] {
    return this.#fixed;
  }

  /** The next things up to `untilMs`; incidents only those that are complete before `standsBeforeMs`. */
  advance(untilMs: number, standsBeforeMs: number): CameraRound {
    const round: CameraRound = { actors: [], incidents: [] };
    for (;;) {
      const fromMs = this.#firstMs + this.#slot * EVERY_MS;
      if (fromMs + Math.max(...Object.values(ARRIVAL_MS)) + JITTER_MS > standsBeforeMs || fromMs > untilMs) break;
      this.#stage(Math.round(fromMs + this.#dice.between(0, JITTER_MS)), round);
      this.#slot++;
    }
    this.#passBy(untilMs, round);
    return round;
  }

  #stage(fromMs: number, round: CameraRound): void {
    const standsMs = Math.round(this.#dice.between(...STANDS_MS));
    // A class that finds no room lets the next one go first.
    for (const detects of this.#classes) {
      const toMs = fromMs + ARRIVAL_MS[detects] + standsMs;
      const found = detects === 'open_manhole' ? this.#cover(fromMs, toMs) : this.#spot(detects, fromMs, toMs);
      if (found === null) continue;
      this.#classes.splice(this.#classes.indexOf(detects), 1);
      this.#classes.push(detects);
      const { place, rect, repeats, cover } = found;
      if (!repeats) this.#stood.push({ detects, place });
      this.#standing = this.#standing.filter((s) => s.toMs > fromMs);
      this.#standing.push({ place, rect, fromMs, toMs: toMs + LEAVES_MS });
      const id = `${this.camera.id}-${this.#slot + 1}`;
      const plan: IncidentPlan = { id, class: detects, place, fromMs, standsMs, seed: this.#dice.whole(1, 1e9) };
      const actor = stageIncident(this.camera.street, plan);
      round.actors.push(actor);
      if (detects === 'stall') round.actors.push(customer(this.camera.street, `customer-${id}`, this.#dice, plan));
      round.incidents.push(this.#incident(plan, actor.incident.standsFromMs, repeats, cover));
      return;
    }
  }

  #incident(plan: IncidentPlan, standsFromMs: number, repeats: boolean, cover: DemoCover | null): CameraIncident {
    const { street, id: camera, edgeId } = this.camera;
    const { xM, yM } = toEnu(street, plan.place);
    const [lon, lat] = toWgs84(xM, yM, street.originLon, street.originLat);
    return {
      id: plan.id,
      edgeId,
      camera,
      detects: plan.class,
      class: classOf(plan.class, cover),
      severity: CAMERA_TERMS[plan.class].severity,
      ...(cover === null ? {} : { component: cover.code }),
      lon,
      lat,
      standsFromMs,
      standsToMs: standsFromMs + plan.standsMs,
      dwellMs: dwellMs(plan.class),
      repeats,
    };
  }

  /** A registered cover that is closed, and in nobody's way. */
  #cover(fromMs: number, toMs: number) {
    const repeats = this.#covers.length === 0;
    const choice = repeats ? this.camera.covers : this.#covers;
    for (const cover of choice) {
      const spot = spotAt(this.#view, 'open_manhole', cover.place);
      if (spot === null || !this.#free(spot, fromMs, toMs)) continue;
      this.#covers = this.#covers.filter((c) => c !== cover);
      return { ...spot, repeats, cover };
    }
    return null;
  }

  /** A spot where nothing of the class stood before; when there is none left, any that is free now. */
  #spot(detects: IncidentClass, fromMs: number, toMs: number) {
    let again: Spot | null = null;
    for (let throws = 0; throws < THROWS_MAX; throws++) {
      const spot = throwSpot(this.#view, this.camera.street, this.camera.looks, detects, this.#dice);
      if (spot === null || !this.#free(spot, fromMs, toMs)) continue;
      const fresh = this.#stood.every((s) => s.detects !== detects || apartM(s.place, spot.place) >= SAME_CLASS_APART_M);
      if (fresh) return { ...spot, repeats: false, cover: null };
      again ??= spot;
    }
    return again === null ? null : { ...again, repeats: true, cover: null };
  }

  #free({ place, rect }: Spot, fromMs: number, toMs: number): boolean {
    if (this.#decoyRects.some((d) => overlaps(d.rect, rect, 0) || apartM(d.place, place) < CLEAR_OF_DECOYS_M)) return false;
    const beside = this.#standing.filter((s) => s.fromMs < toMs + LEAVES_MS && fromMs < s.toMs);
    return beside.every((s) => apartM(s.place, place) >= APART_M && !overlaps(s.rect, rect, GAP_PX));
  }

  /** People and cars that do not stop: exponential gaps around the mean rate. */
  #passBy(untilMs: number, { actors }: CameraRound): void {
    const { street } = this.camera;
    const b = this.#bystanders;
    const gapMs = (perMinute: number) => (-Math.log(1 - this.#dice.next()) * 60_000) / perMinute;
    while (b.walkerMs < untilMs) {
      b.walkerMs += gapMs(WALKERS_PER_MINUTE);
      actors.push(walker(street, `walker-${++b.count}`, this.#dice, this.#stretch, b.walkerMs));
    }
    while (b.carMs < untilMs) {
      b.carMs += gapMs(CARS_PER_MINUTE);
      actors.push(passingCar(street, `car-${++b.count}`, this.#dice, this.#stretch, b.carMs));
    }
  }
}

function classOf(detects: IncidentClass, cover: DemoCover | null): EventClass {
  const { raises } = CAMERA_TERMS[detects];
  if ('event' in raises) return { flag: 2, code: raises.event };
  return { flag: 1, code: cover?.code.slice(6, 10) ?? '0114', fault: raises.fault };
}

function dwellMs(detects: IncidentClass): number {
  return (applyZoneProfile([cameraRule(detects, 0)], 'demo')[0]?.dwellS ?? 0) * 1000;
}
