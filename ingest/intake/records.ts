import { isUtf8 } from 'node:buffer';
import {
  checkEvent,
  checkHealthLine,
  type EdgeDeadLetter,
  type EventRecord,
  type FrameHeader,
  type HealthLine,
} from '#grid/wire/mod.ts';
import type { DeadLetter, Verdict } from '../ports.ts';
import { LineScanner } from '../timeseries/mod.ts';
import { deadLetter, deadLetterId, type Fault, originOf } from './dead_letter.ts';

/** What a frame's body holds: records for the sink, and dead letters. */
export interface Parsed<T> {
  records: Accepted<T>[];
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
export type Parse<T> = (header: FrameHeader, body: Buffer, now: number) => Parsed<T>;

/** Dead letters of one frame; what is beyond shares one, so that a hostile frame of a million empty lines stays cheap. */
const LETTERS_PER_FRAME_MAX = 1_000;
/** Readings from before it come from a clock that was never set. */
const TS_MIN = Date.UTC(2015, 0, 1);

/** Readings: every line canonical, its `edge` tag the topic's, its time sane. A line is scanned where it lies. */
export function readingsParser(futureMsMax: number): Parse<string> {
  const scan = new LineScanner();
  return (header, body, now) => {
    const text = body.toString('latin1');
    const out = new Collector<string>(header, now, 'readings');
    const tsMax = now + futureMsMax;
    const { edge } = header;
    eachLine(text, (start, end) => {
      const fault = scan.scan(body, start, end) ?? foreign(text, scan, edge) ?? untimely(scan.ts, tsMax);
      const line = text.slice(start, end);
      if (fault === null) out.accept(line, line);
      else out.reject(line, { code: 'GEWU_LINE_INVALID', reason: fault }, /,device=([A-Za-z0-9_-]{1,64}),/.exec(line)?.[1]);
    });
    return out.finish();
  };
}

export const parseEvents: Parse<EventRecord> = (header, body, now) => {
  const out = new Collector<EventRecord>(header, now, 'events');
  eachJson(body, out, 'GEWU_EVENT_INVALID', (value, line) => {
    if (!checkEvent.Check(value)) return out.reject(line, { code: 'GEWU_EVENT_INVALID', reason: firstError(checkEvent, value) });
    const { edge } = header;
    let reason: string | null = null;
    if (value.data.edge !== edge || value.source !== `/edges/${edge}`) reason = `names edge ${value.data.edge}, ${value.source}`;
    else if (value.id !== `${value.subject}.${value.data.revision}`) reason = `id ${value.id} is not subject and revision`;
    if (reason === null) out.accept(value, line);
    else out.reject(line, { code: 'GEWU_EVENT_INVALID', reason }, value.subject);
  });
  return out.finish();
};

/** What the edge could not use travels in this lane as well, and goes to the dead letters as it is. */
export const parseHealth: Parse<HealthLine> = (header, body, now) => {
  const out = new Collector<HealthLine>(header, now, 'health');
  eachJson(body, out, 'GEWU_HEALTH_INVALID', (value, line) => {
    if (!checkHealthLine.Check(value))
      return out.reject(line, { code: 'GEWU_HEALTH_INVALID', reason: firstError(checkHealthLine, value) });
    if (value.edge !== header.edge)
      return out.reject(line, { code: 'GEWU_HEALTH_INVALID', reason: `names edge ${value.edge}` }, value.id);
    if (value.of === 'dead-letter') out.forward(value, line);
    else out.accept(value, line);
  });
  return out.finish();
};

/** The dead letter of a record that the sink refused. */
export function refusedLetter<T>(
  header: FrameHeader,
  { index, line }: Accepted<T>,
  verdict: Verdict & { ok: false },
  ts: number,
) {
  return deadLetter(originOf(header, index), line, verdict, { ts, hop: header.lane });
}

class Collector<T> {
  readonly #header: FrameHeader;
  readonly #now: number;
  readonly #hop: string;
  readonly #parsed: Parsed<T> = { records: [], letters: [], lines: 0, rejected: 0 };
  #suppressed = 0;

  constructor(header: FrameHeader, now: number, hop: string) {
    this.#header = header;
    this.#now = now;
    this.#hop = hop;
  }

  accept(record: T, line: string): void {
    this.#parsed.records.push({ record, index: this.#parsed.lines++, line });
  }

  reject(line: string, fault: Fault, source = ''): void {
    const index = this.#parsed.lines++;
    this.#parsed.rejected++;
    if (this.#parsed.letters.length >= LETTERS_PER_FRAME_MAX) {
      this.#suppressed++;
      return;
    }
    this.#parsed.letters.push(deadLetter(originOf(this.#header, index), line, fault, { ts: this.#now, hop: this.#hop, source }));
  }

  /** A dead letter of the edge becomes one of ours. */
  forward({ ts, edge, id, code, reason, payload }: EdgeDeadLetter, line: string): void {
    const index = this.#parsed.lines++;
    if (this.#parsed.letters.length >= LETTERS_PER_FRAME_MAX) {
      this.#suppressed++;
      return;
    }
    const letterId = deadLetterId(originOf(this.#header, index), line);
    this.#parsed.letters.push({ id: letterId, ts, edge, hop: 'device', source: id, code, reason, payload });
  }

  finish(): Parsed<T> {
    const { lines } = this.#parsed;
    const { count, first } = this.#header;
    if (this.#suppressed > 0) this.#aboutFrame(`${this.#suppressed} more lines of this frame`, first + 1);
    // What is there counts; what is missing must not go unseen.
    if (lines !== count) this.#aboutFrame(`the header says ${count} records, the body has ${lines}`, first);
    return this.#parsed;
  }

  #aboutFrame(reason: string, sequence: number): void {
    const origin = { ...originOf(this.#header, 0), sequence };
    this.#parsed.letters.push(
      deadLetter(origin, JSON.stringify(this.#header), { code: 'GEWU_FRAME_INVALID', reason }, { ts: this.#now, hop: 'frame' }),
    );
  }
}

function foreign(text: string, scan: LineScanner, edge: string): string | null {
  if (scan.edgeEnd - scan.edgeStart === edge.length && text.startsWith(edge, scan.edgeStart)) return null;
  return `names edge ${text.slice(scan.edgeStart, scan.edgeEnd)}`;
}

function untimely(ts: number, tsMax: number): string | null {
  if (ts > tsMax) return `its time ${ts} is in the future`;
  return ts < TS_MIN ? `its time ${ts} is before 2015` : null;
}

/** Lines between newlines; the last one may end with one or not. */
function eachLine(text: string, body: (start: number, end: number) => void): void {
  let start = 0;
  while (start < text.length) {
    const newline = text.indexOf('\n', start);
    const end = newline < 0 ? text.length : newline;
    body(start, end);
    start = end + 1;
  }
}

function eachJson<T>(body: Buffer, out: Collector<T>, code: Fault['code'], take: (value: unknown, line: string) => void): void {
  // Bytes that are no UTF-8 would become replacement characters and pass as text.
  const utf8 = isUtf8(body);
  const text = body.toString(utf8 ? 'utf8' : 'latin1');
  eachLine(text, (start, end) => {
    const line = text.slice(start, end);
    if (!utf8 && !isUtf8(Buffer.from(line, 'latin1'))) return out.reject(line, { code, reason: 'not UTF-8' });
    let value: unknown;
    try {
      value = JSON.parse(utf8 ? line : Buffer.from(line, 'latin1').toString('utf8'));
    } catch (error) {
      return out.reject(line, { code, reason: (error as Error).message });
    }
    take(value, line);
  });
}

function firstError(
  check: { Errors(value: unknown): Iterable<{ instancePath: string; message: string }> },
  value: unknown,
): string {
  for (const { instancePath, message } of check.Errors(value)) return `${instancePath || '(root)'} ${message}`;
  return 'breaks the schema';
}
