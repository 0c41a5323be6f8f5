import { type Static, Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { CHANNEL_TEXT_BYTES_MAX } from '../database/mod.ts';
import { type NewsItem, TOPICS } from './types.ts';

/**
 * What one replica tells the others at once. `number` goes up by one with each that it tells, and by one more where it could not tell
 * something: who sees a number left out has missed news. Without items it says that its sender runs.
 */
const Envelope = Type.Object({
  from: Type.String({ maxLength: 64 }),
  number: Type.Integer({ minimum: 0 }),
  items: Type.Array(
    Type.Object({ topic: Type.Enum(TOPICS), data: Type.Object({ of: Type.String(), id: Type.String(), ts: Type.Number() }) }),
  ),
});
export type Envelope = Omit<Static<typeof Envelope>, 'items'> & { items: NewsItem[] };

const checked = Compile(Envelope);

/** Null: no envelope of ours, or one of a version that puts it otherwise. */
export function readEnvelope(text: string): Envelope | null {
  try {
    const value: unknown = JSON.parse(text);
    return checked.Check(value) ? (value as unknown as Envelope) : null;
  } catch {
    return null;
  }
}

/** Items as few texts as will go through the channel; one that is too long by itself is left out, and its number with it. */
export function writeEnvelopes(from: string, number: number, items: readonly NewsItem[]): { texts: string[]; next: number } {
  const texts: string[] = [];
  let next = number;
  let parts: string[] = [];
  const bytesMax = CHANNEL_TEXT_BYTES_MAX - Buffer.byteLength(textOf(from, Number.MAX_SAFE_INTEGER, []));
  let bytes = 0;
  const put = () => {
    if (parts.length > 0) texts.push(textOf(from, next++, parts));
    [parts, bytes] = [[], 0];
  };
  for (const item of items) {
    const part = JSON.stringify(item);
    const partBytes = Buffer.byteLength(part) + 1;
    if (bytes + partBytes > bytesMax) put();
    if (partBytes > bytesMax) next++;
    else {
      parts.push(part);
      bytes += partBytes;
    }
  }
  put();
  return { texts, next };
}

/** As JSON.stringify would put it, of items that it has put already. */
export function textOf(from: string, number: number, items: readonly string[]): string {
  return `{"from":${JSON.stringify(from)},"number":${number},"items":[${items.join()}]}`;
}
