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

/** What the centre says about the cases of our events: an open case silences, a closed one re-arms. */
export interface CaseStates {
  /** True while the centre says that the case of this event is open; false when it is closed or nothing is known. */
  isOpen(event: string): boolean;
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
