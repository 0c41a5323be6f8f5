import { useState } from 'react';
import type { DesiredCameraAnswer } from '#grid/api/mod.ts';

/** Parts of a camera, as a change of them is sent. */
export type Parts = Partial<Pick<DesiredCameraAnswer, 'zones' | 'exclude' | 'calibration'>>;

/** A draft, and what it began from. */
export interface Kept<T> {
  /** Null: nothing has been changed. */
  value: T | null;
  /** What the camera had when the work began: its revision is sent, so that a colleague's change in between is not lost. */
  base: DesiredCameraAnswer;
  edit(value: T): void;
  /** From now on it is a change of this one. */
  goOnFrom(newer: DesiredCameraAnswer): void;
  discard(): void;
}

/** A draft of parts of a camera; `desired` is what is wanted of it now. */
export function useKept<T>(desired: DesiredCameraAnswer): Kept<T> {
  const [kept, keep] = useState<{ value: T; base: DesiredCameraAnswer } | null>(null);
  return {
    value: kept?.value ?? null,
    base: kept?.base ?? desired,
    edit: (value) => keep((before) => ({ value, base: before?.base ?? desired })),
    goOnFrom: (base) => keep((before) => before && { ...before, base }),
    discard: () => keep(null),
  };
}

/** Whether `parts` of a camera were changed from one to the other. */
export function isChanged(from: DesiredCameraAnswer, to: DesiredCameraAnswer, parts: Parts): boolean {
  if (from.revision === to.revision) return false;
  const names = Object.keys(parts) as (keyof Parts)[];
  return names.some((name) => JSON.stringify(from[name]) !== JSON.stringify(to[name]));
}
