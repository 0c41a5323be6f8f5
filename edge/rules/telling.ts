import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { type EventData, type EventType, type EvidenceRef, type SecondSource, toEventRecord } from '#grid/mod.ts';
import { type Clock, GewuError, type Log } from '#service/mod.ts';
import type { Outbox, StateChange } from '../outbox/mod.ts';

/** An event that was raised and has not cleared. Times are UTC ms. */
export interface OpenEvent {
  event: string;
  revision: number;
  startedAt: number;
  confirmedAt: number;
  /** The last revision left at. */
  updatedAt: number;
  /** So far it is on record only: it was told under a maintenance window. */
  recorded?: boolean;
  /** Its confidence where that is not 1: a critical alarm that a camera could see, too, is no certainty alone. */
  confidence?: number;
  /** What a camera said of it, and showed. */
  second?: SecondSource;
  evidence?: EvidenceRef[];
}

/** What a revision says beside its number and times. */
export type About = Pick<EventData, 'class' | 'severity' | 'place' | 'origin'> &
  Pick<Partial<EventData>, 'suppressed' | 'children'> & {
    /** UTC ms. */
    seenAt: number;
  };

/** Something that tells at most one event at a time, with a state that is kept beside it across restarts. */
export abstract class Telling {
  open: OpenEvent | null = null;
  /** Revisions that wait for the disk, and whether the state beside them changed. */
  readonly unsaved: Buffer[] = [];
  dirty = false;
  saving: Promise<void> | null = null;

  /** The rows that are kept: null where there is nothing to keep. Times in them are UTC ms. */
  abstract stored(clock: Clock): StateChange[];
  abstract about(now: number): About;
}

/** What makes UTC ms of the monotonic ms of now. */
export const toUtc = (clock: Clock): number => clock.now() - clock.monotonic();

const RETRY_MS = 1000;
/** Revisions that wait for a broken disk; beyond it what tells them rests until the disk is back. */
export const UNSAVED_MAX = 100;

export interface TellerDeps {
  edge: string;
  outbox: Pick<Outbox, 'append'>;
  clock: Clock;
  log: Log;
}

/** Makes the revisions of events, and puts them into the outbox in one transaction with the state that they come from. */
export class EventTeller {
  readonly #deps: TellerDeps;
  /** What changed in this turn and is saved at its end. */
  readonly #touched = new Set<Telling>();
  readonly #saving = new Set<Promise<void>>();
  readonly #stopping = new AbortController();

  constructor(deps: TellerDeps) {
    this.#deps = deps;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.allSettled(this.#saving);
  }

  /** Monotonic ms: since when it has been so, and when it was sure. */
  raise(telling: Telling, { since, at }: { since: number; at: number }, confidence = 1): void {
    const utc = toUtc(this.#deps.clock);
    // 80 random bits: no two nodes of a city, nor two lives of one, make the same.
    const event = `${this.#deps.edge.slice(0, 40)}-${randomBytes(10).toString('hex')}`;
    const [startedAt, confirmedAt] = [Math.round(utc + since), Math.round(utc + at)];
    const updatedAt = this.#deps.clock.now();
    telling.open = { event, revision: 1, startedAt, confirmedAt, updatedAt, ...(confidence === 1 ? {} : { confidence }) };
    this.#revise(telling, telling.open, 'gewu.event.raised');
  }

  /** Somebody else has said what he sees of it; `confidence` is that of both. */
  heard(telling: Telling, said: Required<Pick<OpenEvent, 'second' | 'evidence' | 'confidence'>>): void {
    if (telling.open === null) return;
    telling.open = { ...telling.open, ...said };
    this.update(telling);
  }

  /** It is still so. */
  update(telling: Telling): void {
    if (telling.open === null) return;
    telling.open = { ...telling.open, revision: telling.open.revision + 1, updatedAt: this.#deps.clock.now() };
    this.#revise(telling, telling.open, 'gewu.event.updated');
  }

  clear(telling: Telling, at: number): void {
    if (telling.open === null) return;
    const open = { ...telling.open, revision: telling.open.revision + 1 };
    telling.open = null;
    // A clock that was set back must not end it before it began.
    const clearedAt = Math.max(open.startedAt, Math.round(toUtc(this.#deps.clock) + at));
    this.#revise(telling, open, 'gewu.event.cleared', clearedAt);
  }

  #revise(telling: Telling, open: OpenEvent, type: EventType, clearedAt?: number): void {
    const { edge, clock } = this.#deps;
    const { seenAt, suppressed, ...about } = telling.about(clock.now());
    // What people were told of is theirs, and what is over before they were stays a record.
    const recorded = clearedAt === undefined ? suppressed && (open.revision === 1 || open.recorded) : open.recorded;
    if (telling.open !== null) telling.open = { ...open, recorded: recorded === true };
    const data: EventData = {
      revision: open.revision,
      edge,
      confidence: open.confidence ?? 1,
      ...about,
      startedAt: open.startedAt,
      confirmedAt: open.confirmedAt,
      lastSeenAt: Math.max(seenAt, open.startedAt),
      ...(clearedAt === undefined ? {} : { clearedAt }),
      evidence: open.evidence ?? [],
      ...(open.second === undefined ? {} : { secondSource: open.second }),
      ...(recorded ? { suppressed: 'maintenance' } : {}),
    };
    telling.unsaved.push(Buffer.from(JSON.stringify(toEventRecord(open.event, type, clock.now(), data))));
    this.changed(telling);
  }

  /** The state beside its event changed. */
  changed(telling: Telling): void {
    telling.dirty = true;
    this.#touched.add(telling);
  }

  /** Who saves next must wait for it too: an earlier change of it waits for the disk. */
  concerns(telling: Telling): void {
    if (telling.saving) this.#touched.add(telling);
  }

  /**
   * Saves what this turn changed; begins in this very turn of the loop, so that the reading and what follows from it share
   * a transaction. Resolves when all of it is durable; undefined when there is nothing to wait for.
   */
  save(): Promise<unknown> | undefined {
    if (this.#touched.size === 0) return undefined;
    const saves: Promise<void>[] = [];
    for (const telling of this.#touched) {
      const saving = this.#save(telling);
      if (saving) saves.push(saving);
    }
    this.#touched.clear();
    return saves.length === 0 ? undefined : Promise.all(saves);
  }

  #save(telling: Telling): Promise<void> | null {
    if (!telling.dirty) return telling.saving;
    if (telling.saving === null) {
      const saving = this.#write(telling);
      telling.saving = saving;
      this.#saving.add(saving);
      saving.catch(() => undefined).finally(() => this.#saving.delete(saving));
    }
    return telling.saving;
  }

  /** An event is not given up while the node runs: a full or broken disk is waited for. */
  async #write(telling: Telling): Promise<void> {
    const { outbox, log, clock } = this.#deps;
    try {
      while (telling.dirty) {
        telling.dirty = false;
        const records = telling.unsaved.slice();
        const state = telling.stored(clock);
        try {
          await outbox.append('events', records, state);
          telling.unsaved.splice(0, records.length);
        } catch (error) {
          telling.dirty = true;
          const rule = state[0]?.key;
          log.error({ rule, error: (error as Error).message }, 'an event waits for the outbox');
          await pause(RETRY_MS, undefined, { signal: this.#stopping.signal }).catch(() => {
            throw new GewuError('GEWU_OUTBOX_BROKEN', `${rule}: not on disk when the node stopped`, { cause: error });
          });
        }
      }
    } finally {
      // In the same turn as the last look at `dirty`: nobody may take this for a writer that still looks.
      telling.saving = null;
    }
  }
}

/** JSON of an earlier life; null when it is none. */
export function parseStored<T>(text: string | undefined): T | null {
  if (text === undefined) return null;
  try {
    return JSON.parse(text) as T;
  } catch {
    return null;
  }
}
