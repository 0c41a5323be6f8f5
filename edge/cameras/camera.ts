import {
  type CellIndex,
  classKey,
  className,
  type EventData,
  type EvidenceRef,
  fault,
  NEAR_CELL_M,
  type SiteCamera,
} from '#grid/mod.ts';
import type { Detection, LoadedModel } from '#models/mod.ts';
import type { Clock, Log, Service } from '#service/mod.ts';
import type { HealthSink } from '../events.ts';
import { type EvidenceStore, type EvidenceUploader, evidenceJpeg } from '../evidence/mod.ts';
import { MediaRing, type MediaStream } from '../media/mod.ts';
import {
  CameraView,
  type EventReporter,
  type Ground,
  type Incident,
  type InferenceLane,
  type InferencePool,
  type Located,
  type WallTime,
  type ZoneWatch,
} from '../vision/mod.ts';
import { type CameraMetrics, RateWindow } from './counters.ts';
import { BLIND_FAULT_MS, CameraHealth, type CameraState } from './health.ts';
import { PictureCheck } from './picture.ts';
import { RecentPictures, type Seen } from './recent.ts';
import { type Frame, FrameSource, pictureMs } from './source.ts';

export interface CameraDeps {
  camera: SiteCamera;
  edgeId: string;
  timeZone: string;
  wall: (utcMs: number) => WallTime;
  model: LoadedModel;
  pool: InferencePool;
  ground: Ground;
  cells: CellIndex;
  watch: ZoneWatch;
  reporter: (evidence: ConstructorParameters<typeof EventReporter>[0]['evidence']) => EventReporter;
  health: HealthSink;
  store: EvidenceStore;
  uploader: EvidenceUploader;
  counters: CameraMetrics;
  /** The model may not speak for this camera. */
  shadow: boolean;
  clock: Clock;
  log: Log;
  ffmpeg?: string | undefined;
}

const TICK_MS = 1000;
const REPORT_EVERY_MS = 10_000;
/** Full pictures are kept at most so wide: enough for a case, bounded for the memory. */
export const FULL_WIDTH_PX_MAX = 1280;

/**
 * One camera from its stream to its events.
 *
 *   FrameSource --> PictureCheck --> lane (newest wins) --> detections --> CameraView (tracks, zones) --> EventReporter
 *        |  |           |                                       |                                          |
 *        |  +--- MediaRing: the stream as it comes              |                                          |
 *        +--- CameraHealth: online, offline, black, frozen      +--> RecentPictures --masked picture-------+
 */
export class Camera implements Service {
  readonly #deps: CameraDeps;
  readonly #source: FrameSource;
  readonly #lane: InferenceLane<Frame>;
  readonly #health: CameraHealth;
  readonly #check: PictureCheck;
  readonly #view: CameraView;
  readonly #recent: RecentPictures;
  readonly #reporter: EventReporter;
  readonly #rate: RateWindow;
  /** None of a camera that sends single pictures. */
  readonly #media: MediaRing | null;
  readonly #counts = { decodedFrames: 0, analysedFrames: 0, droppedFrames: 0 };
  #timer: NodeJS.Timeout | undefined;
  #reportedMs = 0;
  #stopped = false;

  constructor(deps: CameraDeps) {
    const { camera, model, clock, log, shadow } = deps;
    this.#deps = deps;
    const { input } = model.manifest;
    const [at, ms] = [clock.now(), clock.monotonic()];
    this.#media = camera.url.startsWith('http') ? null : new MediaRing({ clock });
    this.#source = new FrameSource({
      camera,
      media: this.#media ?? undefined,
      format: { input, fullWidthMax: FULL_WIDTH_PX_MAX },
      log,
      clock,
      ffmpeg: deps.ffmpeg,
      onFrame: (frame) => this.#arrived(frame),
      onFailure: (reason) => {
        deps.counters.streamFailures.inc({ camera: camera.id, reason });
        this.#check.reset();
        this.#tell(this.#health.failure(reason, clock.now()));
      },
    });
    this.#lane = deps.pool.lane<Frame>({
      onDone: (frame, detections, inferenceMs) => this.#looked(frame, detections, inferenceMs),
      onDropped: (frame) => this.#dropped(frame),
    });
    this.#health = new CameraHealth({ timing: camera, shadow, at, ms });
    // The middle half of the rows is picture for every shape between 1:2 and 2:1.
    this.#check = new PictureCheck({ from: input.height / 4, to: (input.height * 3) / 4, width: input.width });
    this.#view = new CameraView({
      camera,
      model: model.manifest,
      ground: deps.ground,
      watch: deps.watch,
      prefix: `${camera.id.slice(0, 32)}-${at.toString(36)}`,
      frameMs: pictureMs(camera),
    });
    this.#recent = new RecentPictures((full) => this.#source.release({ full }));
    this.#reporter = deps.reporter((incident, located, subject) => this.#evidence(incident, located, subject));
    this.#rate = new RateWindow(ms);
  }

  async start(): Promise<void> {
    await this.#reporter.start();
    await this.#source.start();
    this.#reportedMs = this.#deps.clock.monotonic();
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    await this.#source.stop();
    this.#media?.close();
    this.#lane.clear();
    await this.#reporter.stop();
  }

  get id(): string {
    return this.#deps.camera.id;
  }

  get media(): MediaStream | null {
    return this.#media;
  }

  /** Of the running ffmpeg. */
  get pid(): number | null {
    return this.#source.pid;
  }

  stats(): { state: CameraState; analysedFps: number; decodedFrames: number; analysedFrames: number; droppedFrames: number } {
    const analysedFps = this.#rate.perSecond(this.#deps.clock.monotonic());
    return { state: this.#health.current, analysedFps, ...this.#counts };
  }

  #arrived(frame: Frame): void {
    const { counters, camera } = this.#deps;
    this.#counts.decodedFrames++;
    counters.decoded.inc({ camera: camera.id });
    const { usable, fault } = this.#check.look(frame.input, frame.ms);
    this.#tell(this.#health.frame(fault, frame.at, frame.ms));
    if (usable) this.#lane.offer(frame);
    // A picture that shows nothing confirms nothing and clears nothing.
    else this.#source.release(frame);
  }

  #dropped(frame: Frame): void {
    this.#counts.droppedFrames++;
    this.#deps.counters.dropped.inc({ camera: this.#deps.camera.id });
    this.#source.release(frame);
  }

  #looked(frame: Frame, detections: readonly Detection[], inferenceMs: number): void {
    const { camera, counters, wall, shadow } = this.#deps;
    // The last picture comes back after the end.
    if (this.#stopped) return;
    this.#counts.analysedFrames++;
    this.#rate.add(frame.ms);
    counters.analysed.inc({ camera: camera.id });
    counters.inferenceSeconds.observe(inferenceMs / 1000);
    this.#source.release({ input: frame.input });
    const { people, tracks, decisions } = this.#view.look(frame.full, detections, {
      at: frame.at,
      ms: frame.ms,
      wall: wall(frame.at),
    });
    const boxes = new Map(tracks.filter((t) => t.seen).map((t) => [t.id, { box: t.box, score: t.score }]));
    const seen: Seen = { full: frame.full, at: frame.at, people, boxes };
    this.#recent.push(seen);
    if (!shadow) this.#reporter.handle(decisions, frame.at);
    else for (const { kind } of decisions) if (kind === 'raise') counters.shadowEvents.inc({ camera: camera.id });
  }

  async #evidence(incident: Incident, located: Located, subject: string): Promise<EvidenceRef | null> {
    const { store, uploader, camera, timeZone, log } = this.#deps;
    try {
      const best = this.#recent.best(incident.trackId, incident.box);
      if (best === null) return null;
      const { seen, box } = best;
      const name = className(located.class);
      const caption = { nameZh: name.zh, nameEn: name.en, classKey: classKey(located.class), confidence: incident.score };
      // Masked and drawn before the first await: the frame's memory is used again soon.
      const jpeg = await evidenceJpeg(seen.full, box, seen.people, {
        ...caption,
        ...located.place,
        takenAt: seen.at,
        timeZone,
        camera: camera.id,
      });
      const ref = await store.put(jpeg, { mediaType: 'image/jpeg', event: subject, takenAt: seen.at });
      uploader.notify();
      return ref;
    } catch (error) {
      log.error({ camera: camera.id, event: subject, err: error }, 'no evidence for this event');
      return null;
    }
  }

  #tick(): void {
    const { clock, camera } = this.#deps;
    const [at, ms] = [clock.now(), clock.monotonic()];
    this.#tell(this.#health.tick(at, ms));
    this.#reporter.pollCases();
    this.#blindFault(at, ms);
    if (ms - this.#reportedMs < REPORT_EVERY_MS) return;
    this.#reportedMs = ms;
    this.#tell(this.#health.current);
    this.#deps.counters.online.set({ camera: camera.id }, this.#health.current.state === 'online' ? 1 : 0);
  }

  #blindFault(at: number, ms: number): void {
    const { camera, cells, edgeId } = this.#deps;
    const blindMs = this.#health.blindMs(ms);
    if (blindMs === 0 && this.#health.current.state !== 'unknown') this.#reporter.componentRecovered(at);
    const { component } = camera;
    const cell = cells.cellNear(camera, NEAR_CELL_M);
    if (component === undefined || cell === null || blindMs < BLIND_FAULT_MS) return;
    this.#reporter.componentFault((): EventData => {
      const startedAt = Math.round(at - blindMs);
      return {
        revision: 1,
        edge: edgeId,
        class: { flag: 1, code: component.slice(6, 10), fault: 'camera_offline' },
        severity: fault('camera_offline')?.severity ?? 'normal',
        confidence: 1,
        place: { lon: camera.lon, lat: camera.lat, errorRadiusM: 1, cell, component },
        // The camera as a device that reports on itself: no zone, no model and no picture is behind it.
        origin: { by: 'sensor', device: camera.id, kind: 'camera', rule: 'camera_offline', field: 'online', value: false },
        startedAt,
        confirmedAt: startedAt + BLIND_FAULT_MS,
        lastSeenAt: at,
        evidence: [],
      };
    });
  }

  #tell(state: CameraState | null): void {
    if (state === null) return;
    const { health, edgeId, camera, clock, counters, log } = this.#deps;
    counters.online.set({ camera: camera.id }, state.state === 'online' ? 1 : 0);
    const { analysedFps, droppedFrames, decodedFrames } = this.stats();
    const values = { analysedFps, droppedFrames, decodedFrames };
    health
      .report({ ts: clock.now(), edge: edgeId, of: 'camera', id: camera.id, ...state, values })
      .catch((error: unknown) => log.warn({ camera: camera.id, err: (error as Error).message }, 'camera health not stored'));
  }
}
