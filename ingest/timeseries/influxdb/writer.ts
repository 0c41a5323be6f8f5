import { GewuError } from '#service/mod.ts';
import { ACCEPTED, type Verdict } from '../../ports.ts';
import { floorTo } from '../aggregate.ts';
import { TS_MAX } from '../plan.ts';
import { LineScanner } from '../scan.ts';
import { HOUR_MS } from '../store.ts';
import type { InfluxClient, WriteAnswer } from './client.ts';
import type { DirtyHours } from './dirty.ts';

/** A field that marks readings without `seq`, so that readings can be counted. A dot is in no name of a device. */
export const MARK = 'gewu.n';

const NEWLINE = 0x0a;
const SEQ = Buffer.from('seq');

/** Lines of one write, checked. */
interface Batch {
  /** All of them, joined by newlines. */
  bytes: Buffer;
  /** Hours by kind that the good ones fall into. */
  touched: Map<string, Set<number>>;
  /** All are good and none needs a mark. */
  asTheyCame: boolean;
  /** Those without a verdict against them. */
  outgoing(): Outgoing[];
}

/** A line that is ready to be sent, with its place among the verdicts. */
interface Outgoing {
  index: number;
  line: string;
}

/**
 * Sends lines, and finds out what became of each. InfluxDB stores the good ones of a request and names one reason and a
 * number for the rest; since writing twice is writing once, halves are sent again until each line has its verdict.
 */
export class InfluxWriter {
  readonly #client: InfluxClient;
  readonly #dirty: DirtyHours;
  readonly #scan = new LineScanner();

  constructor(client: InfluxClient, dirty: DirtyHours) {
    this.#client = client;
    this.#dirty = dirty;
  }

  /** Throws GEWU_STORE_UNAVAILABLE: nothing of it counts then. */
  async write(lines: readonly string[]): Promise<Verdict[]> {
    const verdicts: Verdict[] = new Array<Verdict>(lines.length).fill(ACCEPTED);
    const batch = this.#check(lines, verdicts);
    if (batch.touched.size === 0) return verdicts;
    const markers = this.#dirty.markersFor(batch.touched);
    // Nearly always every line goes as it came.
    const body = batch.asTheyCame ? batch.bytes : Buffer.from(textOf(batch.outgoing()), 'latin1');
    const answer = await this.#client.write(body, Buffer.from(`\n${markers.lines}`, 'latin1'));
    markers.answered(isStored(answer));
    if (!isStored(answer)) {
      await this.#refuse(answer);
      // The notes count as points, too: from here on lines travel alone, so that numbers in answers are numbers of lines.
      await this.#settle(batch.outgoing(), verdicts);
      await this.#dirty.note(batch.touched);
    }
    return verdicts;
  }

  /** Refuses what is no canonical line, and notes the hours of the others. */
  #check(lines: readonly string[], verdicts: Verdict[]): Batch {
    const scan = this.#scan;
    // A line with a newline in it would become two.
    const bytes = Buffer.from(lines.map((line) => (line.includes('\n') ? 'newline' : line)).join('\n'), 'utf8');
    const touched = new Map<string, Set<number>>();
    /** Where the mark goes in lines that need one. */
    const marks = new Map<number, number>();
    let refusals = 0;
    let start = 0;
    for (let index = 0; index < lines.length; index++) {
      const newline = bytes.indexOf(NEWLINE, start);
      const end = newline < 0 ? bytes.length : newline;
      const fault = scan.scan(bytes, start, end) ?? (scan.ts > TS_MAX ? 'time is out of range' : null);
      if (fault === null) {
        touch(touched, bytes.toString('latin1', start, scan.kindEnd), floorTo(scan.ts, HOUR_MS));
        if (!hasSeq(bytes, scan)) marks.set(index, scan.fieldsStart - start);
      } else {
        verdicts[index] = refused(fault);
        refusals++;
      }
      start = end + 1;
    }
    const outgoing = () =>
      lines.flatMap((line, index) => (verdicts[index]?.ok === true ? [{ index, line: marked(line, marks.get(index)) }] : []));
    return { bytes, touched, asTheyCame: refusals === 0 && marks.size === 0, outgoing };
  }

  /** Sends parts until each line has its verdict. */
  async #settle(outgoing: readonly Outgoing[], verdicts: Verdict[]): Promise<void> {
    const answer = await this.#client.write(Buffer.from(textOf(outgoing), 'latin1'));
    if (isStored(answer)) return;
    await this.#refuse(answer);
    if (outgoing.length === 1 || droppedOf(answer.reason) === outgoing.length) {
      for (const { index } of outgoing) verdicts[index] = refused(`InfluxDB: ${answer.reason.slice(0, 400)}`);
      return;
    }
    for (const part of split(outgoing, answer.reason)) await this.#settle(part, verdicts);
  }

  /** Throws unless the answer is about the lines themselves. */
  async #refuse(answer: WriteAnswer): Promise<void> {
    // Somebody dropped the database: make it again, the lines come again.
    if (answer.status === 404) await this.#client.prepare();
    if (!isAboutLines(answer)) throw new GewuError('GEWU_STORE_UNAVAILABLE', `InfluxDB: ${answer.status} ${answer.reason}`);
  }
}

function touch(touched: Map<string, Set<number>>, kind: string, hour: number): void {
  const hours = touched.get(kind);
  if (hours) hours.add(hour);
  else touched.set(kind, new Set([hour]));
}

function hasSeq(bytes: Buffer, { fieldCount, nameStart, nameEnd }: LineScanner): boolean {
  for (let i = fieldCount - 1; i >= 0; i--) {
    const start = nameStart[i] as number;
    if ((nameEnd[i] as number) - start === 3 && bytes.compare(SEQ, 0, 3, start, start + 3) === 0) return true;
  }
  return false;
}

/** `at` is where the fields begin; the line as it is when it needs no mark. */
function marked(line: string, at: number | undefined): string {
  return at === undefined ? line : `${line.slice(0, at)}${MARK}=true,${line.slice(at)}`;
}

function textOf(outgoing: readonly Outgoing[]): string {
  return outgoing.map((o) => o.line).join('\n');
}

function isStored({ status }: WriteAnswer): boolean {
  return status >= 200 && status < 300;
}

function refused(reason: string): Verdict {
  return { ok: false, code: 'GEWU_STORE_REJECTED', reason };
}

/** 400: some lines are refused, or the body is not understood. 413: too large, smaller parts may pass. */
function isAboutLines({ status, reason }: WriteAnswer): boolean {
  return (status === 400 && !reason.includes('database is required')) || status === 413;
}

function droppedOf(reason: string): number {
  const m = /dropped=(\d+)/.exec(reason);
  return m ? Number(m[1]) : -1;
}

/** First those that the reason may mean, apart from the others; halves when it tells nothing. Never an empty part. */
function split(outgoing: readonly Outgoing[], reason: string): Outgoing[][] {
  const conflict = /input field "([A-Za-z0-9_-]+)" on measurement "([A-Za-z0-9_-]+)" is type (\w+)/.exec(reason);
  if (conflict) {
    const [, field, kind, type] = conflict as unknown as [string, string, string, string];
    const value = type === 'boolean' ? '[tf]' : '[-0-9]';
    const meant = new RegExp(`^${kind},[^ ]* (?:[^ ]*,)?${field}=${value}`);
    const suspects = outgoing.filter((o) => meant.test(o.line));
    if (suspects.length > 0 && suspects.length < outgoing.length) return [outgoing.filter((o) => !meant.test(o.line)), suspects];
  }
  const half = outgoing.length >> 1;
  return [outgoing.slice(0, half), outgoing.slice(half)];
}
