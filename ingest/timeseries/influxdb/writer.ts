import { GewuError } from '#service/mod.ts';
import { fieldsStart, isNumbered, type ReadingsBlock } from '../../lines/mod.ts';
import type { LineRefusal } from '../../ports.ts';
import type { InfluxClient, WriteAnswer } from './client.ts';
import type { DirtyHours } from './dirty.ts';

/** A field that marks readings without `seq`, so that readings can be counted. A dot is in no name of a device. */
export const MARK = 'gewu.n';

/** A line that is ready to be sent, with its place: which block, and its number there. */
interface Outgoing {
  block: number;
  index: number;
  /** As it came, and as it goes. */
  line: string;
  sent: string;
}

const SEPARATOR = Buffer.from('\n');

/**
 * Sends blocks of lines as they lie, and finds out what became of each line. InfluxDB stores the good ones of a request
 * and names one reason and a number for the rest; since writing twice is writing once, halves are sent again until each
 * line has its verdict.
 */
export class InfluxWriter {
  readonly #client: InfluxClient;
  readonly #dirty: DirtyHours;

  constructor(client: InfluxClient, dirty: DirtyHours) {
    this.#client = client;
    this.#dirty = dirty;
  }

  /** Throws GEWU_STORE_UNAVAILABLE: nothing of it counts then. */
  async write(blocks: readonly ReadingsBlock[]): Promise<LineRefusal[][]> {
    const refusals: LineRefusal[][] = blocks.map(() => []);
    if (blocks.length === 0) return refusals;
    const touched = allHours(blocks);
    const markers = this.#dirty.markersFor(touched);
    const answer = await this.#client.write(...bodyOf(blocks), Buffer.from(markers.lines, 'latin1'));
    markers.answered(isStored(answer));
    if (!isStored(answer)) {
      await this.#refuse(answer);
      // The notes count as points, too: from here on lines travel alone, so that numbers in answers are numbers of lines.
      const outgoing = blocks.flatMap(outgoingOf);
      await this.#settle(outgoing, ({ block, index, line }, reason) =>
        refusals[block]?.push({ index, line, code: 'GEWU_STORE_REJECTED', reason }),
      );
      await this.#dirty.note(touched);
    }
    return refusals;
  }

  /** Sends parts until each line has its verdict. */
  async #settle(outgoing: readonly Outgoing[], refuse: (line: Outgoing, reason: string) => void): Promise<void> {
    const answer = await this.#client.write(Buffer.from(textOf(outgoing), 'latin1'));
    if (isStored(answer)) return;
    await this.#refuse(answer);
    if (outgoing.length === 1 || droppedOf(answer.reason) === outgoing.length) {
      for (const line of outgoing) refuse(line, `InfluxDB: ${answer.reason.slice(0, 400)}`);
      return;
    }
    for (const part of split(outgoing, answer.reason)) await this.#settle(part, refuse);
  }

  /** Throws unless the answer is about the lines themselves. */
  async #refuse(answer: WriteAnswer): Promise<void> {
    // Somebody dropped the database: make it again, the lines come again.
    if (answer.status === 404) await this.#client.prepare();
    if (!isAboutLines(answer)) throw new GewuError('GEWU_STORE_UNAVAILABLE', `InfluxDB: ${answer.status} ${answer.reason}`);
  }
}

/** The blocks one after the other, each followed by a newline; only those with lines that need the mark are made anew. */
function bodyOf(blocks: readonly ReadingsBlock[]): Buffer[] {
  return blocks.flatMap((block, i) => [
    block.numbered ? block.bytes : Buffer.from(textOf(outgoingOf(block, i)), 'latin1'),
    SEPARATOR,
  ]);
}

function outgoingOf(block: ReadingsBlock, i: number): Outgoing[] {
  return block.lines().map(({ index, line }) => ({ block: i, index, line, sent: marked(line) }));
}

function marked(line: string): string {
  if (isNumbered(line)) return line;
  const at = fieldsStart(line);
  return `${line.slice(0, at)}${MARK}=true,${line.slice(at)}`;
}

function allHours(blocks: readonly ReadingsBlock[]): ReadonlyMap<string, ReadonlySet<number>> {
  const all = new Map<string, Set<number>>();
  for (const { hours } of blocks) for (const [kind, of] of hours) all.set(kind, new Set([...(all.get(kind) ?? []), ...of]));
  return all;
}

function textOf(outgoing: readonly Outgoing[]): string {
  return outgoing.map((o) => o.sent).join('\n');
}

function isStored({ status }: WriteAnswer): boolean {
  return status >= 200 && status < 300;
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
