/**
 * The vocabulary of the drawn street: what stands where at one moment, seen by which camera.
 * The renderer turns a scene into a picture and its truth; scenarios turn a script into scenes.
 *
 *   script --at(t)--> Scene --render(pose)--> Picture { rgb, truth }
 *
 * World coordinates are local ENU metres (x east, y north, z up) around the street's origin.
 */

/** What the detector is taught to name. Order is the model's class order: never reorder, only append. */
export const DETECTION_CLASSES = ['stall', 'garbage', 'ponding', 'open_manhole', 'vehicle', 'person'] as const;
export type DetectionClass = (typeof DETECTION_CLASSES)[number];

/** Things that look a little like the above and are nothing: hard negatives, drawn but never in the truth. */
export const DECOY_KINDS = ['closed_manhole', 'bin', 'wet_patch', 'bollard', 'planter', 'bench', 'parasol', 'terrace'] as const;
export type DecoyKind = (typeof DECOY_KINDS)[number];

export type ObjectKind = DetectionClass | DecoyKind;

export interface SceneObject {
  /** Identity that lasts while the thing is there; truth carries it. */
  id: string;
  kind: ObjectKind;
  /** Centre of the footprint on the ground, metres. */
  xM: number;
  yM: number;
  /** Clockwise from north, degrees: the direction the thing's length points to. */
  headingDeg: number;
  lengthM: number;
  widthM: number;
  heightM: number;
  /** Chooses colours and details, so that the same thing looks the same in every frame. */
  seed: number;
  /** 0..1: rubbish that grows, a puddle that fills; 1 is complete. */
  grown: number;
  /** A vehicle's: its lamps burn when it is dark. */
  lamps?: boolean;
}

export interface CameraPose {
  lon: number;
  lat: number;
  /** Of the lens above the ground, metres. */
  heightM: number;
  /** Clockwise from north, degrees. */
  headingDeg: number;
  /** Below the horizon, degrees (positive looks down). */
  pitchDeg: number;
  hfovDeg: number;
  widthPx: number;
  heightPx: number;
}

/** Looks beside the usual one: streets that a model was not trained on, with the same things in them. */
export const STREET_STYLES = ['other-city'] as const;
export type StreetStyle = (typeof STREET_STYLES)[number];

/** The fixed part of what a camera sees: drawn once, from a seed. */
export interface Street {
  seed: number;
  /** The usual one where not given. */
  style?: StreetStyle;
  /** WGS-84 of x = y = 0. */
  originLon: number;
  originLat: number;
  /** Clockwise from north: the direction the road runs. */
  roadHeadingDeg: number;
  roadWidthM: number;
  pavementWidthM: number;
  /** Lateral offset of the road's centre line from the origin, metres (positive to the right of the heading). */
  roadOffsetM: number;
}

/** Light and weather. */
export interface Light {
  /** 0 night .. 1 noon. */
  daylight: number;
  /** 0..1: wet road, streaks, low contrast. */
  rain: number;
  /** Sun direction for shadows, degrees clockwise from north, and its strength 0..1. */
  sunHeadingDeg: number;
  shadow: number;
  /** 0..1: a low sun that shines into the lens, or from behind it back off the road. None where not given. */
  glare?: number;
  /** 0..1: the pole sways, the picture with it, boxes of the truth too. None where not given. */
  wind?: number;
}

export interface Scene {
  street: Street;
  light: Light;
  objects: readonly SceneObject[];
  /** Time of the picture, UTC ms; drawn into the picture's noise, not into its truth. */
  ts: number;
}

/** One thing that the picture shows, as the simulator knows it. */
export interface TruthBox {
  id: string;
  class: DetectionClass;
  /** [left, top, right, bottom] in pixels of the picture, clipped to it. */
  box: [number, number, number, number];
  /** Share of the thing's own pixels that is in the picture and not hidden, 0..1. */
  visible: number;
  /** Where it stands: WGS-84 of the centre of its footprint. */
  lon: number;
  lat: number;
}

export interface Picture {
  widthPx: number;
  heightPx: number;
  /** RGBA, 4 bytes a pixel, row by row. */
  rgba: Uint8Array;
  truth: TruthBox[];
}

/** Draws one street for one camera. Made once per camera: the background is drawn once and kept. */
export interface StreetRenderer {
  readonly pose: CameraPose;
  /** Pixel of a ground point (z = 0), or null behind the camera; exact pinhole, no lens distortion. */
  project(lon: number, lat: number): { xPx: number; yPx: number } | null;
  /** The picture is reused by the next call. */
  render(scene: Scene): Picture;
}
