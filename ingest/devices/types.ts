import { type Static, Type } from 'typebox';
import type { HealthRecord } from '#grid/wire/mod.ts';
import type { Service } from '#service/mod.ts';
import type { Verdict } from '../ports.ts';

export const HealthConfig = Type.Object(
  {
    /** An edge reports every 10 s; not heard of for so long it is silent, and what it said last is no longer known to hold. */
    edgeSilentS: Type.Number({ minimum: 11, maximum: 3600, default: 45 }),
    /** Changes of state are kept so long. */
    historyDays: Type.Integer({ minimum: 1, maximum: 3650, default: 90 }),
    /** All changes together; beyond it the oldest go. */
    historyEntriesMax: Type.Integer({ minimum: 1000, maximum: 100_000_000, default: 1_000_000 }),
  },
  { additionalProperties: false, default: {} },
);
export type HealthConfig = Static<typeof HealthConfig>;

export type HealthKind = HealthRecord['of'];
export type HealthState = HealthRecord['state'];

/** How a thing is, as its edge said last. Never heard of: 'unknown', reason 'never-reported'. */
export interface Health {
  state: HealthState;
  reason: string;
  /** UTC ms. */
  since: number | null;
  /** UTC ms of the last report. */
  lastSeenAt: number | null;
  values: Record<string, number>;
  /** As it said itself, whenever that was; of a camera as its site says it. */
  firmware: string | null;
}

export interface EdgeStatus extends Health {
  id: string;
  cells: number;
  devices: number;
  cameras: number;
}

export interface DeviceStatus extends Health {
  id: string;
  kind: string;
  edge: string;
  component: string;
  lon: number;
  lat: number;
  /** Null: the position lies in no unit grid of the site. */
  cell: string | null;
  /** Circuit, pressure zone and basin of its site. */
  groups: readonly string[];
}

export interface CameraStatus extends Health {
  id: string;
  edge: string;
  component: string | null;
  lon: number;
  lat: number;
  cell: string | null;
  simulated: boolean;
  zones: number;
}

export interface ThingFilter {
  edge?: string | undefined;
  cell?: string | undefined;
  /** A part of its id, or the beginning of its component's code. */
  q?: string | undefined;
  /** Of a device. */
  kind?: string | undefined;
  state?: HealthState | undefined;
  /** Exactly this one. */
  firmware?: string | undefined;
  /** Only these. */
  ids?: ReadonlySet<string> | undefined;
  /** 1..500, default 100. */
  limit?: number | undefined;
  /** `cursor` of the page before. */
  cursor?: string | undefined;
}

export interface HistoryEntry {
  ts: number;
  state: HealthState;
  reason: string;
}

/** A state or its reason has changed. Said after the commit, by the replica that stored it. */
export interface HealthChange {
  of: HealthKind;
  edge: string;
  id: string;
  state: HealthState;
  reason: string;
  ts: number;
}

export interface FirmwareCount {
  of: HealthKind;
  firmware: string;
  count: number;
}

/** Something that is not well, as its edge said. */
export interface SickThing {
  of: HealthKind;
  id: string;
  edge: string;
  state: HealthState;
  reason: string;
  since: number;
}

/** Edges, devices and cameras of the registry, and how each of them is. */
export interface DeviceService extends Service {
  /** Idempotent, in whatever order they come; durable when it resolves. */
  accept(records: readonly HealthRecord[]): Promise<Verdict[]>;
  edges(): Promise<EdgeStatus[]>;
  /** These three throw GEWU_NOT_FOUND for what is not registered. */
  edge(id: string): Promise<EdgeStatus>;
  device(id: string): Promise<DeviceStatus>;
  camera(id: string): Promise<CameraStatus>;
  /** In order of id; `cursor` is null on the last page. */
  devices(filter: ThingFilter): Promise<{ items: DeviceStatus[]; cursor: string | null }>;
  cameras(filter: ThingFilter): Promise<{ items: CameraStatus[]; cursor: string | null }>;
  /** How every registered thing is, and nothing else of it. */
  states(): Promise<{ of: HealthKind; id: string; state: HealthState }[]>;
  /** Which firmware runs on how many of the registered things. */
  firmware(): Promise<FirmwareCount[]>;
  /** Everything that is offline or degraded and not merely unknown because its edge is silent. */
  sick(): Promise<SickThing[]>;
  /** Edges that have reported and no longer do, with the time of their last report. */
  silentEdges(): Promise<ReadonlyMap<string, number>>;
  /** How long, of the time since `from`, each edge was silent; ms. Those that never were are missing. */
  silentMs(from: number): Promise<ReadonlyMap<string, number>>;
  /** Changes of state, newest first. Throws GEWU_NOT_FOUND. */
  history(
    of: HealthKind,
    id: string,
    options: { since?: number | undefined; limit?: number | undefined },
  ): Promise<HistoryEntry[]>;
  /** Writes down which edges have fallen silent, and which are heard again. Runs by itself; tests call it. */
  checkSilence(): Promise<void>;
  /** Drops history that is too old or too much. Runs by itself; tests call it. Returns how many went. */
  trim(): Promise<number>;
  /** Returns what unsubscribes. */
  on(event: 'change', listener: (change: HealthChange) => void): () => void;
}
