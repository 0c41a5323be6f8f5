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
    const touched = new Map<string, Set<number>>();
    const outgoing: Outgoing[] = [];
    for (let index = 0; index < lines.length; index++) {
      const line = lines[index] as string;
      const fault = this.#check(line, touched);
      if (fault !== null) verdicts[index] = refused(fault);
      else outgoing.push({ index, line: this.#hasSeq(line) ? line : this.#marked(line) });
    }
    if (outgoing.length === 0) return verdicts;
    const markers = this.#dirty.markersFor(touched);
    const answer = await this.#client.write(`${textOf(outgoing)}\n${markers.lines}`);
    markers.answered(isStored(answer));
    if (!isStored(answer)) {
      await this.#refuse(answer);
      // The notes count as points, too: from here on lines travel alone, so that numbers in answers are numbers of lines.
      await this.#settle(outgoing, verdicts);
      await this.#dirty.note(touched);
    }
    return verdicts;
  }

  /** Notes the hour; null, or why it is not sent. */
  #check(line: string, touched: Map<string, Set<number>>): string | null {
    const scan = this.#scan;
    const fault = scan.scan(line, 0, line.length);
    if (fault !== null) return fault;
    if (scan.ts > TS_MAX) return 'time is out of range';
    const kind = line.slice(0, scan.kindEnd);
    let hours = touched.get(kind);
    if (!hours) {
      hours = new Set();
      touched.set(kind, hours);
    }
    hours.add(floorTo(scan.ts, HOUR_MS));
    return null;
  }

  #hasSeq(line: string): boolean {
    const { fieldCount, nameStart, nameEnd } = this.#scan;
    for (let i = fieldCount - 1; i >= 0; i--) {
      const start = nameStart[i] as number;
      if ((nameEnd[i] as number) - start === 3 && line.startsWith('seq', start)) return true;
    }
    return false;
  }

  #marked(line: string): string {
    const at = this.#scan.fieldsStart;
    return `${line.slice(0, at)}${MARK}=true,${line.slice(at)}`;
  }

  /** Sends parts until each line has its verdict. */
  async #settle(outgoing: readonly Outgoing[], verdicts: Verdict[]): Promise<void> {
    const answer = await this.#client.write(textOf(outgoing));
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
