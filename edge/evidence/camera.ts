import { classKey, className, type EventClass, type EvidenceRef, type PictureBox, type Place } from '#grid/mod.ts';
import type { Box } from '#models/mod.ts';
import type { Clock, Log } from '#service/mod.ts';
import type { MediaStream } from '../media/mod.ts';
import { CameraFiles } from './camera_files.ts';
import type { ClipOrders } from './clip_orders.ts';
import type { ClipStudio } from './clips.ts';
import { ClipCutter } from './cutter.ts';
import { Looks } from './looks.ts';
import { toRgba } from './mask.ts';
import type { OriginalStore } from './originals.ts';
import { type Caption, evidenceJpeg, originalJpeg, readJpeg } from './picture.ts';
import { BestShots, type Shot, type Sighting, worthOf } from './shots.ts';
import type { About, EvidenceSigner, What } from './signer.ts';
import type { EvidenceStore } from './store.ts';

/** Something wrong that a camera watches, as its zones see it. */
export interface Thing {
  trackId: string;
  box: Box;
  score: number;
  rule: { confidenceMin: number };
}

/** What its event will be, and where. */
export interface Where {
  class: EventClass;
  place: Place;
}

/** A full picture, rgb24, and what was found in it; fractions of it. */
export interface Seen {
  full: { widthPx: number; heightPx: number; rgb: Uint8Array };
  /** UTC ms and monotonic ms. */
  at: number;
  ms: number;
  people: readonly Box[];
  /** By track, of those that it shows. */
  boxes: ReadonlyMap<string, { box: Box; score: number }>;
}

export interface CameraEvidenceDeps {
  camera: string;
  /** `name@version`, of the one in use. */
  model: () => string;
  /** As the configuration in force says it. */
  timeZone: () => string;
  /** Whether the people of a picture of then, monotonic ms, are known to be found: then it shows the street around the event, too. */
  clear: (ms: number) => boolean;
  store: EvidenceStore;
  originals: OriginalStore;
  signer: EvidenceSigner;
  orders: ClipOrders;
  studio: ClipStudio;
  /** Whether any are wanted. */
  clips: boolean;
  /** Null where it has none. */
  media: () => MediaStream | null;
  /** Something waits for its upload. */
  notify: () => void;
  /** A clip of this event is there; false: nobody takes it now. */
  onClip: (event: string, ref: EvidenceRef) => boolean;
  clock: Clock;
  log: Log;
}

/** A later picture is sent when it shows the thing so much better; and so many of one event at the most. */
const BETTER_SENT = 1.5;
const PICTURES_MAX = 4;

interface Sent {
  worth: number;
  pictures: number;
}

/**
 * What proves one camera's events.
 *
 *   looks --> BestShots (largest sure box so far) --raise, better later--> original encrypted, masked picture signed
 *        +--> Looks (boxes only) --> ClipCutter --> masked clip signed
 *
 * Events do not wait for clips: these come with a later revision.
 */
export class CameraEvidence {
  readonly #deps: CameraEvidenceDeps;
  readonly #shots = new BestShots();
  readonly #looks = new Looks();
  readonly #sent = new WeakMap<object, Sent>();
  readonly #files: CameraFiles;
  readonly #cutter: ClipCutter;
  #newest: Seen | null = null;

  constructor(deps: CameraEvidenceDeps) {
    this.#deps = deps;
    this.#files = new CameraFiles(deps);
    this.#cutter = new ClipCutter({ ...deps, files: this.#files, looks: this.#looks });
  }

  /** When events can take clips: those that an earlier run has left. */
  start(): Promise<void> {
    return this.#cutter.start();
  }

  /** Before the stream's ring is closed. */
  async stop(): Promise<void> {
    await this.#cutter.stop();
    this.#newest = null;
  }

  /** One look; `lasting` are the things that confirm or have an event. The picture's memory has to stay until the next look. */
  look(seen: Seen, lasting: ReadonlySet<Thing>): void {
    const sightings = new Map<object, Sighting>();
    for (const thing of lasting) {
      const own = seen.boxes.get(thing.trackId);
      if (own !== undefined) sightings.set(thing, { ...own, confidenceMin: thing.rule.confidenceMin });
    }
    this.#newest = seen;
    this.#shots.look(seen.full, seen, sightings, lasting);
    this.#looks.push({
      at: seen.at,
      ms: seen.ms,
      people: seen.people,
      things: new Map([...sightings].map(([t, s]) => [t, s.box])),
    });
  }

  /**
   * The picture of an event that is raised, for which a clip is ordered, too, or of one that is only recorded; or a better one of an
   * event that goes on, null when there is none. Never throws.
   */
  async picture(thing: Thing, where: Where, event: string, occasion: 'raise' | 'update' | 'quiet'): Promise<EvidenceRef | null> {
    const { log, camera } = this.#deps;
    // Before the first await: the newest picture's memory is used again soon.
    const shot = occasion === 'update' ? this.#betterShot(thing) : this.#firstShot(thing);
    if (occasion === 'raise') this.#cutter.later({ thing, where, event, caption: this.#caption(thing, where) });
    if (shot === null) return null;
    try {
      return await this.#snapshot(shot, thing, where, event);
    } catch (error) {
      log.error({ camera, event, err: error }, 'no picture for this event');
      return null;
    }
  }

  /**
   * A picture of a place that somebody asked about, with `box` left clear; by the word of `model`, the one in use unless told. Never
   * throws; the picture's memory is free again when this returns.
   */
  async view(
    { full, people, at, ms }: Omit<Seen, 'boxes'>,
    { box, score }: Pick<Thing, 'box' | 'score'>,
    where: Where,
    event: string,
    model?: string,
  ): Promise<EvidenceRef | null> {
    const { log, camera } = this.#deps;
    const shot: Shot = { jpeg: originalJpeg(toRgba(full)), box, people, at, ms, worth: 0 };
    try {
      return await this.#snapshot(shot, { score }, where, event, model);
    } catch (error) {
      log.error({ camera, event, err: error }, 'no picture of this place');
      return null;
    }
  }

  #firstShot(thing: Thing): Shot | null {
    const shot = this.#shots.of(thing) ?? this.#newestShot(thing);
    if (shot !== null) this.#sent.set(thing, { worth: shot.worth, pictures: 1 });
    return shot;
  }

  /** Nothing was sent of a thing that was raised before the restart: what is better than that, nobody knows. */
  #betterShot(thing: Thing): Shot | null {
    const [shot, sent] = [this.#shots.of(thing), this.#sent.get(thing)];
    if (shot === null || sent === undefined) return null;
    if (sent.pictures >= PICTURES_MAX || shot.worth < sent.worth * BETTER_SENT) return null;
    this.#sent.set(thing, { worth: shot.worth, pictures: sent.pictures + 1 });
    return shot;
  }

  /** For a thing that has no picture of its own: there were too many of them. */
  #newestShot({ box, score, rule }: Thing): Shot | null {
    const seen = this.#newest;
    if (seen === null) return null;
    const worth = worthOf({ box, score, confidenceMin: rule.confidenceMin });
    const { full, people, at, ms } = seen;
    return { jpeg: originalJpeg(toRgba(full)), box, people, at, ms, worth };
  }

  async #snapshot(
    { jpeg, box, people, at, ms }: Shot,
    thing: Pick<Thing, 'score'>,
    where: Where,
    event: string,
    model = this.#deps.model(),
  ): Promise<EvidenceRef> {
    const { clear, camera } = this.#deps;
    const original = await jpeg;
    const picture = await readJpeg(original);
    const { widthPx, heightPx } = picture;
    const shows: PictureBox = { widthPx, heightPx, box: box.map(shareOf) as PictureBox['box'] };
    const about: About = { ...where, event, camera, takenAt: at, shows };
    const what: What = { kind: 'snapshot', mediaType: 'image/jpeg', model };
    const kept = this.#files.keep(original, what, about);
    const caption = { ...this.#caption(thing, where), takenAt: at };
    return this.#files.send(await evidenceJpeg(picture, { box, people, clear: clear(ms) }, caption), what, about, kept);
  }

  #caption({ score }: Pick<Thing, 'score'>, { class: eventClass, place }: Where): Omit<Caption, 'takenAt'> {
    const { timeZone, camera } = this.#deps;
    const { zh: nameZh, en: nameEn } = className(eventClass);
    return { nameZh, nameEn, classKey: classKey(eventClass), confidence: score, ...place, timeZone: timeZone(), camera };
  }
}

/** Four digits are a tenth of a pixel. */
const shareOf = (value: number): number => Math.round(Math.min(1, Math.max(0, value)) * 10_000) / 10_000;
