import {
  classKey,
  className,
  EVIDENCE_BYTES_MAX,
  type EventClass,
  type EvidenceRef,
  type PictureBox,
  type Place,
} from '#grid/mod.ts';
import type { Box } from '#models/mod.ts';
import type { Clock, Log } from '#service/mod.ts';
import { type MediaFragment, type MediaInit, type MediaStream, startOf } from '../media/mod.ts';
import type { ClipStudio } from './clips.ts';
import { Looks } from './looks.ts';
import { toRgba } from './mask.ts';
import type { OriginalStore } from './originals.ts';
import { type Caption, captionLines, evidenceJpeg, originalJpeg, readJpeg } from './picture.ts';
import { showingAt } from './plan.ts';
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
  /** Whether the people of this camera are known to be found: then pictures show the street around the event, too. */
  clear: () => boolean;
  store: EvidenceStore;
  originals: OriginalStore;
  signer: EvidenceSigner;
  studio: ClipStudio;
  /** Whether any are wanted. */
  clips: boolean;
  /** Null where it has none. */
  media: () => MediaStream | null;
  /** Something waits for its upload. */
  notify: () => void;
  /** A clip of this event is there. */
  onClip: (event: string, ref: EvidenceRef) => void;
  clock: Clock;
  log: Log;
}

/** Around the moment of the event. */
const CLIP_BEFORE_MS = 5_000;
const CLIP_AFTER_MS = 5_000;
/** The last fragment and the look after the last picture come so much later. */
const CLIP_LATE_MS = 2_000;
/** Shorter ones show nothing. */
const CLIP_MS_MIN = 2_000;
/** Masks of the first and last pictures rest on looks beyond them. */
const LOOKS_AROUND_MS = 4_000;
/** Clips of one camera that wait for their end. */
const CLIPS_PENDING_MAX = 4;
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
 *        +--> Looks (boxes only) --5 s after the raise--> stream from the ring, encrypted --> ClipStudio --> masked clip signed
 *
 * Events do not wait for clips: these come with a later revision.
 */
export class CameraEvidence {
  readonly #deps: CameraEvidenceDeps;
  readonly #shots = new BestShots();
  readonly #looks = new Looks();
  readonly #sent = new WeakMap<object, Sent>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #newest: Seen | null = null;

  constructor(deps: CameraEvidenceDeps) {
    this.#deps = deps;
  }

  /** Clips that are not complete are not made. */
  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
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
   * The picture of an event that is raised, for which a clip is ordered, too; or a better one of an event that goes on, null when
   * there is none. Never throws.
   */
  async picture(thing: Thing, where: Where, event: string, occasion: 'raise' | 'update'): Promise<EvidenceRef | null> {
    const { log, camera } = this.#deps;
    // Before the first await: the newest picture's memory is used again soon.
    const shot = occasion === 'raise' ? this.#firstShot(thing) : this.#betterShot(thing);
    if (occasion === 'raise') this.#clipLater(thing, where, event);
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
    { full, people, at }: Pick<Seen, 'full' | 'people' | 'at'>,
    { box, score }: Pick<Thing, 'box' | 'score'>,
    where: Where,
    event: string,
    model?: string,
  ): Promise<EvidenceRef | null> {
    const { log, camera } = this.#deps;
    const shot: Shot = { jpeg: originalJpeg(toRgba(full)), box, people, at, worth: 0 };
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
    return { jpeg: originalJpeg(toRgba(seen.full)), box, people: seen.people, at: seen.at, worth };
  }

  async #snapshot(
    { jpeg, box, people, at }: Shot,
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
    const kept = await this.#keep(original, what, about);
    const caption = { ...this.#caption(thing, where), takenAt: at };
    return this.#send(await evidenceJpeg(picture, { box, people, clear: clear() }, caption), what, about, kept);
  }

  /** The hash of the original; null when it could not be kept: the event does not fail for that. */
  async #keep(original: Buffer, what: What, about: About): Promise<string | null> {
    const { signer, originals, log, camera } = this.#deps;
    const signed = signer.sign(original, { ...what, masked: false }, about);
    try {
      await originals.put(original, signed);
      return signed.manifest.sha256;
    } catch (error) {
      log.error({ camera, event: about.event, err: error }, 'the original could not be kept');
      return null;
    }
  }

  /** Signs and stores a masked file, for its upload. */
  async #send(masked: Buffer, what: What, about: About, original: string | null): Promise<EvidenceRef> {
    const { signer, store, notify } = this.#deps;
    const { event, takenAt } = about;
    const signed = signer.sign(masked, { ...what, masked: true, ...(original === null ? {} : { original }) }, about);
    const { mediaType } = what;
    const ref = await store.put(masked, { mediaType, event, class: classKey(about.class), takenAt });
    notify();
    return { ...ref, signed };
  }

  #caption({ score }: Pick<Thing, 'score'>, { class: eventClass, place }: Where): Omit<Caption, 'takenAt'> {
    const { timeZone, camera } = this.#deps;
    const { zh: nameZh, en: nameEn } = className(eventClass);
    return { nameZh, nameEn, classKey: classKey(eventClass), confidence: score, ...place, timeZone: timeZone(), camera };
  }

  #clipLater(thing: Thing, where: Where, event: string): void {
    const { clock, media, clips } = this.#deps;
    if (!clips || media() === null || this.#timers.size >= CLIPS_PENDING_MAX) return;
    const moment = { at: clock.now(), ms: clock.monotonic() };
    const caption = this.#caption(thing, where);
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#clip({ thing, where, event, caption, ...moment }).catch((error: unknown) => {
        this.#deps.log.error({ camera: this.#deps.camera, event, err: error }, 'no clip for this event');
      });
    }, CLIP_AFTER_MS + CLIP_LATE_MS);
    this.#timers.add(timer);
  }

  async #clip(cut: Cut): Promise<void> {
    const { camera, model, studio, originals, log, onClip } = this.#deps;
    const { thing, where, event, ms } = cut;
    const strip = this.#strip(ms);
    if (strip === null) {
      log.warn({ camera, event }, 'no clip for this event: the stream was interrupted, or is too fat');
      return;
    }
    const { init, fragments, startMs, fromMs, endMs } = strip;
    // UTC of the stream's beginning and the clip's, by the distance to the moment of the event.
    const utc = (monotonicMs: number): number => Math.round(cut.at + monotonicMs - ms);
    const what: What = { kind: 'clip', mediaType: 'video/mp4', model: model() };
    const about: About = { ...where, event, camera, takenAt: utc(fromMs), endedAt: utc(endMs) };
    const bytes = Buffer.concat([init.bytes, ...fragments.map((f) => f.bytes)]);
    const kept = await this.#keep(bytes, what, about);
    if (kept === null) return;
    const looks = this.#looks.between(fromMs - LOOKS_AROUND_MS, endMs + LOOKS_AROUND_MS);
    studio.order({
      event,
      stream: () => originals.read(kept),
      widthPx: init.widthPx,
      heightPx: init.heightPx,
      fromS: (fromMs - startMs) / 1000,
      lengthS: (endMs - fromMs) / 1000,
      showing: (afterS) => showingAt(looks, thing, fromMs + afterS * 1000),
      lines: (afterS) => captionLines({ ...cut.caption, takenAt: utc(fromMs) + afterS * 1000 }),
      done: async (mp4) => onClip(event, await this.#send(mp4, what, about, kept)),
    });
  }

  /** What the ring still has around a moment; null: nothing that a clip could be made of. */
  #strip(ms: number): Strip | null {
    const media = this.#deps.media();
    const init = media?.init ?? null;
    if (media === null || init === null) return null;
    // A fragment arrives with its end: the one that holds the last moment comes after it.
    const fragments = media.since(ms - CLIP_BEFORE_MS).filter((f) => f.ms <= ms + CLIP_AFTER_MS + CLIP_LATE_MS / 2);
    const startMs = startOf(init, fragments);
    const last = fragments.at(-1);
    if (startMs === null || last === undefined) return null;
    const [fromMs, endMs] = [Math.max(startMs, ms - CLIP_BEFORE_MS), Math.min(last.ms, ms + CLIP_AFTER_MS)];
    const bytes = fragments.reduce((sum, f) => sum + f.bytes.length, init.bytes.length);
    if (endMs - fromMs < CLIP_MS_MIN || bytes > EVIDENCE_BYTES_MAX) return null;
    return { init, fragments, startMs, fromMs, endMs };
  }
}

/** Four digits are a tenth of a pixel. */
const shareOf = (value: number): number => Math.round(Math.min(1, Math.max(0, value)) * 10_000) / 10_000;

/** A clip that is to be cut: the moment of its event, UTC ms and monotonic ms, and what is written under it. */
interface Cut {
  thing: Thing;
  where: Where;
  event: string;
  caption: Omit<Caption, 'takenAt'>;
  at: number;
  ms: number;
}

/** Of the ring; times are monotonic ms. */
interface Strip {
  init: MediaInit;
  fragments: MediaFragment[];
  /** Of the first fragment, which begins with a key frame before the clip. */
  startMs: number;
  fromMs: number;
  endMs: number;
}
