import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Box } from '#models/mod.ts';
import type { Clock, Log } from '#service/mod.ts';
import { makeFolder, writeDurably } from './files.ts';
import type { Caption } from './picture.ts';
import type { About, What } from './signer.ts';

/** What a clip is made of, once its stream is kept among the originals. */
export interface CutClip {
  original: string;
  what: What;
  about: About;
  caption: Omit<Caption, 'takenAt'>;
  /** Of the stream's pictures. */
  widthPx: number;
  heightPx: number;
  /** Pictures a second of the stream. */
  fps: number;
  /** Seconds into the stream at which the clip begins, and how long it is. */
  fromS: number;
  lengthS: number;
  /** Looks around it: ms after its beginning, people, and the event's thing where it was seen. */
  looks: { ms: number; people: readonly Box[]; box: Box | null }[];
}

/** A clip that its event still waits for. */
export interface KeptClipOrder {
  event: string;
  camera: string;
  /** UTC ms. */
  orderedAt: number;
  /** Null until the seconds after the event are there: the ring in memory has all of it. */
  cut: CutClip | null;
}

/** Nobody misses a clip that is older: its event has its picture. */
const AGE_MS_MAX = 24 * 3_600_000;

/** Clips that wait, on disk, one small file each, so that a restart of the node does not forget them. */
export class ClipOrders {
  readonly #dir: string;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #kept = new Map<string, KeptClipOrder>();

  constructor({ dir, clock, log }: { dir: string; clock: Clock; log: Log }) {
    this.#dir = dir;
    this.#clock = clock;
    this.#log = log;
  }

  /** Reads what an earlier run has left. */
  async open(): Promise<void> {
    await makeFolder(this.#dir);
    for (const name of await readdir(this.#dir)) {
      const order = name.endsWith('.json') ? await this.#read(name) : null;
      if (order === null) await rm(join(this.#dir, name), { force: true });
      else this.#kept.set(order.event, order);
    }
  }

  /** Durable when it resolves. An order replaces the one of its event. */
  async put(order: KeptClipOrder): Promise<void> {
    await writeDurably(this.#file(order.event), JSON.stringify(order));
    this.#kept.set(order.event, order);
  }

  /** The clip is made, or never will be. */
  async remove(event: string): Promise<void> {
    this.#kept.delete(event);
    await rm(this.#file(event), { force: true });
  }

  /** Oldest first. */
  ofCamera(camera: string): KeptClipOrder[] {
    return [...this.#kept.values()].filter((o) => o.camera === camera).sort((a, b) => a.orderedAt - b.orderedAt);
  }

  async #read(name: string): Promise<KeptClipOrder | null> {
    try {
      const order = JSON.parse(await readFile(join(this.#dir, name), 'utf8')) as KeptClipOrder;
      return this.#clock.now() - order.orderedAt > AGE_MS_MAX ? null : order;
    } catch (error) {
      this.#log.warn({ name, err: (error as Error).message }, 'an order of a clip cannot be read');
      return null;
    }
  }

  #file(event: string): string {
    return join(this.#dir, `${event}.json`);
  }
}
