import type { LiveCodec } from '#grid/wire/mod.ts';
import type { Clock, Log } from '#service/mod.ts';
import type { CameraPipeline } from '../cameras/mod.ts';
import type { MediaFragment, MediaInit, MediaStream } from '../media/mod.ts';
import { Mpeg1 } from './mpeg1.ts';
import type { LiveSink, LiveSource } from './sink.ts';
import { boxesOf, plain, Stills } from './stills.ts';

export interface RawDeps {
  camera: string;
  cameras: Pick<CameraPipeline, 'media' | 'watch'>;
  /** What the viewers' browsers play as it is. */
  plays: readonly LiveCodec[];
  /** Of single pictures, where the camera sends nothing else. */
  fpsMax: number;
  sink: LiveSink;
  clock: Clock;
  log: Log;
  ffmpeg?: string | undefined;
}

/** A camera that is being changed is back after this. */
const ATTACH_AGAIN_MS = 500;
/** ffmpeg looks at some twenty pictures before it begins: it gets them at once, and the viewer sees the last seconds pass quickly. */
const PROBED_MS = 3_000;

/**
 * The raw view, in the cheapest form that the viewers can play:
 *
 *   H.264, or H.265 where they play it --> the camera's own fragments, passed on
 *   H.265 otherwise                    --> MPEG-1 made of these
 *   no stream, single pictures only    --> JPEGs of what is looked at
 */
export class Raw implements LiveSource {
  readonly #deps: RawDeps;
  readonly #mpeg1: Mpeg1;
  #pictures: Stills | null = null;
  #media: MediaStream | null = null;
  #form: 'none' | 'fmp4' | 'mpeg1' = 'none';
  #end: (() => void)[] = [];
  #again: NodeJS.Timeout | undefined;

  constructor(deps: RawDeps) {
    this.#deps = deps;
    const { camera, sink, clock, log, ffmpeg } = deps;
    this.#mpeg1 = new Mpeg1({
      camera,
      onPiece: (bytes, key) => sink.packet({ kind: 'media', key, at: clock.now(), bytes }),
      onEnded: () => this.#begin(),
      clock,
      log,
      ffmpeg,
    });
  }

  start(): void {
    this.#attach();
  }

  async stop(): Promise<void> {
    this.#detach();
    await Promise.all([this.#mpeg1.stop(), this.#pictures?.stop()]);
  }

  #attach(): void {
    const { camera, cameras, sink } = this.#deps;
    const media = cameras.media(camera);
    // What has ended for good stands there until the camera's next stream takes its place.
    if (media !== null && media === this.#media) {
      this.#again = setTimeout(() => this.#attach(), ATTACH_AGAIN_MS);
      return;
    }
    this.#media = media;
    if (media === null) {
      this.#showPictures();
      return;
    }
    this.#end = [
      cameras.watch(camera, (looked) => sink.boxes(looked.at, boxesOf(looked))),
      media.subscribe({
        init: () => this.#begin(),
        fragment: (fragment) => this.#pass(fragment),
        ended: (reason) => this.#ended(reason),
      }),
    ];
  }

  #detach(): void {
    clearTimeout(this.#again);
    for (const end of this.#end.splice(0)) end();
  }

  /** The stream begins, or begins anew: with its newest key fragment, so that there is something to be seen at once. */
  #begin(): void {
    const init = this.#media?.init ?? null;
    if (this.#media === null || init === null) return;
    const { clock, sink, plays } = this.#deps;
    const codec = codecOf(init);
    const { widthPx, heightPx } = init;
    if (codec !== null && plays.includes(codec)) {
      this.#form = 'fmp4';
      sink.start({ form: 'fmp4', codec: init.codec, widthPx, heightPx });
      sink.packet({ kind: 'init', key: false, at: clock.now(), bytes: init.bytes });
      for (const fragment of this.#media.since(clock.monotonic())) this.#pass(fragment);
    } else {
      this.#form = 'mpeg1';
      sink.start({ form: 'mpeg1', widthPx, heightPx });
      this.#mpeg1.begin(init, this.#media.since(clock.monotonic() - PROBED_MS));
    }
  }

  #pass(fragment: MediaFragment): void {
    if (this.#form === 'fmp4') this.#deps.sink.packet({ kind: 'media', ...fragment });
    else if (this.#form === 'mpeg1') this.#mpeg1.write(fragment);
  }

  #ended(reason: string): void {
    this.#form = 'none';
    void this.#mpeg1.stop();
    if (reason === 'codec') {
      this.#detach();
      this.#showPictures();
    } else if (reason === 'stopped') {
      this.#detach();
      this.#again = setTimeout(() => this.#attach(), ATTACH_AGAIN_MS);
    }
  }

  #showPictures(): void {
    this.#pictures = new Stills({ ...this.#deps, render: plain });
    this.#pictures.start();
  }
}

function codecOf({ codec }: MediaInit): LiveCodec | null {
  if (codec.startsWith('avc')) return 'h264';
  return /^h(ev|vc)1/.test(codec) ? 'h265' : null;
}
