import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { type EventData, type EventRecord, type EvidenceRef, toEventRecord } from '#grid/mod.ts';
import type { Clock, Log } from '#service/mod.ts';
import type { CaseStates, EventSink } from '../events.ts';
import { CaseLedger } from './case_ledger.ts';
import type { Ground } from './ground.ts';
import type { Decision, Incident } from './incident.ts';
import type { Located, Locator } from './locate.ts';
import type { CameraMemory, RememberedEvent } from './memory.ts';
import { QuietEvents } from './quiet.ts';
import { clearedRecord, dataOf, newsOf, provedRecord, revised, spokenFor, type Voice, withFile } from './revisions.ts';
import type { ZoneWatch } from './watch.ts';

export interface ReporterDeps extends Voice {
  ground: Ground;
  locator: Locator;
  watch: ZoneWatch;
  memory: CameraMemory;
  events: EventSink;
  cases: CaseStates;
  clock: Clock;
  log: Log;
  /** Makes the picture that proves it, or a better one of an event that goes on. Null when there is none. Never throws. */
  evidence: (
    incident: Incident,
    located: Located,
    subject: string,
    occasion: Exclude<Decision['kind'], 'clear'>,
  ) => Promise<EvidenceRef | null>;
}

const RETRY_MS = 2000;
/** Steps that may wait for the outbox; beyond it updates are left out, never a raise or a clear. */
const WAITING_MAX = 8;
/** Events that are over and remembered: a clip, or their case, may still come. */
const ENDED_MAX = 32;

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
  readonly #entries = new Map<string, RememberedEvent>();
  /** Over, but a clip may still come, or the case may be opened. */
  readonly #ended = new Map<string, RememberedEvent>();
  readonly #ledger: CaseLedger;
  readonly #quiet: QuietEvents;
  #offline: EventRecord | null = null;
  #chain: Promise<void> = Promise.resolve();
  #waiting = 0;
  #raised = 0;
  readonly #stopping = new AbortController();

  constructor(deps: ReporterDeps) {
    this.#deps = deps;
    this.#ledger = new CaseLedger(deps);
    this.#quiet = new QuietEvents({ watch: deps.watch, ledger: this.#ledger });
  }

  /** Takes back what an earlier run had raised; clears what the configuration no longer knows. */
  async start(): Promise<void> {
    const { camera, ground, clock, memory, watch } = this.#deps;
    this.#ledger.start();
    const found = await memory.load(camera, ground, clock.monotonic());
    this.#offline = found.offline;
    if (found.fixtures !== null) watch.fixtures.restore(found.fixtures, clock.monotonic());
    for (const record of found.quiet) {
      this.#quiet.add(record);
      this.#queue(() => this.#emit(record));
    }
    for (const entry of found.incidents) {
      const { incident, record } = entry;
      this.#entries.set(record.subject, entry);
      watch.restore(incident);
      this.#ledger.restore(record.subject, incident.state === 'silent');
      this.#queue(() => this.#again(entry));
    }
    for (const entry of found.ended) this.#ended.set(entry.record.subject, entry);
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
    for (const decision of decisions) {
      if (decision.kind === 'quiet') this.#record(decision, at);
      else if (decision.kind === 'raise') this.#raise(decision.incident, at);
      else if (decision.kind === 'update') this.#update(decision.incident, at);
      else this.#clear(decision.incident, at);
    }
  }

  /** Looks what the centre says about the cases of our events; called about once a second. */
  pollCases(): void {
    if (this.#deps.watch.fixtures.takeNews()) this.#queue(() => this.#save());
    for (const [subject, { incident, record }] of [...this.#entries]) {
      const said = this.#ledger.look(subject);
      if (said === 'closed') this.#caseClosed(subject);
      else if (said === 'unfounded') this.#caseRejected(subject, incident);
      else if (said === 'open' && this.#hasEnded(incident)) this.#deps.watch.silence(incident);
      else if (incident.state === 'silent' && this.#waiting < WAITING_MAX && this.#ledger.asks(subject))
        this.#queue(() => this.#emit(record));
    }
    for (const { kind, record } of this.#quiet.poll())
      this.#queue(() => (kind === 'over' ? this.#unrecord(record) : this.#emit(record)));
    for (const subject of [...this.#ended.keys()]) if (this.#ledger.look(subject) === 'open') this.#caseOpenedLate(subject);
  }

  /** Its clear is on the way to the outbox. */
  #hasEnded(incident: Incident): boolean {
    return incident.state === 'active' && !this.#deps.watch.incidents.includes(incident);
  }

  #caseClosed(subject: string): void {
    const incident = this.#deps.watch.rearm(subject);
    if (incident?.state === 'active') this.#clear(incident, this.#deps.clock.now());
    else if (incident !== null) this.#queue(() => this.#forget(subject));
  }

  /** What stands there is nothing to be dealt with: its event goes on, so that it is not told anew, and ends when it is gone. */
  #caseRejected(subject: string, incident: Incident): void {
    if (incident.state === 'silent' || this.#hasEnded(incident)) this.#caseClosed(subject);
  }

  /** The event was over before its case was opened: what comes again is still that case's. */
  #caseOpenedLate(subject: string): void {
    const entry = this.#ended.get(subject);
    if (entry === undefined) return;
    this.#ended.delete(subject);
    this.#entries.set(subject, entry);
    this.#deps.watch.silence(entry.incident);
    this.#queue(() => this.#save());
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
    const data = dataOf(incident, located, this.#deps);
    const picture = this.#deps.evidence(incident, located, subject, 'raise');
    this.#queue(async () => {
      const ref = await picture;
      const record = toEventRecord(subject, 'gewu.event.raised', at, { ...data, evidence: ref === null ? [] : [ref] });
      this.#entries.set(subject, { incident, record });
      await this.#commit(record);
    });
  }

  /** What a fixture keeps quiet is shown to reviewers. Of a candidate nobody asks: what it raises is compared. */
  #record({ incident, fixture }: Extract<Decision, { kind: 'quiet' }>, at: number): void {
    const subject = randomUUID();
    fixture.event = subject;
    const located = this.#deps.locator.locate(incident);
    if (located === null || this.#deps.model.candidate) return;
    const data = { ...dataOf(incident, located, this.#deps), suppressed: 'fixture' as const };
    const picture = this.#deps.evidence(incident, located, subject, 'quiet');
    this.#queue(async () => {
      const ref = await picture;
      const record = toEventRecord(subject, 'gewu.event.raised', at, { ...data, evidence: ref === null ? [] : [ref] });
      this.#quiet.add(record);
      await this.#commit(record);
    });
  }

  /** Its fixture is gone. Remembered until that is told. */
  async #unrecord(record: EventRecord): Promise<void> {
    await this.#emit(clearedRecord(record, this.#deps.clock.now()));
    if (this.#stopping.signal.aborted) return;
    this.#quiet.forget(record.subject);
    await this.#save();
  }

  #update(incident: Incident, at: number): void {
    const { subject } = incident;
    if (subject === null || this.#waiting >= WAITING_MAX) return;
    const located = this.#deps.locator.locate(incident);
    const { lastSeenAt, score, count } = incident;
    const picture = located === null ? null : this.#deps.evidence(incident, located, subject, 'update');
    this.#queue(async () => {
      const ref = await picture;
      const entry = this.#entries.get(subject);
      if (entry === undefined) return;
      const news = newsOf({ lastSeenAt, score, count }, located, entry.record);
      const spoken = spokenFor(entry.record, entry.incident, this.#deps);
      entry.record = revised(spoken, 'gewu.event.updated', at, { ...news, evidence: withFile(entry.record, ref) });
      await this.#commit(entry.record);
    });
  }

  /** Further evidence of an event that was raised: a revision of its own. Of one that is over and forgotten it comes too late. */
  attach(subject: string, ref: EvidenceRef): void {
    this.#queue(async () => {
      const entry = this.#entries.get(subject) ?? this.#ended.get(subject);
      if (entry === undefined) return;
      entry.record = provedRecord(entry.record, ref, this.#deps.clock.now());
      await this.#commit(entry.record);
    });
  }

  #clear(incident: Incident, at: number): void {
    const { subject } = incident;
    if (subject === null) return;
    const { lastSeenAt } = incident;
    if (this.#ledger.silences(subject)) this.#deps.watch.silence(incident);
    this.#queue(async () => {
      const entry = this.#entries.get(subject);
      if (entry === undefined) return;
      entry.record = revised(entry.record, 'gewu.event.cleared', at, { lastSeenAt, clearedAt: at });
      await this.#commit(entry.record);
      if (!this.#deps.watch.incidents.includes(entry.incident)) await this.#forget(subject);
    });
  }

  /** Tells what the memory has, and what has been switched on since it was written. */
  async #again(entry: RememberedEvent): Promise<void> {
    await this.#emit(entry.record);
    const spoken = spokenFor(entry.record, entry.incident, this.#deps);
    if (spoken === entry.record || entry.record.data.clearedAt !== undefined) return;
    entry.record = revised(spoken, 'gewu.event.updated', this.#deps.clock.now(), {});
    await this.#commit(entry.record);
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
    this.#ledger.forget(subject);
    await this.#save();
  }

  /** A disk that takes no memory must not keep the event from leaving. */
  async #save(): Promise<void> {
    const { memory, ground, log, camera, watch } = this.#deps;
    const [incidents, ended] = [[...this.#entries.values()], [...this.#ended.values()]];
    const [fixtures, quiet] = [watch.fixtures.all, this.#quiet.all];
    await memory
      .save({ incidents, ended, offline: this.#offline, fixtures, quiet }, ground)
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
