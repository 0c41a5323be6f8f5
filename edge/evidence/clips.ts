import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock, Log } from '#service/mod.ts';
import { makeFolder } from './files.ts';
import { type FilmOrder, film } from './film.ts';

/** A clip to be made, without its stream: that is fetched when its turn comes. */
export interface ClipOrder extends Omit<FilmOrder, 'stream' | 'file' | 'ffmpeg'> {
  event: string;
  /** Null: it is not there any more. */
  stream(): Promise<Buffer | null>;
  /** Gets the masked clip. */
  done(mp4: Buffer): Promise<void>;
  /** It is made, or never will be; not called for what waits at the stop. */
  over(): Promise<void>;
}

export interface ClipStudioDeps {
  /** For what is being made; emptied at the start. */
  dir: string;
  clock: Clock;
  log: Log;
  /** `ffmpeg` unless told. */
  ffmpeg?: string | undefined;
}

/** Clips that wait: each costs some seconds of a core that detection has first. */
const WAITING_MAX = 16;

/** Makes one clip at a time, so that a bad day costs no more than one thread of low priority. */
export class ClipStudio {
  readonly #deps: ClipStudioDeps;
  readonly #orders: ClipOrder[] = [];
  #work: Promise<void> | null = null;
  #stopped = false;
  readonly #counts = { made: 0, failed: 0, dropped: 0 };

  constructor(deps: ClipStudioDeps) {
    this.#deps = deps;
  }

  async open(): Promise<void> {
    await rm(this.#deps.dir, { recursive: true, force: true });
    await makeFolder(this.#deps.dir);
  }

  /** What waits is left to who ordered it; the one in work is finished. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#orders.length = 0;
    await this.#work;
  }

  /** Beyond the limit the oldest one that waits is not made: its event has its picture. */
  order(order: ClipOrder): void {
    if (this.#stopped) return;
    this.#orders.push(order);
    if (this.#orders.length > WAITING_MAX) {
      const dropped = this.#orders.shift() as ClipOrder;
      this.#counts.dropped++;
      this.#deps.log.warn({ event: dropped.event }, 'a clip is not made: too many wait');
      void this.#over(dropped);
    }
    this.#work ??= this.#run().finally(() => {
      this.#work = null;
    });
  }

  stats(): { made: number; failed: number; dropped: number; waiting: number } {
    return { ...this.#counts, waiting: this.#orders.length };
  }

  async #run(): Promise<void> {
    for (let order = this.#orders.shift(); order !== undefined; order = this.#orders.shift()) {
      try {
        await this.#make(order);
        this.#counts.made++;
      } catch (error) {
        this.#counts.failed++;
        this.#deps.log.error({ event: order.event, err: (error as Error).message }, 'no clip for this event');
      }
      await this.#over(order);
    }
  }

  async #over(order: ClipOrder): Promise<void> {
    await order
      .over()
      .catch((err: unknown) => this.#deps.log.warn({ event: order.event, err }, 'the order of a clip is still kept'));
  }

  async #make(order: ClipOrder): Promise<void> {
    const { dir, ffmpeg, clock, log } = this.#deps;
    const stream = await order.stream();
    if (stream === null) throw new Error('its original is gone');
    const folder = await mkdtemp(join(dir, 'clip-'));
    const beganMs = clock.monotonic();
    try {
      const file = join(folder, 'clip.mp4');
      await film({ ...order, stream, file, ffmpeg });
      const mp4 = await readFile(file);
      log.debug({ event: order.event, bytes: mp4.length, ms: Math.round(clock.monotonic() - beganMs) }, 'a clip was made');
      await order.done(mp4);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
}
