import { applyZoneProfile, type EventClass, type Profile } from '#grid/mod.ts';
import {
  type Actor,
  arrivalMs,
  customer,
  DETECTION_CLASSES,
  decoys,
  type IncidentClass,
  type IncidentPlan,
  passingCar,
  type StayingActor,
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
import type { CameraIncident, CityCamera, CityCover } from '../types.ts';
import { apartM, overlaps, type StreetView, streetView } from '../view.ts';
import { CAMERA_TERMS, cameraRule } from '../zones.ts';

const CLASSES = DETECTION_CLASSES.filter((c): c is IncidentClass => c !== 'person');
/** The first thing begins to come; cameras follow each other by the second number, incidents of one camera by the third. */
const FIRST_MS = 8_000;
const CAMERA_STEP_MS = 2_500;
const EVERY_MS = 14_000;
const JITTER_MS = 800;
/** Beyond the dwell time. */
const STANDS_ON_MS = [9_000, 15_000] as const;
/** A car takes so long to leave the picture. */
const LEAVES_MS = 3_000;
/** Things that stand at the same time: so far apart, or where there is no room for that, so far. */
const APART_M = 12;
const APART_M_MIN = 8;
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

interface Found extends Spot {
  /** Of an open shaft. */
  cover: CityCover | null;
}

interface Standing extends Spot {
  fromMs: number;
  toMs: number;
}

/** The room that a thing needs: from when to when, and metres from others. */
interface Room {
  fromMs: number;
  toMs: number;
  apart: number;
}

const CHOICES: readonly (readonly [repeats: boolean, apart: number])[] = [
  [false, APART_M],
  [false, APART_M_MIN],
  [true, APART_M_MIN],
];

/** What is added to a camera's street: things to draw, and the truth about them. */
export interface CameraRound {
  actors: Actor[];
  incidents: CameraIncident[];
}

export interface DirectorTerms {
  /** Counts the cameras of the city: they do not all begin at once. */
  number: number;
  seed: number;
  /** That of the edges: it says how long a thing must stand. */
  profile: Profile;
  /** What is staged, and from one to the next; all of it, every 14 s where not given. */
  classes?: readonly IncidentClass[] | undefined;
  everyMs?: number | undefined;
  /** The first thing begins to come. */
  firstMs?: number | undefined;
  /** So long vendors unpack; their stalls come unpacked where not given. */
  unpacksMs?: number | undefined;
  /** Things that come of other reasons: kept clear of. */
  reserved?: readonly Spot[] | undefined;
}

/**
 * What happens before one camera, in order and without end: incidents of all five classes, each at a spot of its own, well
 * in view and not hidden by another, with people and cars that pass.
 */
export class CameraDirector {
  readonly camera: CityCamera;
  readonly #profile: Profile;
  readonly #view: StreetView;
  readonly #dice: Dice;
  readonly #walkerDice: Dice;
  readonly #carDice: Dice;
  readonly #firstMs: number;
  readonly #everyMs: number;
  readonly #unpacksMs: number;
  readonly #stretch: Stretch;
  readonly #fixed: readonly StayingActor[];
  /** The covers in their shafts, by component. */
  readonly #closed = new Map<string, StayingActor>();
  readonly #decoys: Spot[];
  /** What stands, or has just left. */
  #standing: Standing[] = [];
  /** Where something of a class has stood. */
  readonly #stood: { detects: IncidentClass; place: StreetPlace }[] = [];
  #slot = 0;
  readonly #next = { walkerMs: 0, walker: 1, carMs: 0, car: 1 };
  readonly #classes: IncidentClass[];

  constructor(camera: CityCamera, terms: DirectorTerms) {
    const { number, seed, profile, classes = CLASSES, everyMs = EVERY_MS, unpacksMs = 0, reserved = [] } = terms;
    const { firstMs = FIRST_MS + number * CAMERA_STEP_MS } = terms;
    this.camera = camera;
    this.#everyMs = everyMs;
    this.#unpacksMs = unpacksMs;
    this.#profile = profile;
    this.#dice = diceOf(seed, number, 82);
    // Each has its own: what one does must not depend on how far the others were asked for.
    this.#walkerDice = diceOf(seed, number, 83);
    this.#carDice = diceOf(seed, number, 84);
    this.#view = streetView(camera.street, camera.pose);
    this.#firstMs = firstMs;
    this.#stretch = camera.looks === 1 ? STRETCH_M : [-STRETCH_M[1], -STRETCH_M[0]];
    // Cameras begin with different classes: four incidents on each of four cameras show every class about three times.
    this.#classes = classes.map((_, i) => classes[(i + 4 * number) % classes.length] as IncidentClass);
    const { street } = camera;
    const taken = [...camera.covers, ...reserved].map((c) => c.place);
    const standing = decoys(street, this.#dice.whole(1, 1e9), DECOYS, this.#stretch, taken);
    this.#decoys = standing.flatMap((d) => {
      const place = toStreetPlace(street, d.stay.xM, d.stay.yM);
      const rect = this.#view.rectOf(d.object.kind, place);
      return rect === null ? [] : [{ place, rect }];
    });
    this.#decoys.push(...reserved);
    for (const cover of camera.covers) this.#closed.set(cover.code, this.#closedCover(cover, 0));
    this.#next.carMs = this.#carDice.between(0, 60_000 / CARS_PER_MINUTE);
    this.#fixed = [...standing, ...this.#closed.values()];
  }

  /** There from the beginning: harmless things, and covers that lie where they should. */
  get fixed(): readonly Actor[] {
    return this.#fixed;
  }

  /** The next things up to `untilMs`; incidents only those that are complete before `standsBeforeMs`. */
  advance(untilMs: number, standsBeforeMs: number): CameraRound {
    const round: CameraRound = { actors: [], incidents: [] };
    for (;;) {
      const fromMs = this.#firstMs + this.#slot * this.#everyMs;
      if (fromMs + Math.max(0, ...this.#classes.map((c) => this.#arrivalMs(c))) + JITTER_MS > standsBeforeMs || fromMs > untilMs)
        break;
      this.#stage(Math.round(fromMs + this.#dice.between(0, JITTER_MS)), round);
      this.#slot++;
    }
    this.#passBy(untilMs, round);
    return round;
  }

  /** The class whose turn it is, or the next one that finds room; where everything has stood everywhere, something comes again. */
  #stage(fromMs: number, round: CameraRound): void {
    const standsOnMs = this.#dice.between(...STANDS_ON_MS);
    for (const [repeats, apart] of CHOICES)
      for (const detects of this.#classes) {
        const standsMs = Math.round(this.#dwellMs(detects) + standsOnMs);
        const toMs = fromMs + this.#arrivalMs(detects) + standsMs + LEAVES_MS;
        const found = this.#find(detects, repeats, { fromMs, toMs, apart });
        if (found === null) continue;
        this.#standing = this.#standing.filter((s) => s.toMs > fromMs);
        this.#standing.push({ ...found, fromMs, toMs });
        this.#classes.splice(this.#classes.indexOf(detects), 1);
        this.#classes.push(detects);
        if (!repeats) this.#stood.push({ detects, place: found.place });
        this.#bring(detects, found, { fromMs, standsMs, repeats }, round);
        return;
      }
  }

  #bring(
    detects: IncidentClass,
    { place, cover }: Found,
    { fromMs, standsMs, repeats }: { fromMs: number; standsMs: number; repeats: boolean },
    round: CameraRound,
  ): void {
    const { id: camera, street } = this.camera;
    const id = `${camera}-${this.#slot + 1}`;
    const unpacks = this.#unpacksMs > 0 ? { unpacksMs: this.#unpacksMs } : {};
    const plan: IncidentPlan = { id, class: detects, place, fromMs, standsMs, ...unpacks, seed: this.#dice.whole(1, 1e9) };
    const actor = stageIncident(street, plan);
    round.actors.push(actor);
    if (cover !== null) round.actors.push(this.#openCover(cover, fromMs, actor.incident.standsToMs));
    if (detects === 'stall') round.actors.push(customer(street, `customer-${id}`, this.#dice, plan));
    round.incidents.push(this.#incident(plan, actor.incident.standsFromMs, repeats, cover));
  }

  /** Takes the cover off its shaft; returns it as it lies there again later. */
  #openCover(cover: CityCover, fromMs: number, toMs: number): StayingActor {
    const closed = this.#closed.get(cover.code);
    if (closed !== undefined) closed.stay.toMs = fromMs;
    const again = this.#closedCover(cover, toMs);
    this.#closed.set(cover.code, again);
    return again;
  }

  #closedCover({ code, place }: CityCover, fromMs: number): StayingActor {
    const { street } = this.camera;
    const object = { kind: 'closed_manhole' as const, seed: Number(code.slice(10)) };
    return {
      id: `cover-${code}-${fromMs}`,
      object,
      stay: { ...toEnu(street, place), headingDeg: street.roadHeadingDeg, fromMs },
    };
  }

  #incident(plan: IncidentPlan, standsFromMs: number, repeats: boolean, cover: CityCover | null): CameraIncident {
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
      place: plan.place,
      lon,
      lat,
      standsFromMs,
      standsToMs: standsFromMs + plan.standsMs,
      dwellMs: this.#dwellMs(plan.class),
      repeats,
    };
  }

  /** A spot that is free, and where nothing of the class has stood before unless it may come again. */
  #find(detects: IncidentClass, again: boolean, room: Room): Found | null {
    const beside = this.#standing.filter((s) => s.fromMs < room.toMs && room.fromMs < s.toMs);
    const taken = again ? [] : this.#stood.filter((s) => s.detects === detects);
    const free = (place: StreetPlace) =>
      beside.every((s) => apartM(s.place, place) >= room.apart) &&
      this.#decoys.every((d) => apartM(d.place, place) >= CLEAR_OF_DECOYS_M);
    const accept = (place: StreetPlace) => taken.every((s) => apartM(s.place, place) >= SAME_CLASS_APART_M) && free(place);
    const clear = ({ rect }: Spot) =>
      beside.every((s) => !overlaps(s.rect, rect, GAP_PX)) && this.#decoys.every((d) => !overlaps(d.rect, rect, 0));
    if (detects === 'open_manhole') {
      // Shafts are open where a cover is registered, and nowhere else; these are far enough apart.
      for (const cover of this.camera.covers) {
        if (taken.some((s) => s.place === cover.place) || !free(cover.place)) continue;
        const spot = spotAt(this.#view, detects, cover.place);
        if (spot !== null && clear(spot)) return { ...spot, cover };
      }
      return null;
    }
    for (let throws = 0; throws < THROWS_MAX; throws++) {
      const spot = throwSpot(this.#view, this.camera, detects, this.#dice, accept);
      if (spot !== null && clear(spot)) return { ...spot, cover: null };
    }
    return null;
  }

  #arrivalMs(detects: IncidentClass): number {
    return arrivalMs({ class: detects, unpacksMs: this.#unpacksMs });
  }

  #dwellMs(detects: IncidentClass): number {
    return (applyZoneProfile([cameraRule(detects, 0)], this.#profile)[0]?.dwellS ?? 0) * 1000;
  }

  /** People and cars that do not stop: exponential gaps around the mean rate. */
  #passBy(untilMs: number, { actors }: CameraRound): void {
    const { street } = this.camera;
    const next = this.#next;
    const gapMs = (dice: Dice, perMinute: number) => (-Math.log(1 - dice.next()) * 60_000) / perMinute;
    for (; next.walkerMs < untilMs; next.walkerMs += gapMs(this.#walkerDice, WALKERS_PER_MINUTE))
      actors.push(walker(street, `walker-${next.walker++}`, this.#walkerDice, this.#stretch, next.walkerMs));
    for (; next.carMs < untilMs; next.carMs += gapMs(this.#carDice, CARS_PER_MINUTE))
      actors.push(passingCar(street, `car-${next.car++}`, this.#carDice, this.#stretch, next.carMs));
  }
}

function classOf(detects: IncidentClass, cover: CityCover | null): EventClass {
  const { raises } = CAMERA_TERMS[detects];
  if ('event' in raises) return { flag: 2, code: raises.event };
  return { flag: 1, code: cover?.code.slice(6, 10) ?? '0114', fault: raises.fault };
}
