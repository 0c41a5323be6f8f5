import { EVIDENCE_BYTES_MAX, type EvidenceRef } from '#grid/mod.ts';
import type { Clock, Log } from '#service/mod.ts';
import { type MediaFragment, type MediaInit, type MediaStream, picturesIn, startOf } from '../media/mod.ts';
import type { CameraFiles } from './camera_files.ts';
import type { ClipOrders, CutClip } from './clip_orders.ts';
import type { ClipStudio } from './clips.ts';
import type { Looks } from './looks.ts';
import type { OriginalStore } from './originals.ts';
import { type Caption, captionLines } from './picture.ts';
import { showingAt } from './plan.ts';
import type { About, What } from './signer.ts';

export interface ClipCutterDeps {
  camera: string;
  /** `name@version`, of the one in use. */
  model: () => string;
  /** Whether any are wanted. */
  clips: boolean;
  /** Null where it has none. */
  media: () => MediaStream | null;
  looks: Looks;
  files: CameraFiles;
  originals: OriginalStore;
  orders: ClipOrders;
  studio: ClipStudio;
  /** A clip of this event is there; false: nobody takes it now. */
  onClip: (event: string, ref: EvidenceRef) => boolean;
  clock: Clock;
  log: Log;
}

/** What a clip is about: one thing that the looks know, and what its event says. */
export interface ClipSubject {
  thing: object;
  where: Pick<About, 'class' | 'place'>;
  event: string;
  caption: Omit<Caption, 'takenAt'>;
}

/** Around the moment of the event. */
const BEFORE_MS = 5_000;
const AFTER_MS = 5_000;
/** The last fragment and the look after the last picture come so much later. */
const LATE_MS = 2_000;
/** Shorter ones show nothing. */
const CLIP_MS_MIN = 2_000;
/** Masks of the first and last pictures rest on looks beyond them. */
const LOOKS_AROUND_MS = 4_000;
/** Clips of one camera that wait for their end. */
const PENDING_MAX = 4;

/**
 * Cuts the clips of one camera's events out of the ring and has them made.
 *
 *   raise --order on disk--> 7 s later, or at the stop: ring --> original, encrypted --order with all it takes--> ClipStudio --> masked, signed
 *
 * A restart loses no clip that has been cut. One that has not when the node is killed cannot be made: its stream was in memory.
 */
export class ClipCutter {
  readonly #deps: ClipCutterDeps;
  #stopped = false;
  readonly #pending = new Map<string, { timer: NodeJS.Timeout; cut: () => Promise<void> }>();

  constructor(deps: ClipCutterDeps) {
    this.#deps = deps;
  }

  /** Orders anew what an earlier run had cut; what it had not is told and forgotten. Events must be able to take clips. */
  async start(): Promise<void> {
    const { orders, camera, log } = this.#deps;
    for (const { event, cut } of orders.ofCamera(camera)) {
      if (cut !== null) this.#make(event, cut);
      else {
        log.warn(
          { camera, event },
          'no clip for this event: the node ended before it was cut, and its stream was in memory only',
        );
        await orders.remove(event);
      }
    }
  }

  /** What waits for its end is cut as far as the ring has it, and is made after the next start. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all([...this.#pending.values()].map(({ cut }) => cut()));
  }

  /** The clip of an event that is raised now. */
  later(subject: ClipSubject): void {
    const { clock, clips, media, orders, camera, log } = this.#deps;
    const { event } = subject;
    if (!clips || media() === null || this.#pending.size >= PENDING_MAX) return;
    const moment = { at: clock.now(), ms: clock.monotonic() };
    const failed = (err: unknown): void => log.error({ camera, event, err }, 'no clip for this event');
    const ordered = orders.put({ event, camera, orderedAt: moment.at, cut: null }).catch(failed);
    const cut = async (): Promise<void> => {
      clearTimeout(timer);
      this.#pending.delete(event);
      await ordered;
      await this.#cut(subject, moment).catch(failed);
    };
    const timer = setTimeout(() => void cut(), AFTER_MS + LATE_MS);
    this.#pending.set(event, { timer, cut });
  }

  async #cut(subject: ClipSubject, moment: { at: number; ms: number }): Promise<void> {
    const { camera, files, orders, log } = this.#deps;
    const { event } = subject;
    const strip = stripOf(this.#deps.media(), moment.ms);
    if (strip === null) {
      log.warn({ camera, event }, 'no clip for this event: the stream was interrupted, or is too fat');
      return orders.remove(event);
    }
    const cut = this.#cutOf(subject, strip, moment);
    const bytes = Buffer.concat([strip.init.bytes, ...strip.fragments.map((f) => f.bytes)]);
    const original = await files.keep(bytes, cut.what, cut.about);
    if (original === null) return orders.remove(event);
    const whole = { ...cut, original };
    await orders.put({ event, camera, orderedAt: moment.at, cut: whole });
    if (!this.#stopped) this.#make(event, whole);
  }

  #cutOf({ thing, where, event, caption }: ClipSubject, strip: Strip, { at, ms }: { at: number; ms: number }) {
    const { model, looks, camera } = this.#deps;
    const { init, startMs, fromMs, endMs, fps } = strip;
    // UTC of the clip's beginning and end, by the distance to the moment of the event.
    const utc = (monotonicMs: number): number => Math.round(at + monotonicMs - ms);
    const what: What = { kind: 'clip', mediaType: 'video/mp4', model: model() };
    const about: About = { ...where, event, camera, takenAt: utc(fromMs), endedAt: utc(endMs) };
    return {
      ...{ what, about, caption, widthPx: init.widthPx, heightPx: init.heightPx, fps },
      fromS: (fromMs - startMs) / 1000,
      lengthS: (endMs - fromMs) / 1000,
      looks: looks
        .between(fromMs - LOOKS_AROUND_MS, endMs + LOOKS_AROUND_MS)
        .map((look) => ({ ms: look.ms - fromMs, people: look.people, box: look.things.get(thing) ?? null })),
    };
  }

  #make(event: string, cut: CutClip): void {
    const { studio, originals, files, orders, onClip } = this.#deps;
    const { original, what, about, caption, looks, ...film } = cut;
    const thing = {};
    // One that fails will fail again.
    let isTaken = true;
    const seen = looks.map(({ ms, people, box }) => ({ ms, people, things: new Map(box === null ? [] : [[thing, box]]) }));
    studio.order({
      ...film,
      event,
      stream: () => originals.read(original),
      showing: (afterS) => showingAt(seen, thing, afterS * 1000),
      lines: (afterS) => captionLines({ ...caption, takenAt: about.takenAt + afterS * 1000 }),
      done: async (mp4) => {
        isTaken = onClip(event, await files.send(mp4, what, about, original));
      },
      over: async () => {
        if (isTaken) await orders.remove(event);
      },
    });
  }
}

/** Of the ring; times are monotonic ms. */
interface Strip {
  init: MediaInit;
  fragments: MediaFragment[];
  /** Of the first fragment, which begins with a key frame before the clip. */
  startMs: number;
  fromMs: number;
  endMs: number;
  /** Pictures a second. */
  fps: number;
}

/** What the ring still has around a moment; null: nothing that a clip could be made of. */
function stripOf(media: MediaStream | null, ms: number): Strip | null {
  const init = media?.init ?? null;
  if (media === null || init === null) return null;
  // A fragment arrives with its end: the one that holds the last moment comes after it.
  const fragments = media.since(ms - BEFORE_MS).filter((f) => f.ms <= ms + AFTER_MS + LATE_MS / 2);
  const startMs = startOf(init, fragments);
  const last = fragments.at(-1);
  if (startMs === null || last === undefined) return null;
  const [fromMs, endMs] = [Math.max(startMs, ms - BEFORE_MS), Math.min(last.ms, ms + AFTER_MS)];
  const bytes = fragments.reduce((sum, f) => sum + f.bytes.length, init.bytes.length);
  if (endMs - fromMs < CLIP_MS_MIN || bytes > EVIDENCE_BYTES_MAX) return null;
  const fps = (picturesIn(fragments) * 1000) / (last.ms - startMs);
  return { init, fragments, startMs, fromMs, endMs, fps };
}
