import type { EvidenceRef } from '#grid/mod.ts';
import type { WatchReport } from '#grid/wire/mod.ts';
import type { Box, Detection } from '#models/mod.ts';
import type { Clock, Log, Service } from '#service/mod.ts';
import type { HealthSink } from '../events.ts';
import type { Thing, Where } from '../evidence/mod.ts';
import { CameraView, type EventReporter, modelName } from '../vision/mod.ts';
import type { Meaning } from './meaning.ts';
import { type Frame, lookMs } from './source.ts';

export interface CandidateWatchDeps {
  /** By the candidate's manifest, with tracks, zones and a memory of its own. */
  meaning: Meaning;
  package: string;
  /** `name@version` of the model in use. */
  against: string;
  edgeId: string;
  /** A picture of what it sees, out of the newest one of the camera. */
  show: (thing: Thing, where: Where, event: string, by: { model: string; people: readonly Box[] }) => Promise<EvidenceRef | null>;
  health: HealthSink;
  clock: Clock;
  log: Log;
}

const TICK_MS = 1000;
const REPORT_EVERY_MS = 10_000;
const PIECE_MS_MAX = 3_600_000;
/** Time between pictures counts up to so much, or three pictures' time: beyond it nobody looked. */
const GAP_MS_MIN = 2000;

/** How long both have looked, since when, and at how many pictures; reported as it grows. */
type Piece = Pick<WatchReport, 'since' | 'until' | 'watchedMs' | 'pictures' | 'skipped'>;

/**
 * What a candidate makes of one camera, beside the model in use and without touching it:
 *
 *   detections --> CameraView, ZoneWatch of its own --> EventReporter (suppressed: shadow)
 *        +--> time that both have looked, an hour's piece each --> health lane
 */
export class CandidateWatch implements Service {
  readonly #deps: CandidateWatchDeps;
  readonly #view: CameraView;
  readonly #events: EventReporter;
  readonly #gapMsMax: number;
  #people: readonly Box[] = [];
  #piece: Piece | null = null;
  #reportedMs = 0;
  #lastMs: number | null = null;
  #timer: NodeJS.Timeout | undefined;

  constructor(deps: CandidateWatchDeps) {
    const { meaning, show, clock } = deps;
    const { camera, ground, watch, manifest } = meaning;
    this.#deps = deps;
    const model = modelName(manifest);
    this.#events = meaning.reporter(async (thing, where, event, occasion) =>
      occasion === 'raise' ? show(thing, where, event, { model, people: this.#people }) : null,
    );
    const frameMs = lookMs(camera);
    this.#gapMsMax = Math.max(GAP_MS_MIN, 3 * frameMs);
    const prefix = `c-${camera.id.slice(0, 32)}-${clock.now().toString(36)}`;
    this.#view = new CameraView({ camera, model: manifest, ground, watch, prefix, frameMs });
  }

  async start(): Promise<void> {
    await this.#events.start();
    this.#reportedMs = this.#deps.clock.monotonic();
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#report();
    await this.#events.stop();
  }

  /** A picture that both have looked at; of it only size and time are read. */
  look({ full, at, ms }: Pick<Frame, 'full' | 'at' | 'ms'>, detections: readonly Detection[]): void {
    const { meaning } = this.#deps;
    const { people, decisions } = this.#view.look(full, detections, { at, ms, wall: meaning.surroundings.wall(at) });
    this.#people = people;
    this.#count(at, ms);
    this.#events.handle(decisions, at);
  }

  /** One came while it was busy. */
  skipped(): void {
    if (this.#piece !== null) this.#piece.skipped++;
  }

  #count(at: number, ms: number): void {
    if (this.#piece !== null && at - this.#piece.since >= PIECE_MS_MAX) {
      this.#report();
      this.#piece = null;
    }
    const piece: Piece = this.#piece ?? { since: at, until: at, watchedMs: 0, pictures: 0, skipped: 0 };
    this.#piece = piece;
    if (this.#lastMs !== null) piece.watchedMs += Math.round(Math.min(this.#gapMsMax, Math.max(0, ms - this.#lastMs)));
    this.#lastMs = ms;
    piece.until = Math.max(piece.until, at);
    piece.pictures++;
  }

  #tick(): void {
    // Its events have no cases: what is not known to be open after a start is closed.
    this.#events.pollCases();
    if (this.#deps.clock.monotonic() - this.#reportedMs >= REPORT_EVERY_MS) this.#report();
  }

  #report(): void {
    const { edgeId, meaning, package: sha256, against, health, clock, log } = this.#deps;
    this.#reportedMs = clock.monotonic();
    if (this.#piece === null) return;
    const { id } = meaning.camera;
    const about = { ts: clock.now(), edge: edgeId, of: 'watch', id } as const;
    health
      .report({ ...about, package: sha256, model: modelName(meaning.manifest), against, ...this.#piece })
      .catch((error: Error) => log.warn({ camera: id, err: error.message }, 'a report on the candidate was lost'));
  }
}
