import type { Rows } from '#edge/uplink/mod.ts';
import { LANES, type Lane } from '#grid/wire/mod.ts';
import { GewuError } from '#service/mod.ts';
import type { SimulatedTime } from './time.ts';

type Chunk = NonNullable<Awaited<ReturnType<Rows['take']>>>;
type Rowset = Record<Lane, { lastSeq: number; rows: Map<number, Buffer> }>;

/** What is on the edge's flash. It outlives the process. */
export class Disk {
  #lanes: Rowset = empty();
  /** 'full' refuses appends, 'broken' fails commits and reads, at the moment of the operation. */
  state: 'ok' | 'full' | 'broken' = 'ok';

  lane(lane: Lane) {
    return this.#lanes[lane];
  }

  get rows(): number {
    return LANES.reduce((sum, lane) => sum + this.#lanes[lane].rows.size, 0);
  }

  copy(): Rowset {
    return Object.fromEntries(
      LANES.map((lane) => [lane, { lastSeq: this.#lanes[lane].lastSeq, rows: new Map(this.#lanes[lane].rows) }]),
    ) as Rowset;
  }

  /** Another disk takes its place: an older copy, or an empty one. */
  replace(rows: Rowset = empty()): void {
    this.#lanes = rows;
  }
}

interface Waiting {
  lane: Lane;
  bodies: Buffer[];
  resolve(): void;
  reject(error: Error): void;
}

export interface SimulatedOutboxOptions {
  disk: Disk;
  time: SimulatedTime;
  /** Rows in one frame at most: small, so that a few records make many frames. */
  rowsPerTakeMax(): number;
  /** The uplink says that these rows are safe at the centre. */
  onRemove(lane: Lane, first: number, last: number): void;
}

const COMMIT_MS: [number, number] = [1, 15];
const SLOW_COMMIT_MS = 400;
const SLOW_TAKE_MS = 4_000;
const RETRY_MS = 500;

/**
 * The outbox as its users know it: group commits, removals that ride along, statistics that are as old as the last
 * answer of the disk, errors of which nobody knows what they left. Dead after `crash`: what was not on disk is gone.
 */
export class SimulatedOutbox implements Rows {
  readonly #options: SimulatedOutboxOptions;
  readonly #listeners: ((lane: Lane) => void)[] = [];
  #waiting: Waiting[] = [];
  #removing: { lane: Lane; first: number; last: number }[] = [];
  #committing = false;
  #alive = true;
  stats: Rows['stats'];

  constructor(options: SimulatedOutboxOptions) {
    this.#options = options;
    this.stats = this.#read();
  }

  crash(): void {
    this.#alive = false;
  }

  onAppended(listener: (lane: Lane) => void): void {
    this.#listeners.push(listener);
  }

  append(lane: Lane, bodies: Buffer[]): Promise<void> {
    if (!this.#alive) return Promise.reject(gone());
    const done = new Promise<void>((resolve, reject) => this.#waiting.push({ lane, bodies, resolve, reject }));
    this.#schedule();
    return done;
  }

  remove(lane: Lane, first: number, last: number): void {
    if (!this.#alive) return;
    this.#options.onRemove(lane, first, last);
    this.#removing.push({ lane, first, last });
    this.#schedule();
  }

  async take(lane: Lane, from: number, upTo: number, _bytesMax: number, countMax: number): Promise<Chunk | null> {
    const { disk, time } = this.#options;
    const rowsMax = Math.min(countMax, this.#options.rowsPerTakeMax());
    await time.pause(time.random.between(0, time.random.chance(0.01) ? SLOW_TAKE_MS : 4));
    if (!this.#alive) return new Promise(() => undefined);
    if (disk.state === 'broken') throw new GewuError('GEWU_OUTBOX_BROKEN', 'simulated');
    const taken: [number, Buffer][] = [];
    for (const row of disk.lane(lane).rows) {
      if (row[0] < from) continue;
      if (row[0] > upTo || taken.length >= rowsMax) break;
      taken.push(row);
    }
    const [first, last] = [taken[0]?.[0], taken.at(-1)?.[0]];
    if (first === undefined || last === undefined) return null;
    return { first, last, count: taken.length, body: Buffer.from(taken.map(([, body]) => `${body}\n`).join('')) };
  }

  #schedule(): void {
    if (this.#committing) return;
    this.#committing = true;
    void this.#commit();
  }

  async #commit(): Promise<void> {
    const { time, disk } = this.#options;
    while (this.#alive && this.#waiting.length + this.#removing.length > 0) {
      const waiting = this.#waiting;
      const removing = this.#removing;
      this.#waiting = [];
      this.#removing = [];
      await time.pause(time.random.chance(0.03) ? SLOW_COMMIT_MS : time.random.between(...COMMIT_MS));
      if (!this.#alive) {
        for (const { reject } of [...waiting, ...this.#waiting]) reject(gone());
        return;
      }
      if (disk.state === 'broken') {
        // Whether it is on disk is not known: sometimes it is.
        if (time.random.chance(0.5)) this.#apply(waiting, removing);
        for (const { reject } of waiting) reject(new GewuError('GEWU_OUTBOX_BROKEN', 'simulated'));
        this.#removing.unshift(...removing);
        await time.pause(RETRY_MS);
        continue;
      }
      const full = disk.state === 'full';
      this.#apply(full ? [] : waiting, removing);
      this.stats = this.#read();
      for (const w of waiting) full ? w.reject(new GewuError('GEWU_OUTBOX_FULL', 'simulated')) : w.resolve();
      if (!full) for (const lane of new Set(waiting.map((w) => w.lane))) for (const listener of this.#listeners) listener(lane);
    }
    this.#committing = false;
  }

  #apply(waiting: readonly Waiting[], removing: readonly { lane: Lane; first: number; last: number }[]): void {
    const { disk } = this.#options;
    for (const { lane, first, last } of removing) for (let seq = first; seq <= last; seq++) disk.lane(lane).rows.delete(seq);
    for (const { lane, bodies } of waiting) for (const body of bodies) disk.lane(lane).rows.set(++disk.lane(lane).lastSeq, body);
  }

  #read(): Rows['stats'] {
    const read = (lane: Lane) => {
      const { lastSeq, rows } = this.#options.disk.lane(lane);
      return { records: rows.size, bytes: 0, lastSeq, dropped: 0, quarantined: 0 };
    };
    return { events: read('events'), health: read('health'), readings: read('readings') };
  }
}

const gone = () => new GewuError('GEWU_OUTBOX_BROKEN', 'the process is gone');

function empty(): Rowset {
  const lane = () => ({ lastSeq: 0, rows: new Map<number, Buffer>() });
  return { events: lane(), health: lane(), readings: lane() };
}
