import type { EventRecord } from '#grid/wire/mod.ts';
import { Counter, type Metrics } from '#service/mod.ts';
import type { EventSink } from './events.ts';

/** Events whose last revision is known, at most. */
const KNOWN_MAX = 10_000;

/**
 * Counts the revisions that are told more than once: a camera asks for the case of what it keeps quiet by telling it again.
 * Whoever counts what the edge sent takes them off.
 */
export function countingRepeats(sink: EventSink, metrics: Metrics): EventSink {
  const repeated = new Counter({
    name: 'gewu_edge_events_repeated_total',
    help: 'Revisions of events that were told once more, to hear of their case',
    registers: [metrics],
  });
  const told = new Map<string, number>();
  return {
    async emit(event: EventRecord) {
      const { subject, data } = event;
      const known = told.get(subject) ?? 0;
      await sink.emit(event);
      if (data.revision <= known) repeated.inc();
      else told.delete(subject);
      // Those that were told last stay.
      told.set(subject, Math.max(known, data.revision));
      if (told.size > KNOWN_MAX) told.delete(told.keys().next().value as string);
    },
  };
}
