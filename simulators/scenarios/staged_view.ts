import type { Actor, IncidentClass, Light, PictureFault, RtspFaultKind, StreetPlace } from '../cameras/mod.ts';
import type { CityCamera } from '../city/mod.ts';

/** A view that several cameras share: what happens on it, and who shows it. */
export interface StagedView {
  /** It is drawn for this one. */
  lead: CityCamera;
  actors: Actor[];
  /** Of the run, ms. */
  lightAt(atMs: number): Light;
  cameras: { camera: CityCamera; phaseMs: number }[];
}

/** A camera that is wrong in one way from `fromMs` until `toMs` of the run. */
export interface StagedCameraFault {
  what: PictureFault | RtspFaultKind;
  camera: CityCamera;
  fromMs: number;
  toMs: number;
  /** As the scenario says, of `drop` and `corrupt`. */
  probability?: number;
}

/** Something that stands on a view, ms of its script. */
export interface Shown {
  id: string;
  detects: IncidentClass;
  place: StreetPlace;
  /** Number of the cover, of an open one. */
  cover: number | null;
  fromMs: number;
  toMs: number;
  /** From `fromMs` on: it is complete and has stood for its dwell time. */
  confirmMs: number;
  /** Of its class where one has been before: it may be told anew, or be silenced by the case that is open. */
  repeats: boolean;
}

export interface ShownView {
  view: StagedView;
  shown: Shown[];
}
