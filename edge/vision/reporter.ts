import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import {
  EVIDENCE_FILES_MAX,
  type EventData,
  type EventRecord,
  type EventType,
  type EvidenceRef,
  type SiteCamera,
  toEventRecord,
} from '#grid/mod.ts';
import type { Clock, Log } from '#service/mod.ts';
import type { CaseStates, EventSink } from '../events.ts';
import type { Ground } from './ground.ts';
import type { Decision, Incident } from './incident.ts';
import type { Located, Locator } from './locate.ts';
import type { CameraMemory } from './memory.ts';
import { isApproved, isShadow, modelName, type Speaker } from './shadow.ts';
import type { ZoneWatch } from './watch.ts';

export interface ReporterDeps {
  camera: SiteCamera;
  edgeId: string;
  model: Speaker;
  ground: Ground;
  locator: Locator;
  watch: ZoneWatch;
  memory: CameraMemory;
  events: EventSink;
  cases: CaseStates;
  clock: Clock;
  log: Log;
  /** Makes the picture that proves it, or a better one of an event that goes on. Null when there is none. Never throws. */
  evidence: (incident: Incident, located: Located, subject: string, occasion: 'raise' | 'update') => Promise<EvidenceRef | null>;
}

const RETRY_MS = 2000;
/** After a start the centre has so long to say which cases are open; then what it has not named counts as closed. */
const CASES_KNOWN_MS = 60_000;
/** Steps that may wait for the outbox; beyond it updates are left out, never a raise or a clear. */
const WAITING_MAX = 8;
const ENDED_MAX = 32;

interface Entry {
  incident: Incident;
  record: EventRecord;
}

/**
 * Turns one camera's decisions into revisions of events, in order:
 *
 *   decision --> picture durable --> memory durable --> event durable in the outbox --> next
 *
 * A crash between the last two leaves a revision in the memory that was not emitted: the start emits every remembered
 * revision again, which the centre takes for what it is, the same one.
 */
export class EventReporter {
  readonly #deps: ReporterDeps;
  readonly #entries = new Map<string, Entry>();
  /** Over, but a clip may still come. */
  readonly #ended = new Map<string, Entry>();
  readonly #openCases = new Set<string>();
  /** Of an earlier run, and the centre has not said yet how their cases are. */
  readonly #unsure = new Set<string>();
  #startedMs = 0;
  #offline: EventRecord | null = null;
  #chain: Promise<void> = Promise.resolve();
  #waiting = 0;
  #raised = 0;
  readonly #stopping = new AbortController();

  constructor(deps: ReporterDeps) {
    this.#deps = deps;
  }

  /** Takes back what an earlier run had raised; clears what the configuration no longer knows. */
  async start(): Promise<void> {
    const { camera, ground, clock, memory, watch } = this.#deps;
    this.#startedMs = clock.monotonic();
    const found = await memory.load(camera, ground, this.#startedMs);
    this.#offline = found.offline;
    for (const { incident, record } of found.incidents) {
      const entry: Entry = { incident, record };
      this.#entries.set(record.subject, entry);
      watch.restore(incident);
      this.#unsure.add(record.subject);
      // A silent one was cleared; its case was open when we last heard.
      if (incident.state === 'silent') this.#openCases.add(record.subject);
      this.#queue(() => this.#again(entry));
    }
    for (const record of found.orphans) this.#queue(() => this.#emit(clearedRecord(record, clock.now())));
    if (found.offline !== null) this.#queue(() => this.#emit(found.offline as EventRecord));
  }

  /** Resolves when what has begun is done or, while the outbox takes nothing, given up; the memory keeps it. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#chain;
  }

  get raised(): number {
    return this.#raised;
  }

  /** Applies one picture's decisions. Returns at once; pictures are made before the frame is used again. */
  handle(decisions: readonly Decision[], at: number): void {
    for (const { kind, incident } of decisions) {
      if (kind === 'raise') this.#raise(incident, at);
      else if (kind === 'update') this.#update(incident, at);
      else this.#clear(incident, at);
    }
  }

  /** Looks what the centre says about the cases of our events; called about once a second. */
  pollCases(): void {
    const { cases } = this.#deps;
    const known = this.#casesKnown;
    for (const subject of [...this.#entries.keys()]) {
      if (cases.isOpen(subject)) {
        this.#openCases.add(subject);
        this.#unsure.delete(subject);
      } else if (this.#openCases.has(subject) && (known || !this.#unsure.has(subject))) this.#caseClosed(subject);
    }
  }

  get #casesKnown(): boolean {
    return this.#deps.clock.monotonic() - this.#startedMs > CASES_KNOWN_MS;
  }

  #caseClosed(subject: string): void {
    this.#openCases.delete(subject);
    this.#unsure.delete(subject);
    const incident = this.#deps.watch.rearm(subject);
    if (incident?.state === 'active') this.#clear(incident, this.#deps.clock.now());
    else if (incident !== null) this.#queue(() => this.#forget(subject));
  }

  /** The camera itself: a fault of its component while it shows nothing. */
  componentFault(build: () => EventData): void {
    if (this.#offline !== null) return;
    const subject = randomUUID();
    const record = toEventRecord(subject, 'gewu.event.raised', this.#deps.clock.now(), build());
    this.#offline = record;
    this.#queue(() => this.#commit(record));
  }

  componentRecovered(at: number): void {
    const last = this.#offline;
    if (last === null) return;
    this.#offline = null;
    const record = revised(last, 'gewu.event.cleared', at, { lastSeenAt: at, clearedAt: at });
    this.#queue(() => this.#commit(record));
  }

  #raise(incident: Incident, at: number): void {
    const { locator, log, camera } = this.#deps;
    const located = locator.locate(incident);
    if (located === null) {
      log.warn(
        { camera: camera.id, zone: incident.zone, rule: incident.rule.id },
        'outside of every unit grid or component: no event',
      );
      return;
    }
    const subject = randomUUID();
    incident.subject = subject;
    this.#raised++;
    const data = this.#dataOf(incident, located);
    const picture = this.#deps.evidence(incident, located, subject, 'raise');
    this.#queue(async () => {
      const ref = await picture;
      const record = toEventRecord(subject, 'gewu.event.raised', at, { ...data, evidence: ref === null ? [] : [ref] });
      this.#entries.set(subject, { incident, record });
      await this.#commit(record);
    });
  }

  #update(incident: Incident, at: number): void {
    const { subject } = incident;
    if (subject === null || this.#waiting >= WAITING_MAX) return;
    const located = this.#deps.locator.locate(incident);
    const { lastSeenAt, score } = incident;
    const children = childrenOf(incident);
    const picture = located === null ? null : this.#deps.evidence(incident, located, subject, 'update');
    this.#queue(async () => {
      const ref = await picture;
      const entry = this.#entries.get(subject);
      if (entry === undefined) return;
      // A component once named stays named: the case hangs on it.
      const place = located?.place.component === entry.record.data.place.component ? located?.place : undefined;
      const evidence = withFile(entry.record, ref);
      const placed = place === undefined ? {} : { place };
      const changes = { lastSeenAt, confidence: rounded(score), evidence, ...children, ...placed };
      entry.record = revised(this.#spokenFor(entry), 'gewu.event.updated', at, changes);
      await this.#commit(entry.record);
    });
  }

  /** Further evidence of an event that was raised: a revision of its own. Of one that is over and forgotten it comes too late. */
  attach(subject: string, ref: EvidenceRef): void {
    this.#queue(async () => {
      const entry = this.#entries.get(subject) ?? this.#ended.get(subject);
      if (entry === undefined) return;
      const { type, data } = entry.record;
      // A clear stays a clear: the revision after it says so, too, with its time.
      const isCleared = type === 'gewu.event.cleared';
      const clearedAt = isCleared && data.clearedAt !== undefined ? { clearedAt: data.clearedAt } : {};
      const changes = { evidence: withFile(entry.record, ref), ...clearedAt };
      entry.record = revised(entry.record, isCleared ? type : 'gewu.event.updated', this.#deps.clock.now(), changes);
      await this.#commit(entry.record);
    });
  }

  #clear(incident: Incident, at: number): void {
    const { subject } = incident;
    if (subject === null) return;
    const { lastSeenAt } = incident;
    // One that ends before the centre has spoken may have an open case: it is silent until that is known.
    if (this.#unsure.has(subject) && !this.#casesKnown) this.#openCases.add(subject);
    const silent = this.#openCases.has(subject);
    if (silent) this.#deps.watch.silence(incident);
    this.#queue(async () => {
      const entry = this.#entries.get(subject);
      if (entry === undefined) return;
      entry.record = revised(entry.record, 'gewu.event.cleared', at, { lastSeenAt, clearedAt: at });
      await this.#commit(entry.record);
      if (!this.#deps.watch.incidents.includes(entry.incident)) await this.#forget(subject);
    });
  }

  #dataOf(incident: Incident, located: Located): EventData {
    const { camera, edgeId, model } = this.#deps;
    const { detects } = incident.rule;
    return {
      revision: 1,
      edge: edgeId,
      class: located.class,
      severity: incident.rule.severity,
      confidence: rounded(incident.score),
      place: located.place,
      origin: {
        by: 'camera',
        camera: camera.id,
        zone: incident.zone,
        track: incident.trackId,
        detects,
        model: modelName(model),
        provenance: model.provenance,
        simulated: camera.simulated,
        ...(isApproved(model, camera, detects) ? { approved: true } : {}),
      },
      ...(isShadow(model, camera, detects) ? { suppressed: 'shadow' } : {}),
      startedAt: incident.startedAt,
      confirmedAt: incident.startedAt + Math.round(incident.rule.dwellS * 1000),
      lastSeenAt: incident.lastSeenAt,
      evidence: [],
      ...childrenOf(incident),
    };
  }

  /** Tells what the memory has, and what has been switched on since it was written. */
  async #again(entry: Entry): Promise<void> {
    await this.#emit(entry.record);
    const spoken = this.#spokenFor(entry);
    if (spoken === entry.record || entry.record.data.clearedAt !== undefined) return;
    entry.record = revised(spoken, 'gewu.event.updated', this.#deps.clock.now(), {});
    await this.#commit(entry.record);
  }

  /** What was found in shadow and still stands when its class is switched on is told aloud from then on. The way back is not gone. */
  #spokenFor({ incident, record }: Entry): EventRecord {
    const { camera, model } = this.#deps;
    const { suppressed, ...data } = record.data;
    const { origin } = data;
    if (suppressed !== 'shadow' || origin.by !== 'camera' || isShadow(model, camera, incident.rule.detects)) return record;
    const approved = isApproved(model, camera, incident.rule.detects) ? { approved: true as const } : {};
    return {
      ...record,
      data: { ...data, origin: { ...origin, model: modelName(model), provenance: model.provenance, ...approved } },
    };
  }

  async #commit(record: EventRecord): Promise<void> {
    await this.#save();
    await this.#emit(record);
  }

  async #forget(subject: string): Promise<void> {
    const entry = this.#entries.get(subject);
    if (entry !== undefined) this.#ended.set(subject, entry);
    if (this.#ended.size > ENDED_MAX) this.#ended.delete(this.#ended.keys().next().value as string);
    this.#entries.delete(subject);
    this.#openCases.delete(subject);
    await this.#save();
  }

  /** A disk that takes no memory must not keep the event from leaving. */
  async #save(): Promise<void> {
    const { memory, ground, log, camera } = this.#deps;
    await memory
      .save([...this.#entries.values()], this.#offline, ground)
      .catch((error: unknown) => log.error({ camera: camera.id, err: error }, 'camera memory not written'));
  }

  async #emit(record: EventRecord): Promise<void> {
    const { events, log, camera } = this.#deps;
    while (true) {
      try {
        await events.emit(record);
        return;
      } catch (error) {
        log.error({ camera: camera.id, event: record.id, err: error }, 'event not taken, tried again');
        if (this.#stopping.signal.aborted) return;
        await pause(RETRY_MS, undefined, { signal: this.#stopping.signal }).catch(() => {});
      }
    }
  }

  #queue(step: () => Promise<void>): void {
    this.#waiting++;
    this.#chain = this.#chain
      .then(step)
      .catch((error: unknown) => this.#deps.log.error({ camera: this.#deps.camera.id, err: error }, 'event reporter'))
      .finally(() => {
        this.#waiting--;
      });
  }
}

/** The revision that clears an event of a camera or rule that is no more. */
export function clearedRecord(record: EventRecord, at: number): EventRecord {
  return revised(record, 'gewu.event.cleared', at, {});
}

function revised(record: EventRecord, type: EventType, at: number, changes: Partial<EventData>): EventRecord {
  const clearedAt = type === 'gewu.event.cleared' ? { clearedAt: at } : {};
  return toEventRecord(record.subject, type, at, {
    ...record.data,
    ...clearedAt,
    ...changes,
    revision: record.data.revision + 1,
  });
}

/** A rule that counts says how many there are. */
const childrenOf = ({ count }: Incident): Pick<EventData, 'children'> =>
  count === null ? {} : { children: { count, devices: [] } };

/** The files of an event and a further one, if it has room. */
function withFile({ data: { evidence } }: EventRecord, ref: EvidenceRef | null): EvidenceRef[] {
  return ref === null || evidence.length >= EVIDENCE_FILES_MAX ? evidence : [...evidence, ref];
}

const rounded = (score: number): number => Math.round(Math.min(1, Math.max(0, score)) * 1000) / 1000;
