import type { EventClass, EvidenceRef, Place, SecondSource } from '#grid/mod.ts';
import type { EventRecord, HealthLine } from '#grid/wire/mod.ts';

/** Where rules and zones put what they found. Durable in the events lane when it resolves. */
export interface EventSink {
  emit(event: EventRecord): Promise<void>;
}

/** Where states, counters and dead letters go. Durable in the health lane when it resolves. */
export interface HealthSink {
  report(record: HealthLine): Promise<void>;
}

/** What the centre has said last about the case of an event; `unknown`: nothing, or it has no case; `unfounded`: rejected. */
export type CaseStanding = 'open' | 'closed' | 'unfounded' | 'unknown';

/** What the centre says about the cases of our events: an open case silences, a closed one re-arms, a rejected one silences what still stands. */
export interface CaseStates {
  stateOf(event: string): CaseStanding;
}

/** An alarm that somebody else might see. */
export interface Question {
  event: string;
  class: EventClass;
  place: Place;
}
export interface Testimony {
  second: SecondSource;
  evidence: EvidenceRef[];
}

/** Whom a critical alarm of a sensor is held against. Answers in any case, within seconds, and never throws. */
export interface SecondSources {
  ask(question: Question): Promise<Testimony>;
}
