import { GewuError } from '#service/mod.ts';
import type { Registry } from '../devices/mod.ts';

/** Who vouches for something, and why. */
export interface VouchingChange {
  by: string;
  roles: readonly string[];
  /** In plain words, kept with the edge's revision. */
  reason: string;
}

/** The edge of a camera. Throws GEWU_NOT_FOUND. */
export function edgeOf({ cameras }: Registry, camera: string): string {
  const edge = cameras.get(camera)?.edge;
  if (edge === undefined) throw new GewuError('GEWU_NOT_FOUND', `there is no camera ${camera}`);
  return edge;
}
