import type { EventClass, Profile } from '#grid/mod.ts';
import type { PlayedCity } from '../city/mod.ts';
import type { Fields } from '../devices/mod.ts';
import type { DeviceFaultKind } from '../faults/mod.ts';
import type { DeviceTable, World } from '../world/mod.ts';
import type { StagedCameras } from './cameras.ts';
import type { Scenario, ScenarioIncident } from './schema.ts';

/** A time of the run, seconds from its start. */
export interface Span {
  fromS: number;
  toS: number;
}

/** What a staged incident must become at the centre. */
export interface Expected {
  class: EventClass;
  component: string;
  lon: number;
  lat: number;
  /** Of the rule in force, for each device. */
  confirmMs: number;
  confirmSamples: number;
  /** So many devices must have confirmed: one, or as many as make a group. */
  members: number;
  /** Within so long of each other. */
  windowMs?: number;
}

/** Something that goes wrong, as it will. */
export interface StagedIncident extends Span {
  id: string;
  what: ScenarioIncident['what'] | 'flooded-shaft' | 'battery-low';
  /** What says it. */
  devices: readonly number[];
  /** Null where nothing is to be detected. */
  expected: Expected | null;
  /** It may become a case of its own, or be told as one with others: no case of it is missed. */
  optional?: boolean;
  /** Whether a sample of one of its devices says it. */
  breaks(fields: Readonly<Fields>): boolean;
}

export interface Staged {
  world: World;
  incidents: StagedIncident[];
  /** When all connections break, seconds. */
  storms: number[];
  faults: StagedFault[];
  cameras: StagedCameras;
}

/** A device that is wrong in one way from `fromS` until `toS`. */
export interface StagedFault extends Span {
  what: DeviceFaultKind;
  device: number;
}

export interface StagingTerms {
  scenario: Scenario;
  city: PlayedCity;
  table: DeviceTable;
  /** Numbers of the devices that are played, by all generators of the run together: whole edges. */
  devices: readonly number[];
  seed: number;
  durationS: number;
  /** That of the edges. */
  profile: Profile;
  /** Edges whose cameras this process plays. */
  cameraEdges: ReadonlySet<string>;
}
