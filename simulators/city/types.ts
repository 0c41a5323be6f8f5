import type { EventClass, Severity, SiteCell, SiteComponent, SiteDevice, SiteGroup } from '#grid/mod.ts';
import type { CameraPose, IncidentClass, Light, Street, StreetPlace } from '../cameras/mod.ts';
import type { CityLayout } from './cells.ts';

/** A city as plain data: the same options give the same one, byte for byte. */
export interface City {
  seed: number;
  division: string;
  ground: CityGround;
  cells: SiteCell[];
  components: SiteComponent[];
  edges: CityEdge[];
}

/** What a run needs of a city: nothing of where it was laid out. */
export type PlayedCity = Omit<City, 'ground' | 'components'>;

/** Where the lattice of its cells lies, and how it is divided. */
export interface CityGround {
  /** South-west corner, WGS-84. */
  originLon: number;
  originLat: number;
  /** Its rows are turned clockwise from west-east. */
  turnDeg: number;
  layout: CityLayout;
}

/** A community (社区), by the first twelve digits of its cells' codes. Its shafts drain into one basin. */
export interface Community {
  code: string;
  cells: string[];
}

/** What one edge node is in charge of: whole communities. */
export interface CityEdge {
  id: string;
  communities: Community[];
  cells: SiteCell[];
  components: SiteComponent[];
  devices: SiteDevice[];
  cameras: CityCamera[];
  /** Lamp circuits and pressure zones; empty in the small city. */
  groups: SiteGroup[];
}

export interface CityCamera {
  id: string;
  edgeId: string;
  /** Its own component, class 0136. */
  component: string;
  pose: CameraPose;
  /** Origin on the road's centre line beside the camera's pole. */
  street: Street;
  light: Light;
  /** Looks along the road's heading (1) or against it (-1). */
  looks: 1 | -1;
  /** The pavement on the right is a place where a night market may be held, on the days of its calendar. */
  market?: true;
  /** Registered covers without a sensor, in view: only on these are shafts left open. */
  covers: CityCover[];
}

export interface CityCover extends SiteComponent {
  place: StreetPlace;
}

/** A sensor says something wrong from `fromMs` until `toMs` of the script. */
export interface SensorIncident {
  id: string;
  edgeId: string;
  device: string;
  kind: string;
  /** Laid over the device's normal sample. */
  fields: Readonly<Record<string, number | boolean>>;
  /** The rule that must raise it, and as what. */
  rule: string;
  class: EventClass;
  severity: Severity;
  component: string;
  lon: number;
  lat: number;
  fromMs: number;
  toMs: number;
  /** The rule in force confirms for so long, and by so many samples. */
  confirmForMs: number;
  confirmSamples: number;
  /** As planned: both of them, at the devices' interval. */
  confirmMs: number;
  /** The device has said the same before: see `CameraIncident.repeats`. */
  repeats: boolean;
}

/** A thing that stands before a camera where it may not, complete from `standsFromMs` until `standsToMs` of the script. */
export interface CameraIncident {
  id: string;
  edgeId: string;
  camera: string;
  detects: IncidentClass;
  class: EventClass;
  severity: Severity;
  /** Of an open cover. */
  component?: string;
  /** On its street. */
  place: StreetPlace;
  lon: number;
  lat: number;
  standsFromMs: number;
  standsToMs: number;
  /** Dwell time of the rule in force. */
  dwellMs: number;
  /**
   * The camera has shown the same class here before, and the city may still work on that case: rightly no new case comes
   * of it, so it counts for nothing.
   */
  repeats: boolean;
}
