import type { SiteCamera } from '#grid/mod.ts';
import type { ModelManifest } from '#models/mod.ts';

/** What decides whether a model may speak for a camera. */
export interface Speaker extends Pick<ModelManifest, 'name' | 'version' | 'provenance'> {
  /** It looks beside the model in use, to be compared with it. */
  candidate?: boolean | undefined;
}

/** `name@version`, as events and approvals name it. */
export const modelName = ({ name, version }: Pick<Speaker, 'name' | 'version'>): string => `${name}@${version}`;

/** Whether a person has switched this class on for this camera and this very model. */
export function isApproved(model: Speaker, { approvals = [] }: Pick<SiteCamera, 'approvals'>, detects: string): boolean {
  return !model.candidate && approvals.some((approval) => approval.detects === detects && approval.model === modelName(model));
}

/**
 * Whether what the model finds is recorded only, and opens no case: it is a candidate; or it has not seen real streets, the camera is
 * a real one, and nobody has switched the class on by what reviewers found there.
 */
export function isShadow(model: Speaker, camera: Pick<SiteCamera, 'simulated' | 'approvals'>, detects: string): boolean {
  if (model.candidate) return true;
  return model.provenance !== 'real-scenes' && !camera.simulated && !isApproved(model, camera, detects);
}

/** Whether any rule of the camera is in shadow. */
export function hasShadow(model: Speaker, camera: SiteCamera): boolean {
  return camera.zones.some((zone) => zone.rules.some(({ detects }) => isShadow(model, camera, detects)));
}
