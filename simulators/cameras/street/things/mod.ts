import type { ObjectKind, SceneObject } from '../../scene.ts';
import type { Pen } from '../pen.ts';
import { drawClosedManhole, drawOpenManhole, drawPonding, drawWetPatch } from './flat.ts';
import { drawBench, drawBin, drawBollard, drawParasol, drawPlanter, drawTerrace } from './furniture.ts';
import { drawGarbage } from './garbage.ts';
import { drawPerson } from './person.ts';
import { drawStall } from './stall.ts';
import { drawVehicle } from './vehicle.ts';

/** One drawing per kind. The pen has been moved to the object. */
export const DRAWINGS: Readonly<Record<ObjectKind, (pen: Pen, object: SceneObject) => void>> = {
  stall: drawStall,
  garbage: drawGarbage,
  ponding: drawPonding,
  open_manhole: drawOpenManhole,
  vehicle: drawVehicle,
  person: drawPerson,
  closed_manhole: drawClosedManhole,
  bin: drawBin,
  wet_patch: drawWetPatch,
  bollard: drawBollard,
  planter: drawPlanter,
  bench: drawBench,
  parasol: drawParasol,
  terrace: drawTerrace,
};

/** Kinds that lie in the ground: drawn before everything that stands, without a shadow. */
export const FLAT_KINDS: ReadonlySet<ObjectKind> = new Set(['ponding', 'open_manhole', 'closed_manhole', 'wet_patch']);
