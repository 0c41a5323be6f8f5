import type { MaintenanceWindow } from '../registry.ts';

/** Whether one of the windows is open at a time, UTC ms: from its beginning on, and no longer at its end. */
export function isUnderMaintenance(windows: readonly MaintenanceWindow[], at: number): boolean {
  return windows.some(({ from, to }) => from <= at && at < to);
}
