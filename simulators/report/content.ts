/** Values as a device says them, and as the API returns them. */
type Values = Readonly<Record<string, number | boolean>>;

/** A reading as it was sent. */
export interface SentReading {
  /** UTC ms. */
  ts: number;
  fields: Values;
}

/** A value that is not what was sent; null where there is none. */
export interface Altered {
  device: string;
  seq: number;
  /** UTC ms at which it was sent to be. */
  ts: number;
  /** `ts` for the time itself. */
  field: string;
  sent: number | boolean | null;
  stored: number | boolean | null;
}

/** Readings of which what was sent is known, held against what is stored of them. */
export interface Content {
  compared: number;
  /** Of them, those of which a value or the time is another. */
  altered: number;
  /** The first of them, value by value. */
  examples: Altered[];
}

const EXAMPLES_MAX = 40;
/** What the edge adds: the device's own number, and how many readings before it said nothing new. */
const ADDED: ReadonlySet<string> = new Set(['seq', 'suppressed']);

/** Of one device: readings by their number against the points of the store. Pure. */
export function compareContent(
  device: string,
  sent: ReadonlyMap<number, SentReading>,
  points: readonly { ts: number; fields: Values }[],
): Content {
  const content: Content = { compared: 0, altered: 0, examples: [] };
  for (const point of points) {
    const seq = Number(point.fields.seq ?? Number.NaN);
    const said = sent.get(seq);
    if (said === undefined) continue;
    const differing = differencesOf(said, point).map((d): Altered => ({ device, seq, ts: said.ts, ...d }));
    content.compared++;
    if (differing.length > 0) content.altered++;
    content.examples.push(...differing.slice(0, EXAMPLES_MAX - content.examples.length));
  }
  return content;
}

function differencesOf(sent: SentReading, stored: { ts: number; fields: Values }): Pick<Altered, 'field' | 'sent' | 'stored'>[] {
  const names = new Set([...Object.keys(sent.fields), ...Object.keys(stored.fields)].filter((name) => !ADDED.has(name)));
  const values = [...names].map((field) => ({
    field,
    sent: sent.fields[field] ?? null,
    stored: stored.fields[field] ?? null,
  }));
  return [{ field: 'ts', sent: sent.ts, stored: stored.ts }, ...values].filter((v) => v.sent !== v.stored);
}

export function addUpContent(parts: readonly Content[]): Content {
  const sum: Content = { compared: 0, altered: 0, examples: [] };
  for (const { compared, altered, examples } of parts) {
    sum.compared += compared;
    sum.altered += altered;
    sum.examples.push(...examples.slice(0, EXAMPLES_MAX - sum.examples.length));
  }
  return sum;
}
