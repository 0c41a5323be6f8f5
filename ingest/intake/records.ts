import { isUtf8 } from 'node:buffer';
import {
  checkEvent,
  checkHealthLine,
  type EdgeDeadLetter,
  type EventRecord,
  type FrameHeader,
  type HealthReport,
} from '#grid/wire/mod.ts';
import { GewuError } from '#service/mod.ts';
import { type ReadingsBlock, scanReadings } from '../lines/mod.ts';
import type { DeadLetter, Verdict } from '../ports.ts';
import { deadLetter, deadLetterId, type Fault, originOf } from './dead_letter.ts';

/** What a frame's body holds: a batch for the sink, and dead letters. */
export interface Parsed<B> {
  /** Null when nothing of it can be used. */
  batch: B | null;
  letters: DeadLetter[];
  /** Lines in the body. */
  lines: number;
  /** Lines that became no record. */
  rejected: number;
}

/** A record with what is needed to make a dead letter of it, should the sink refuse it. */
export interface Accepted<T> {
  record: T;
  index: number;
  line: string;
}

/** How the records of one lane are read. `now` is UTC ms. Never throws. */
export type Parse<B> = (header: FrameHeader, body: Buffer, now: number) => Parsed<B>;

/** Makes batches durable, but for the records that it tells, by batch. Throws when nothing of it counts. */
export type Store<B> = (batches: readonly B[]) => Promise<readonly (readonly Refusal[])[]>;

/** A record that a sink refused, by its number in the body. */
export interface Refusal extends Fault {
  index: number;
  line: string;
}

/** Dead letters of one frame; what is beyond shares one, so that a hostile frame of a million empty lines stays cheap. */
const LETTERS_PER_FRAME_MAX = 1_000;
/** Readings: every line canonical, its `edge` tag the topic's, its time sane. */
export function readingsParser(futureMsMax: number): Parse<ReadingsBlock> {
  return (header, body, now) => {
    const letters = new Letters(header, now, 'readings');
    const block = scanReadings(body, { edge: header.edge, tsMax: now + futureMsMax }, (index, line, reason) =>
      letters.reject(index, line, { code: 'GEWU_LINE_INVALID', reason }, /,device=([A-Za-z0-9_-]{1,64}),/.exec(line)?.[1]),
    );
    return letters.finish(block, (block?.count ?? 0) + letters.rejected);
  };
}

export const parseEvents: Parse<Accepted<EventRecord>[]> = (header, body, now) => {
  const letters = new Letters(header, now, 'events');
  const code = 'GEWU_EVENT_INVALID';
  return eachJson({ body, letters, code }, (value, index, line) => {
    if (!checkEvent.Check(value)) return letters.reject(index, line, { code, reason: firstError(checkEvent, value) });
    const { edge } = header;
    let reason: string | null = null;
    if (value.data.edge !== edge || value.source !== `/edges/${edge}`) reason = `names edge ${value.data.edge}, ${value.source}`;
    else if (value.id !== `${value.subject}.${value.data.revision}`) reason = `id ${value.id} is not subject and revision`;
    if (reason === null) return value;
    return letters.reject(index, line, { code, reason }, value.subject);
  });
};

/** What the edge could not use travels in this lane as well, and goes to the dead letters as it is. */
export const parseHealth: Parse<Accepted<HealthReport>[]> = (header, body, now) => {
  const letters = new Letters(header, now, 'health');
  const code = 'GEWU_HEALTH_INVALID';
  return eachJson({ body, letters, code }, (value, index, line) => {
    if (!checkHealthLine.Check(value)) return letters.reject(index, line, { code, reason: firstError(checkHealthLine, value) });
    if (value.edge !== header.edge) return letters.reject(index, line, { code, reason: `names edge ${value.edge}` }, value.id);
    return value.of === 'dead-letter' ? letters.forward(index, value, line) : value;
  });
};

/** Hands the records of several frames to a sink that gives a verdict on each. Throws GEWU_INTERNAL when it gives too few. */
export function storeRecords<T>(accept: (records: readonly T[]) => Promise<Verdict[]>): Store<Accepted<T>[]> {
  return async (batches) => {
    const records = batches.flatMap((batch) => batch.map((a) => a.record));
    const verdicts = await accept(records);
    if (verdicts.length !== records.length)
      throw new GewuError('GEWU_INTERNAL', `${verdicts.length} verdicts for ${records.length} records`);
    let i = 0;
    return batches.map((batch) =>
      batch.flatMap(({ index, line }) => {
        const verdict = verdicts[i++] as Verdict;
        return verdict.ok ? [] : [{ index, line, code: verdict.code, reason: verdict.reason }];
      }),
    );
  };
}

/** The dead letter of a record that the sink refused. */
export function refusedLetter(header: FrameHeader, { index, line, code, reason }: Refusal, ts: number): DeadLetter {
  return deadLetter(originOf(header, index), line, { code, reason }, { ts, hop: header.lane });
}

/** The dead letters of one frame. */
class Letters {
  readonly #header: FrameHeader;
  readonly #now: number;
  readonly #hop: string;
  readonly #letters: DeadLetter[] = [];
  #suppressed = 0;
  rejected = 0;

  constructor(header: FrameHeader, now: number, hop: string) {
    this.#header = header;
    this.#now = now;
    this.#hop = hop;
  }

  reject(index: number, line: string, fault: Fault, source = ''): null {
    this.rejected++;
    const about = { ts: this.#now, hop: this.#hop, source };
    return this.#put(() => deadLetter(originOf(this.#header, index), line, fault, about));
  }

  /** A dead letter of the edge becomes one of ours. */
  forward(index: number, { ts, edge, id, code, reason, topic, payload }: EdgeDeadLetter, line: string): null {
    const letterId = () => deadLetterId(originOf(this.#header, index), line);
    return this.#put(() => ({ id: letterId(), ts, edge, hop: 'device', source: id, code, reason, payload, topic }));
  }

  /** `lines` are those in the body. */
  finish<B>(batch: B | null, lines: number): Parsed<B> {
    const { count, first } = this.#header;
    if (this.#suppressed > 0) this.#aboutFrame(`${this.#suppressed} more lines of this frame`, first + 1);
    // What is there counts; what is missing must not go unseen.
    if (lines !== count) this.#aboutFrame(`the header says ${count} records, the body has ${lines}`, first);
    return { batch, letters: this.#letters, lines, rejected: this.rejected };
  }

  #put(letter: () => DeadLetter): null {
    if (this.#letters.length >= LETTERS_PER_FRAME_MAX) this.#suppressed++;
    else this.#letters.push(letter());
    return null;
  }

  #aboutFrame(reason: string, sequence: number): void {
    const origin = { ...originOf(this.#header, 0), sequence };
    this.#letters.push(
      deadLetter(origin, JSON.stringify(this.#header), { code: 'GEWU_FRAME_INVALID', reason }, { ts: this.#now, hop: 'frame' }),
    );
  }
}

interface JsonLines {
  body: Buffer;
  letters: Letters;
  /** Of what is no JSON. */
  code: Fault['code'];
}

/** NDJSON; the last line may end with a newline or not. `take` gives the record of a line, or null. */
function eachJson<T>(
  { body, letters, code }: JsonLines,
  take: (value: unknown, index: number, line: string) => T | null,
): Parsed<Accepted<T>[]> {
  // Bytes that are no UTF-8 would become replacement characters and pass as text.
  const utf8 = isUtf8(body);
  const lines = body.toString(utf8 ? 'utf8' : 'latin1').split('\n');
  if (lines.at(-1) === '') lines.pop();
  const records = lines.flatMap((line, index) => {
    const fault = (reason: string) => letters.reject(index, line, { code, reason });
    const bytes = utf8 ? null : Buffer.from(line, 'latin1');
    if (bytes && !isUtf8(bytes)) return fault('not UTF-8') ?? [];
    let value: unknown;
    try {
      value = JSON.parse(bytes?.toString('utf8') ?? line);
    } catch (error) {
      return fault((error as Error).message) ?? [];
    }
    const record = take(value, index, line);
    return record === null ? [] : [{ record, index, line }];
  });
  return letters.finish(records.length === 0 ? null : records, lines.length);
}

function firstError(
  check: { Errors(value: unknown): Iterable<{ instancePath: string; message: string }> },
  value: unknown,
): string {
  for (const { instancePath, message } of check.Errors(value)) return `${instancePath || '(root)'} ${message}`;
  return 'breaks the schema';
}
