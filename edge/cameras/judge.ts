import { type EventData, type EvidenceRef, fault, NEAR_CELL_M } from '#grid/mod.ts';
import type { Box, Detection, ModelManifest } from '#models/mod.ts';
import type { Clock, Log, Service } from '#service/mod.ts';
import { CameraEvidence, type EvidenceRoom, type Seen, type Thing, type Where } from '../evidence/mod.ts';
import type { MediaStream } from '../media/mod.ts';
import { CameraView, type EventReporter, isShadow, modelName } from '../vision/mod.ts';
import type { CameraMetrics } from './counters.ts';
import { type CameraFault, IMPAIRED_FAULT_MS } from './health.ts';
import type { Lookout } from './lookout.ts';
import { type Meaning, stillPending } from './meaning.ts';
import { type Frame, lookMs } from './source.ts';

/** Something is seen, but not as it should be. */
const PICTURE_ONLY: readonly string[] = ['moved', 'blurred', 'resolution'] satisfies CameraFault[];

export interface JudgeDeps {
  edgeId: string;
  room: EvidenceRoom;
  media: MediaStream | null;
  counters: CameraMetrics;
  lookout: Lookout;
  /** Gives a full picture's memory back. */
  release: (frame: { full: Frame['full'] }) => void;
  clock: Clock;
  log: Log;
}

/** A meaning with what it has begun. */
interface InForce extends Meaning {
  view: CameraView;
  events: EventReporter;
}

/**
 * From one camera's detections to its events:
 *
 *   detections --> CameraView (tracks, zones) --> EventReporter
 *        |                                             |
 *        +----> CameraEvidence ---masked pictures, clips-+
 */
export class Judge implements Service {
  readonly #deps: JudgeDeps;
  readonly #first: Meaning;
  readonly #evidence: CameraEvidence;
  /** Its memory is given back with the next look. */
  #newest: Frame | null = null;
  /** In that picture. */
  #people: readonly Box[] = [];
  /** Monotonic ms since when the model in use looks; pictures of before, of which some are still held, are another one's. */
  #modelSinceMs = Number.NEGATIVE_INFINITY;
  /** None while another takes its place. */
  #inForce: InForce | null = null;

  constructor(deps: JudgeDeps, meaning: Meaning) {
    this.#deps = deps;
    this.#first = meaning;
    const { room, media, clock, log } = deps;
    const meant = (): Meaning => this.#inForce ?? this.#first;
    this.#evidence = new CameraEvidence({
      ...room.shared,
      camera: meaning.camera.id,
      model: () => modelName(meant().manifest),
      timeZone: () => meant().surroundings.site.timeZone,
      // What was attested of a model says nothing about what another one has looked at.
      clear: (ms) => ms > this.#modelSinceMs && meant().camera.personRecall?.sha256 === meant().manifest.sha256,
      media: () => media,
      onClip: (event, ref) => {
        this.#inForce?.events.attach(event, ref);
        return this.#inForce !== null;
      },
      clock,
      log,
    });
  }

  async start(): Promise<void> {
    await this.#enforce(this.#first);
    await this.#evidence.start();
  }

  async stop(): Promise<void> {
    await this.#evidence.stop();
    await this.#suspend();
  }

  async #suspend(): Promise<void> {
    const now = this.#inForce;
    this.#inForce = null;
    await now?.events.stop();
  }

  /**
   * Puts another meaning in force. What was raised stays as it is while its rule stands in the new one, and is cleared
   * otherwise; what was about to be raised goes on where its zone is the same.
   */
  async apply(meaning: Meaning): Promise<void> {
    const old = this.#inForce;
    if (!isSameModel((old ?? this.#first).manifest, meaning.manifest)) this.#modelSinceMs = this.#deps.clock.monotonic();
    await this.#suspend();
    for (const incident of old === null ? [] : stillPending(old, meaning)) meaning.watch.restore(incident);
    await this.#enforce(meaning);
  }

  async #enforce(meaning: Meaning): Promise<void> {
    const { clock } = this.#deps;
    const { camera, ground, watch, manifest } = meaning;
    const events = meaning.reporter((...event) => this.#evidence.picture(...event));
    await events.start();
    const prefix = `${camera.id.slice(0, 32)}-${clock.now().toString(36)}`;
    const view = new CameraView({ camera, model: manifest, ground, watch, prefix, frameMs: lookMs(camera) });
    this.#inForce = { ...meaning, view, events };
  }

  /** One picture and what was found in it; the picture's memory is given back later. */
  look(frame: Frame, detections: readonly Detection[]): void {
    const { counters, release } = this.#deps;
    const now = this.#inForce;
    if (now === null) {
      release(frame);
      return;
    }
    const { manifest } = now;
    const { at, ms } = frame;
    const { people, tracks, decisions } = now.view.look(frame.full, detections, { at, ms, wall: now.surroundings.wall(at) });
    const boxes = new Map(tracks.filter((t) => t.seen).map((t) => [t.id, { box: t.box, score: t.score }]));
    this.#deps.lookout.tell(now.camera.id, () => {
      const things = tracks.filter((t) => t.seen);
      const told = now.watch.incidents.filter((i) => i.state !== 'pending' && !isShadow(manifest, now.camera, i.rule.detects));
      const clear = things.filter((t) => told.some((i) => i.trackId === t.id)).map((t) => t.box);
      const trusted = (detects: string): boolean => !isShadow(manifest, now.camera, detects);
      return { full: frame.full, at, ms, people, tracks: things, clear, trusted };
    });
    const seen: Seen = { full: frame.full, at, ms, people, boxes };
    this.#evidence.look(seen, new Set(now.watch.incidents.filter((i) => i.state !== 'silent')));
    if (this.#newest !== null) release(this.#newest);
    this.#newest = frame;
    this.#people = people;
    now.events.handle(decisions, at);
    for (const { kind, incident } of decisions)
      if (kind === 'raise' && isShadow(manifest, now.camera, incident.rule.detects))
        counters.shadowEvents.inc({ camera: now.camera.id });
  }

  /** What is seen from now on for a minute was there before. */
  learnFixtures(): void {
    this.#inForce?.watch.fixtures.learnAnew();
  }

  /** A picture of a place, as CameraEvidence makes it. */
  photograph(...picture: Parameters<CameraEvidence['view']>): ReturnType<CameraEvidence['view']> {
    return this.#evidence.view(...picture);
  }

  /** The newest picture with what another model sees in it; null where there is none. Never throws. */
  async show(
    thing: Thing,
    where: Where,
    event: string,
    { model, people }: { model: string; people: readonly Box[] },
  ): Promise<EvidenceRef | null> {
    const newest = this.#newest;
    if (newest === null) return null;
    const { full, at, ms } = newest;
    return this.#evidence.view({ full, at, ms, people: [...this.#people, ...people] }, thing, where, event, model);
  }

  /** Called about once a second; `impaired` says for how long the camera has not been as it should, null while nobody knows. */
  tick(at: number, impaired: { ms: number; reason: string } | null): void {
    const now = this.#inForce;
    if (now === null) return;
    now.events.pollCases();
    if (impaired?.ms === 0) now.events.componentRecovered(at);
    else if (impaired !== null && impaired.ms >= IMPAIRED_FAULT_MS) this.#componentFault(now, at, impaired);
  }

  #componentFault({ camera, surroundings, events }: InForce, at: number, { ms, reason }: { ms: number; reason: string }): void {
    const { component } = camera;
    const cell = surroundings.cells.cellNear(camera, NEAR_CELL_M);
    if (component === undefined || cell === null) return;
    const key = PICTURE_ONLY.includes(reason) ? 'camera_picture' : 'camera_offline';
    events.componentFault((): EventData => {
      const startedAt = Math.round(at - ms);
      return {
        revision: 1,
        edge: this.#deps.edgeId,
        class: { flag: 1, code: component.slice(6, 10), fault: key },
        severity: fault(key)?.severity ?? 'normal',
        confidence: 1,
        place: { lon: camera.lon, lat: camera.lat, errorRadiusM: 1, cell, component },
        // The camera as a device that reports on itself: no zone, no model and no picture is behind it.
        origin: { by: 'sensor', device: camera.id, kind: 'camera', rule: key, field: reason, value: true },
        startedAt,
        confirmedAt: startedAt + IMPAIRED_FAULT_MS,
        lastSeenAt: at,
        evidence: [],
      };
    });
  }
}

const isSameModel = (a: ModelManifest, b: ModelManifest): boolean => modelName(a) === modelName(b) && a.sha256 === b.sha256;
