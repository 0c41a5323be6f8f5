import { classKey, type EventRecord } from '#grid/mod.ts';

/**
 * What became of events. Counted in revisions: an event that is raised and cleared is two. Null is what nobody can say:
 * devices do not tell events, so that only the edges under test know how many there were.
 */
export interface EventCounts {
  /** Who says what was sent: the generator, where it is the edges; the counters of the edges under test; or nobody. */
  by: 'generator' | 'edges' | 'nobody';
  sent: number | null;
  /** Of them, those that the centre said it has. */
  acked: number | null;
  /** A higher revision stands for those before it. */
  stored: number | null;
  /** Acknowledged, and neither it nor a later revision is stored. */
  lost: number | null;
  /** The same event once more, each time. */
  duplicated: number | null;
  /** Stored and never sent, or with another content. */
  unexpected: number | null;
  /** Events whose first revision came to the centre later than `lateMs` after they were confirmed. */
  late: number | null;
  /** Examples of what is wrong, and why something is null. */
  notes: string[];
}

/** What the centre has of an event. */
export interface EventSeen {
  record: Pick<EventRecord, 'subject'> & { data: EventSaid };
  receivedAt: number;
}
type EventSaid = Pick<EventRecord['data'], 'revision' | 'class' | 'place' | 'startedAt' | 'confirmedAt'>;

/** Everything that was said of one event: its last record, and which revisions were acknowledged. */
export interface EventTold {
  last: Pick<EventRecord, 'subject'> & { data: EventSaid };
  acked: ReadonlySet<number>;
}

/** Of one generator; how many more there are is the last of them. */
const NOTES_MAX = 1_000;

/** Holds what the centre has against what was told, subject by subject and revision by revision. Pure. */
export function compareEvents(told: ReadonlyMap<string, EventTold>, stored: readonly EventSeen[], lateMs: number): EventCounts {
  const counts = { sent: 0, acked: 0, stored: 0, lost: 0, duplicated: 0, unexpected: 0, late: 0 };
  const notes: string[] = [];
  let more = 0;
  const note = (text: string) => (notes.length < NOTES_MAX ? notes.push(text) : more++);
  const seen = new Map<string, EventSeen>();
  for (const event of stored) {
    const { subject, data } = event.record;
    const said = told.get(subject)?.last.data;
    if (seen.has(subject)) {
      counts.duplicated++;
      note(`duplicated ${subject}`);
    } else if (said === undefined || data.revision > said.revision) {
      counts.unexpected++;
      note(`unexpected ${subject}: revision ${data.revision}, ${said === undefined ? 'never' : said.revision} told`);
    } else {
      const differs = differencesOf(said, data);
      if (differs.length > 0) counts.unexpected++;
      for (const text of differs) note(`unexpected ${subject}: ${text}`);
    }
    seen.set(subject, event);
    if (event.receivedAt - data.confirmedAt > lateMs) counts.late++;
  }
  for (const [subject, { last, acked }] of told) {
    const has = seen.get(subject)?.record.data.revision ?? 0;
    const lost = [...acked].filter((revision) => revision > has);
    counts.sent += last.data.revision;
    counts.acked += acked.size;
    counts.stored += Math.min(has, last.data.revision);
    counts.lost += lost.length;
    if (lost.length > 0)
      note(`lost ${subject} of ${last.data.place.component ?? last.data.place.cell}: revision ${lost.join(', ')}`);
  }
  if (more > 0) notes.push(`and ${more} more`);
  return { by: 'generator', ...counts, notes };
}

function differencesOf(sent: EventSaid, stored: EventSaid): string[] {
  const of = ({ class: what, place: { lon, lat, component, cell }, startedAt, confirmedAt }: EventSaid) => {
    return { class: classKey(what), lon, lat, component, cell, startedAt, confirmedAt };
  };
  const [a, b] = [of(sent), of(stored)];
  return (Object.keys(a) as (keyof typeof a)[])
    .filter((name) => a[name] !== b[name])
    .map((name) => `${name} sent ${a[name]}, stored ${b[name]}`);
}

const COUNTS = ['sent', 'acked', 'stored', 'lost', 'duplicated', 'unexpected', 'late'] as const;

/** Where nothing can be said. */
export function noEvents(why: string): EventCounts {
  const nothing = Object.fromEntries(COUNTS.map((name) => [name, null])) as Record<(typeof COUNTS)[number], null>;
  return { by: 'nobody', ...nothing, notes: [why] };
}

/** Of several generators, or several edges: what one of them cannot say nobody can say of all. */
export function addUpEvents(parts: readonly EventCounts[]): EventCounts {
  if (parts.length === 0) return noEvents('nobody tells any');
  const by = parts.find((p) => p.by === 'nobody')?.by ?? parts[0]?.by ?? 'nobody';
  const sums = COUNTS.map((name) => {
    const all = parts.map((p) => p[name]);
    return [name, all.every((n) => n !== null) ? all.reduce((sum, n) => sum + n, 0) : null];
  });
  const counts = Object.fromEntries(sums) as Record<(typeof COUNTS)[number], number | null>;
  return { by, ...counts, notes: parts.flatMap((p) => p.notes) };
}
