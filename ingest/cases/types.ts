import type { CaseRelativesAnswer } from '#grid/api/mod.ts';
import type { Case, CaseRole, CaseSource, CaseState, EventClass, EventRecord, FilingPolicy, Severity } from '#grid/mod.ts';
import type { Service } from '#service/mod.ts';
import type { EventsSink } from '../ports.ts';

/** Who acts: a person's account, or the machine. Technical roles may stand in `roles`; they count for nothing here. */
export interface Actor {
  id: string;
  roles: readonly string[];
  /** Of an actor with the role 'department'; without it the actor's own id counts. */
  department?: string | undefined;
}

export interface CaseFilter {
  state?: CaseState | undefined;
  /** Whether the city's work on it goes on. */
  open?: boolean | undefined;
  severity?: Severity | undefined;
  /** Class key or a prefix of it: `2:0501`, `1:0102`, `1:0102:cover_open`. */
  class?: string | undefined;
  cell?: string | undefined;
  /** Of the event that opened it. */
  edge?: string | undefined;
  source?: CaseSource | undefined;
  /** Opened at or after, UTC ms. */
  since?: number | undefined;
  /** 1..500, default 100. */
  limit?: number | undefined;
  /** `cursor` of the page before. */
  cursor?: string | undefined;
}

export interface EventFilter {
  class?: string | undefined;
  cell?: string | undefined;
  edge?: string | undefined;
  by?: 'sensor' | 'camera' | undefined;
  /** Device or camera id. */
  source?: string | undefined;
  active?: boolean | undefined;
  /** Whether a person has said what it is. */
  judged?: boolean | undefined;
  /** Confirmed at or after, UTC ms. */
  since?: number | undefined;
  limit?: number | undefined;
  cursor?: string | undefined;
}

/** `since` is UTC ms; the whole hour counts in which it lies. */
export type EventHoursFilter = Pick<EventFilter, 'by' | 'class'> & { since: number };

/** Events by the hour in which they were confirmed: UTC ms of its beginning, oldest first; none of hours without any. */
export interface EventHours {
  from: number;
  items: { at: number; count: number }[];
}

/** Newest first. `cursor` is null on the last page. */
export interface Page<T> {
  items: T[];
  cursor: string | null;
}

export interface StoredEvent {
  record: EventRecord;
  /** The case that it feeds; null when it opened none. */
  case: string | null;
  /** UTC ms of its first arrival at the centre. */
  receivedAt: number;
  updatedAt: number;
}

/** One line of a case's history; `hash` chains each to the one before. */
export interface TimelineEntry {
  seq: number;
  at: number;
  actor: string;
  role: CaseRole;
  kind: 'transition' | 'observation';
  name: string;
  from: CaseState | null;
  to: CaseState;
  input: Record<string, unknown>;
  hash: string;
}

export interface AvailableTransition {
  name: string;
  labelZh: string;
  labelEn: string;
  /** JSON Schema of its input. */
  input: object;
}

/** Said after the commit, by the replica that did it. */
export interface Change {
  of: 'case' | 'event';
  id: string;
  /** 'opened', 'updated', 'evidence', or the name of the transition. */
  what: string;
  ts: number;
}

/** Many open cases of one class that were opened at about the same time: lists show them as one. */
export interface Storm {
  classKey: string;
  class: EventClass;
  /** Of the worst of them. */
  severity: Severity;
  count: number;
  /** Unit grids in which they are. */
  cells: number;
  /** UTC ms: the first of them, and when one was seen last. */
  openedAt: number;
  lastSeenAt: number;
}

/**
 * The centre's cases. Events come in through `accept`, people through `transition`.
 *
 * Errors of `transition` and `report`: GEWU_NOT_FOUND (case or transition), GEWU_FORBIDDEN (role, separation of duties),
 * GEWU_REQUEST_INVALID (input), GEWU_TRANSITION_REFUSED (state), GEWU_TRANSITION_GUARD (condition).
 */
export interface CaseService extends Service, EventsSink {
  /**
   * Opens cases for what was recorded under maintenance windows that are over and is still so. Runs by itself; tests call it. Returns how many
   * events there were.
   */
  resume(): Promise<number>;
  /** Throws GEWU_NOT_FOUND. */
  get(id: string): Promise<Case>;
  list(filter: CaseFilter): Promise<Page<Case>>;
  /** Open cases by unit grid and severity. */
  countOpen(): Promise<{ cell: string; severity: Severity; count: number }[]>;
  /** Open cases, the most severe first and of these the one seen last; those of a storm as one entry. */
  urgent(limit: number): Promise<{ storms: Storm[]; cases: Case[] }>;
  /** Oldest first. */
  timeline(id: string): Promise<TimelineEntry[]>;
  /** Cases to compare it with: merged ones, the one before and after, open ones near by. Throws GEWU_NOT_FOUND. */
  relatives(id: string): Promise<CaseRelativesAnswer['items']>;
  /** A person's report; `input` as in transitions/report.ts. The same `key` again gives the case of the first time. */
  report(actor: Actor, input: unknown): Promise<Case>;
  transition(id: string, name: string, actor: Actor, input: unknown): Promise<Case>;
  /** What this actor may do with the case now; conditions on the input are checked at the transition. */
  available(id: string, actor: Actor): Promise<AvailableTransition[]>;

  /**
   * Somebody has said what an event is. What he calls one and its camera keeps quiet as a fixture, its edge is to raise; that is told again
   * with each repeat of the event, until it is cleared.
   */
  judged(subject: string): Promise<void>;
  getEvent(subject: string): Promise<StoredEvent>;
  listEvents(filter: EventFilter): Promise<Page<StoredEvent>>;
  /** How many each hour, oldest first; hours without any are left out. */
  eventsByHour(filter: EventHoursFilter): Promise<EventHours>;

  policy(): Promise<FilingPolicy>;
  /** `version` must be the present one plus one; GEWU_REQUEST_INVALID otherwise. */
  setPolicy(policy: unknown, by: string): Promise<FilingPolicy>;

  /** The file of this hash has arrived: cases that name it say so. Called by the evidence store. */
  evidenceStored(sha256: string): Promise<void>;
  /** Returns what unsubscribes. Listeners must not throw. */
  on(event: 'change', listener: (change: Change) => void): () => void;
}
