import { randomBytes } from 'node:crypto';
import { GewuError } from '#service/mod.ts';
import { floorTo } from '../aggregate.ts';
import { HOUR_MS } from '../store.ts';
import { type InfluxClient, type InfluxSeries, RAW } from './client.ts';

/** A name that no kind of device can have: it holds a dot. */
export const DIRTY = 'gewu.dirty';
/** Hours known to be begun; beyond it they are begun again, which costs one roll-up more. */
const BEGUN_MAX = 100_000;

/** An hour of a kind that got data after it was rolled up, as one writer noted it. */
export interface DirtyHour {
  kind: string;
  writer: string;
  /** UTC ms of its start. */
  hour: number;
  /** The number of the writer's last write into it. */
  write: number;
}

/** Notes on their way. */
interface Markers {
  lines: string;
  /** `stored`: they are there for sure. */
  answered(stored: boolean): void;
}

/** A name under which one request at a time is made. */
interface MarkerWriter {
  name: string;
  writes: number;
  /** Hours that it has begun to note. */
  begun: Set<string>;
}

/**
 * Which hours of which kind have to be rolled up again. The note travels in the same request as the data, into the same
 * shard, so that it is as durable as they are, and any replica can do the work:
 *
 *   gewu.dirty,kind=<kind>,writer=<process> dirty=<number of the last write>,done=<number that is rolled up> <hour>
 *
 * An hour is dirty while `dirty > done`. A write during the roll-up has a higher number and keeps it dirty. Requests
 * that run side by side may arrive in any order, so each of them is a writer of its own; a name is used again only after
 * its last request was answered, never after one whose end is unknown.
 */
export class DirtyHours {
  readonly #client: InfluxClient;
  readonly #process = randomBytes(6).toString('hex');
  readonly #idle: MarkerWriter[] = [];
  #named = 0;

  constructor(client: InfluxClient) {
    this.#client = client;
  }

  /** The lines to send along with data of these hours. `answered` is to be called when the server has answered, and only then. */
  markersFor(touched: ReadonlyMap<string, ReadonlySet<number>>): Markers {
    const writer = this.#idle.pop() ?? { name: `${this.#process}-${this.#named++}`, writes: 0, begun: new Set() };
    const write = ++writer.writes;
    const keys: string[] = [];
    const lines: string[] = [];
    for (const [kind, hours] of touched) {
      for (const hour of hours) {
        const key = `${kind} ${hour}`;
        // `done` must exist for the comparison. To write 0 once too often costs one roll-up more.
        const first = writer.begun.has(key) ? '' : ',done=0';
        lines.push(`${DIRTY},kind=${kind},writer=${writer.name} dirty=${write}${first} ${hour * 1000}`);
        keys.push(key);
      }
    }
    const answered = (stored: boolean) => {
      if (writer.begun.size > BEGUN_MAX) writer.begun.clear();
      if (stored) for (const key of keys) writer.begun.add(key);
      this.#idle.push(writer);
    };
    return { lines: lines.join('\n'), answered };
  }

  /** Notes hours whose data are stored already. A crash in between is harmless: the data were not acknowledged and come again. */
  async note(touched: ReadonlyMap<string, ReadonlySet<number>>): Promise<void> {
    const markers = this.markersFor(touched);
    const { status, reason } = await this.#client.write(Buffer.from(markers.lines, 'latin1'));
    // 400: notes of hours that are beyond the retention; their data were refused as well.
    markers.answered(status < 300);
    if (status >= 300 && status !== 400) throw new GewuError('GEWU_STORE_UNAVAILABLE', `InfluxDB: ${status} ${reason}`);
  }

  /** Dirty hours that touch `[from, to)`; of one kind, or of all. */
  async list({ from, to, kind }: { from: number; to: number; kind?: string }): Promise<DirtyHour[]> {
    const where = [`"dirty" > "done"`, `time >= ${floorTo(from, HOUR_MS)}ms`, `time < ${to}ms`];
    if (kind !== undefined) where.push(`"kind" = '${kind}'`);
    const sql = `SELECT "dirty", "done" FROM "${RAW}"."${DIRTY}" WHERE ${where.join(' AND ')} GROUP BY "kind", "writer"`;
    const [series = []] = await this.#client.query(sql);
    return series.flatMap((s) => toDirtyHours(s));
  }

  /** They are rolled up as far as they were listed. */
  async done(hours: readonly DirtyHour[]): Promise<void> {
    if (hours.length === 0) return;
    const lines = hours.map((h) => `${DIRTY},kind=${h.kind},writer=${h.writer} done=${h.write} ${h.hour * 1000}`);
    const { status, reason } = await this.#client.write(Buffer.from(lines.join('\n'), 'latin1'));
    if (status >= 300 && status !== 400) throw new GewuError('GEWU_STORE_UNAVAILABLE', `InfluxDB: ${status} ${reason}`);
  }
}

function toDirtyHours({ tags, values }: InfluxSeries): DirtyHour[] {
  const { kind = '', writer = '' } = tags ?? {};
  return values.map((v) => ({ kind, writer, hour: v[0] as number, write: v[1] as number }));
}
