import type { DetectionClass, Light, ObjectKind, Street } from '../scene.ts';
import type { ObjectSize } from './sizes.ts';

/**
 * A street script: what happens on one street, as data. Times are ms from the script's beginning,
 * places are the street's local ENU metres.
 *
 *   StreetScript --sceneAt(t)--> objects to draw
 *                --truthOf-----> what a perfect observer would report
 */
export interface StreetScript {
  street: Street;
  light: Light;
  actors: readonly Actor[];
}

/** Sizes that are left out come from OBJECT_SIZES. */
export interface ObjectTemplate extends Partial<ObjectSize> {
  kind: ObjectKind;
  seed: number;
}

export interface Waypoint {
  atMs: number;
  xM: number;
  yM: number;
  /** Clockwise from north; between two waypoints that both have one it turns evenly, else it is the direction of travel. */
  headingDeg?: number;
}

interface ActorBase {
  id: string;
  object: ObjectTemplate;
  /** Rubbish that piles up, a puddle that fills. Complete from the beginning where not given. */
  grows?: { fromMs: number; toMs: number };
}

/** There from the first waypoint's time until the last one's. */
export interface MovingActor extends ActorBase {
  path: readonly Waypoint[];
}

/** There from `fromMs` until `toMs`, or for ever. */
export interface StayingActor extends ActorBase {
  stay: { xM: number; yM: number; headingDeg: number; fromMs: number; toMs?: number };
}

/** People are never an event class. */
export type IncidentClass = Exclude<DetectionClass, 'person'>;

/** When the thing is complete and stands; what comes before and after is arriving and leaving. */
export interface Incident {
  id: string;
  class: IncidentClass;
  standsFromMs: number;
  standsToMs: number;
}

export type IncidentActor = (MovingActor | StayingActor) & { incident: Incident };
export type Actor = MovingActor | StayingActor | IncidentActor;
