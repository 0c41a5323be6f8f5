import type { ObjectKind } from '../scene.ts';

export interface ObjectSize {
  lengthM: number;
  widthM: number;
  heightM: number;
}

const size = (lengthM: number, widthM: number, heightM: number): ObjectSize => ({ lengthM, widthM, heightM });

/** What a thing measures where a script does not say otherwise, metres; flat things have no height. */
export const OBJECT_SIZES: Readonly<Record<ObjectKind, ObjectSize>> = {
  stall: size(2.2, 1.3, 2.2),
  garbage: size(1.6, 1.2, 0.7),
  ponding: size(4, 2.5, 0),
  open_manhole: size(0.8, 0.8, 0),
  vehicle: size(4.4, 1.8, 1.5),
  person: size(0.4, 0.5, 1.7),
  closed_manhole: size(0.8, 0.8, 0),
  bin: size(0.6, 0.5, 1),
  wet_patch: size(3, 2, 0),
  bollard: size(0.2, 0.2, 0.8),
  planter: size(1.6, 0.7, 0.8),
  bench: size(1.6, 0.45, 0.85),
  parasol: size(2.4, 2.4, 2.4),
  terrace: size(2.6, 2.6, 2.4),
};
