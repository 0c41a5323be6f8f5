import type { GroupKind } from '../site/mod.ts';

/** What is one event when it befalls many devices of a group, and what that event is. Source: docs/domain/sensors.md sections 2, 3 and 4.7. */
export interface GroupAlarms {
  /** Rule ids of the members; each is counted for itself. Critical ones are never grouped, whatever stands here. */
  rules: readonly string[];
  /** A key of FAULTS, of the feeder's component. */
  fault: string;
}

export const GROUP_ALARMS: Readonly<Record<GroupKind, GroupAlarms>> = {
  circuit: { rules: ['lamp-out', 'offline'], fault: 'circuit_dark' },
  pressure_zone: { rules: ['low-pressure'], fault: 'zone_low_pressure' },
  drainage_basin: { rules: ['water-at-rim'], fault: 'basin_flooded' },
};
