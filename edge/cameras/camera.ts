import { isDeepStrictEqual } from 'node:util';
import type { SiteCamera } from '#grid/mod.ts';
import type { Detection, LoadedModel } from '#models/mod.ts';
import { type Clock, type Log, type Service, WakingTime } from '#service/mod.ts';
import type { HealthSink } from '../events.ts';
import type { EvidenceRoom } from '../evidence/mod.ts';
import { MediaRing, type MediaStream } from '../media/mod.ts';
import { hasShadow, type InferenceLane, type InferencePool } from '../vision/mod.ts';
import { type CameraMetrics, RateWindow } from './counters.ts';
import { DamageWatch } from './damage.ts';
import { CameraHealth, type CameraState } from './health.ts';
import { Judge } from './judge.ts';
import type { Lookout } from './lookout.ts';
import { MainStream } from './main_stream.ts';
import type { Meaning } from './meaning.ts';
import { MotionGate } from './motion.ts';
import { isMovie, streamsOf } from './open.ts';
import { PictureCheck } from './picture.ts';
import type { FailureReason } from './reason.ts';
import { Reference } from './reference.ts';
import { SlowWatch } from './slow.ts';
import { type Frame, FrameSource } from './source.ts';
import { thumbnailOf } from './thumbnail.ts';

export interface CameraDeps {
  /** Its stream; what its detections mean is in `meaning`, and may be changed while it runs. */
  camera: SiteCamera;
  meaning: Meaning;
  edgeId: string;
  model: LoadedModel;
  pool: InferencePool;
  health: HealthSink;
  room: EvidenceRoom;
  counters: CameraMetrics;
  lookout: Lookout;
  filesDir: string | null;
  /** Folder of the reference pictures. */
  references: string;
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
 *   FrameSource --> PictureCheck --> MotionGate --> lane (newest wins) --> detections --> Judge --> events
 *        |  |           |
 *        |  +--- MediaRing: the stream as it comes, or MainStream where another one is analysed
 *        +--- CameraHealth: online, offline, black, covered, moved, ...
 */
export class Camera implements Service {
  readonly #deps: CameraDeps;
  readonly #source: FrameSource;
  /** Where another stream than the main one is analysed. */
  readonly #main: MainStream | null;
  readonly #lane: InferenceLane<Frame>;
  readonly #health: CameraHealth;
  /** By it a camera is silent: what came while this node stood still waits to be looked at. */
  readonly #waking = new WakingTime(TICK_MS);
  /** Waking ms of the newest picture, or of the beginning. */
  #heardMs = 0;
  readonly #reference: Reference;
  readonly #check: PictureCheck;
  readonly #gate: MotionGate | null;
  readonly #damage = new DamageWatch();
  readonly #slow: SlowWatch;
  readonly #judge: Judge;
  readonly #rate: RateWindow;
  /** None of a camera that sends single pictures. */
  readonly #media: MediaRing | null;
  readonly #counts = { decodedFrames: 0, analysedFrames: 0, droppedFrames: 0 };
  #calibration: SiteCamera['calibration'];
  #timer: NodeJS.Timeout | undefined;
  #reportedMs = 0;
  #stopped = false;

  constructor(deps: CameraDeps) {
    const { camera, meaning, model, clock, log } = deps;
    this.#deps = deps;
    this.#calibration = camera.calibration;
    const { input } = model.manifest;
    const [at, ms] = [clock.now(), clock.monotonic()];
    const { analysed, main } = streamsOf(camera);
    const process = { filesDir: deps.filesDir, log, clock, ffmpeg: deps.ffmpeg };
    const ring = isMovie(main ?? analysed) ? new MediaRing({ clock }) : null;
    this.#media = ring;
    this.#main =
      main === null || ring === null
        ? null
        : new MainStream({ ...process, address: main, ring, onFailure: (reason) => this.#count('main', reason) });
    this.#source = new FrameSource({
      ...process,
      address: analysed,
      timing: camera,
      media: main === null && ring !== null ? ring : undefined,
      format: { input, fullWidthMax: FULL_WIDTH_PX_MAX },
      onFrame: (frame) => this.#arrived(frame),
      onDamage: () => this.#damage.add(clock.monotonic()),
      onFailure: (reason) => {
        this.#count(main === null ? 'main' : 'sub', reason);
        this.#check.reset();
        this.#gate?.reset();
        this.#damage.reset();
        this.#slow.reset();
        this.#tell(this.#health.failure(reason, clock.now()));
      },
    });
    const handlers = {
      onDone: (frame: Frame, found: Detection[], inferenceMs: number) => this.#looked(frame, found, inferenceMs),
      onDropped: (frame: Frame) => this.#dropped(frame),
    };
    this.#lane = deps.pool.lane<Frame>(handlers, camera.id);
    this.#health = new CameraHealth({ timing: camera, shadow: hasShadow(meaning.manifest, meaning.camera), at, ms });
    this.#reference = new Reference({ dir: deps.references, camera: camera.id, log });
    this.#check = new PictureCheck({ reference: this.#reference, ignored: camera.ignorePictureFaults });
    const release = ({ full }: Pick<Frame, 'full'>) => this.#source.release({ full });
    this.#judge = new Judge({ ...deps, media: this.#media, release }, deps.meaning);
    this.#slow = new SlowWatch(camera);
    this.#gate = camera.motion === undefined ? null : new MotionGate(camera.motion);
    this.#rate = new RateWindow(ms);
  }

  async start(): Promise<void> {
    await this.#reference.load();
    await this.#judge.start();
    await this.#source.start();
    await this.#main?.start();
    this.#reportedMs = this.#deps.clock.monotonic();
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    await Promise.all([this.#source.stop(), this.#main?.stop()]);
    this.#lane.clear();
    // Clips that wait for their end are cut out of the ring.
    await Promise.all([this.#judge.stop(), this.#reference.saved()]);
    this.#media?.close();
  }

  /** Other zones, another calibration: the stream goes on. With the calibration the view is another, too. */
  async apply(meaning: Meaning): Promise<void> {
    this.#health.shadow = hasShadow(meaning.manifest, meaning.camera);
    if (!isDeepStrictEqual(meaning.camera.calibration, this.#calibration)) await this.renewReference();
    this.#calibration = meaning.camera.calibration;
    await this.#judge.apply(meaning);
  }

  /** What the camera shows from now on is right. */
  renewReference(): Promise<void> {
    this.#judge.learnFixtures();
    return this.#check.renew();
  }

  photograph(...picture: Parameters<Judge['photograph']>): ReturnType<Judge['photograph']> {
    return this.#judge.photograph(...picture);
  }

  show(...picture: Parameters<Judge['show']>): ReturnType<Judge['show']> {
    return this.#judge.show(...picture);
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

  #count(stream: 'main' | 'sub', reason: FailureReason): void {
    this.#deps.counters.streamFailures.inc({ camera: this.id, stream, reason });
  }

  #arrived(frame: Frame): void {
    const { counters, camera } = this.#deps;
    this.#counts.decodedFrames++;
    counters.decoded.inc({ camera: camera.id });
    const thumbnail = this.#gate === null ? null : thumbnailOf(frame.full);
    const { usable, fault } = this.#check.look(frame.full, frame.ms, thumbnail);
    const isSlow = this.#slow.add(frame.ms);
    const seenThrough = this.#damage.lasts(frame.ms) ? 'damaged' : isSlow ? 'slow' : null;
    this.#heardMs = this.#waking.at(frame.ms);
    this.#tell(this.#health.frame(fault ?? seenThrough, frame.at, frame.ms));
    const moves = thumbnail === null || this.#gate?.opens(thumbnail, frame.ms);
    if (!moves) counters.still.inc({ camera: camera.id });
    if (usable && moves) this.#lane.offer(frame);
    // A picture that shows nothing confirms nothing and clears nothing.
    else this.#source.release(frame);
  }

  #dropped(frame: Frame): void {
    this.#counts.droppedFrames++;
    this.#deps.counters.dropped.inc({ camera: this.#deps.camera.id });
    this.#source.release(frame);
  }

  #looked(frame: Frame, detections: readonly Detection[], inferenceMs: number): void {
    const { camera, counters, clock } = this.#deps;
    // The last picture comes back after the end.
    if (this.#stopped) return;
    this.#counts.analysedFrames++;
    this.#rate.add(frame.ms);
    counters.analysed.inc({ camera: camera.id });
    counters.inferenceSeconds.observe(inferenceMs / 1000);
    counters.detectSeconds.observe((clock.monotonic() - frame.ms) / 1000);
    this.#source.release({ input: frame.input });
    this.#judge.look(frame, detections);
  }

  #tick(): void {
    const { clock } = this.#deps;
    const [at, ms] = [clock.now(), clock.monotonic()];
    this.#tell(this.#health.tick(at, ms, this.#waking.at(ms) - this.#heardMs));
    const { state, reason } = this.#health.current;
    this.#judge.tick(at, state === 'unknown' ? null : { ms: this.#health.impairedMs(ms), reason });
    if (ms - this.#reportedMs < REPORT_EVERY_MS) return;
    this.#reportedMs = ms;
    this.#tell(this.#health.current);
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
