import type { DesiredCameraAnswer } from '#grid/api/mod.ts';
import type { PersonRecall } from '#grid/mod.ts';
import type { Clock } from '#service/mod.ts';
import type { DesiredService } from '../desired/mod.ts';
import type { Registry } from '../devices/mod.ts';
import { edgeOf, type VouchingChange } from './change.ts';

/** What was counted on pictures of the camera, by which model. */
export type Counted = Pick<PersonRecall, 'sha256' | 'recall' | 'people'>;

/**
 * A person vouches that a model, by the hash of its file, finds the people of a camera: pictures of that camera's events then show the
 * street, people covered. It is a part of the camera's desired state, so its history and the edge's confirmation are there; the
 * audit trail names the camera and the model. Each throws GEWU_NOT_FOUND.
 */
export interface PersonRecalls {
  /** Instead of what was vouched for before, there or in the edge's own file. */
  attest(camera: string, counted: Counted, change: VouchingChange): Promise<DesiredCameraAnswer>;
  /** What the edge's own file says counts again. */
  withdraw(camera: string, change: VouchingChange): Promise<DesiredCameraAnswer>;
}

export interface PersonRecallDependencies {
  desired: DesiredService;
  registry: Registry;
  clock: Clock;
}

export function createPersonRecalls({ desired, registry, clock }: PersonRecallDependencies): PersonRecalls {
  async function set(camera: string, personRecall: PersonRecall | null, change: VouchingChange): Promise<DesiredCameraAnswer> {
    const edge = edgeOf(registry, camera);
    const { revision } = await desired.camera(edge, camera);
    const about = { camera, personRecall: personRecall?.sha256 ?? 'withdrawn' };
    return desired.setVouched(edge, camera, { personRecall }, { ...change, revision, about });
  }
  return {
    attest: (camera, counted, change) =>
      set(camera, { ...counted, by: change.by, at: new Date(clock.now()).toISOString().slice(0, DAY_LENGTH) }, change),
    withdraw: (camera, change) => set(camera, null, change),
  };
}

const DAY_LENGTH = 'YYYY-MM-DD'.length;
