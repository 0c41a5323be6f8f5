import { type EventRecord, type EventType, toEventRecord } from '#grid/mod.ts';
import type { EventTold } from '../report/mod.ts';
import type { StagedIncident } from '../scenarios/mod.ts';
import type { DeviceTable } from '../world/mod.ts';

/** A registered position is so exact. */
const ERROR_M = 2;

interface Active {
  subject: string;
  device: number;
  startedAt: number;
}

/** What whole edges tell of their devices: raised with the first sample that says it, cleared with the first that does not. */
export class EdgeEvents {
  readonly #table: DeviceTable;
  readonly #run: string;
  readonly #active = new Map<StagedIncident, Active>();
  readonly #told = new Map<string, { last: EventRecord; acked: Set<number> }>();
  #number = 0;

  /** `run` tells this run's events from those of others. */
  constructor(table: DeviceTable, run: string) {
    this.#table = table;
    this.#run = run;
  }

  /** By subject. */
  get told(): ReadonlyMap<string, EventTold> {
    return this.#told;
  }

  /** Whether an event that the centre has is one of these. */
  knows(subject: string): boolean {
    return subject.startsWith(`${this.#run}-`);
  }

  /** The centre said that it has this revision. */
  acknowledged({ subject, data: { revision } }: EventRecord): void {
    this.#told.get(subject)?.acked.add(revision);
  }

  raised(incident: StagedIncident, device: number, at: number): EventRecord {
    const active = { subject: `${this.#run}-${++this.#number}`, device, startedAt: at };
    this.#active.set(incident, active);
    return this.#record(incident, active, 'gewu.event.raised', at);
  }

  /** Null when it was never raised, or is over. */
  cleared(incident: StagedIncident, device: number, at: number): EventRecord | null {
    const active = this.#active.get(incident);
    if (active?.device !== device) return null;
    this.#active.delete(incident);
    return this.#record(incident, active, 'gewu.event.cleared', at);
  }

  #record({ expected, what }: StagedIncident, active: Active, type: EventType, at: number): EventRecord {
    if (expected === null) throw new RangeError(`${what} is nothing to be told`);
    const view = this.#table.view(active.device);
    const cleared = type === 'gewu.event.cleared';
    const record = toEventRecord(active.subject, type, at, {
      revision: cleared ? 2 : 1,
      edge: this.#table.edges[view.edge] ?? '',
      class: expected.class,
      severity: 'high',
      confidence: 1,
      place: { lon: expected.lon, lat: expected.lat, errorRadiusM: ERROR_M, cell: view.cell, component: expected.component },
      origin: { by: 'sensor', device: view.id, kind: view.kind, rule: what, field: 'seq', value: true },
      startedAt: active.startedAt,
      confirmedAt: active.startedAt,
      lastSeenAt: at,
      ...(cleared ? { clearedAt: at } : {}),
      evidence: [],
    });
    this.#told.set(active.subject, { last: record, acked: this.#told.get(active.subject)?.acked ?? new Set() });
    return record;
  }
}
