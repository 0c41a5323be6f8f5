import type { Clock, Log, Service } from '#service/mod.ts';
import {
  createStreetRenderer,
  type PictureFault,
  type Reel,
  ReelCamera,
  type ReelPlan,
  type RtspFault,
  type RtspFaultKind,
  RtspServer,
  recordReel,
} from '../cameras/mod.ts';
import { hash } from '../cameras/street/mod.ts';
import { isPictureFault, type StagedCameraFault, type StagedCameras, type StagedView } from '../scenarios/mod.ts';

export interface FilmDeps {
  config: {
    cameras: StagedCameras;
    /** Of what faults hit by chance. */
    seed: number;
    rtsp: { host: string; port: number; username: string; password: string };
  };
  log: Log;
  clock: Clock;
}

/** As the second stream of a camera comes, which is the one that is analysed. */
const FPS = 2;
const SPOILT_MS = 6_000;

/**
 * The cameras of a run: each view drawn and coded once, before it begins, and then played by all that share it.
 *
 *   view --record--> reel --+--> camera, phase, fault --> RTSP
 *                           +--> camera, phase, fault --> RTSP
 */
export class Film implements Service {
  readonly #deps: FilmDeps;
  readonly #server: RtspServer;
  readonly #cameras = new Map<string, ReelCamera>();
  readonly #timers: NodeJS.Timeout[] = [];

  constructor(deps: FilmDeps) {
    const { config, log, clock } = deps;
    this.#deps = deps;
    const { host, port } = config.rtsp;
    this.#server = new RtspServer({ config: { host, port, connectionsMax: CONNECTIONS_MAX }, log, clock });
  }

  get count(): number {
    return this.#deps.config.cameras.views.reduce((sum, v) => sum + v.cameras.length, 0);
  }

  /** Draws, codes, and lets edges connect; what they see is the street before the run. Throws GEWU_PORT_IN_USE, GEWU_MISSING_PROGRAM. */
  async start(): Promise<void> {
    const { config, clock } = this.#deps;
    await this.#server.start();
    // Half of the work is a process of its own: two at a time keep both busy.
    const queue = [...config.cameras.views];
    const worker = async () => {
      for (let view = queue.shift(); view !== undefined; view = queue.shift()) await this.#show(view, clock);
    };
    await Promise.all([worker(), worker()]);
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers.splice(0)) clearTimeout(timer);
    await Promise.all([...this.#cameras.values()].map((c) => c.stop()));
    await this.#server.stop();
  }

  /** The run begins now. */
  begin(): void {
    for (const camera of this.#cameras.values()) camera.begin();
    for (const { what, camera, fromMs, toMs, probability } of this.#deps.config.cameras.faults) {
      const own = this.#cameras.get(camera.id);
      const set = (on: boolean) => {
        if (isPictureFault(what)) own?.setPictureFault(on ? what : null);
        else own?.setFault(on ? rtspFault(what, probability) : null);
      };
      this.#timers.push(
        setTimeout(() => set(true), fromMs),
        setTimeout(() => set(false), toMs),
      );
    }
  }

  async #show(view: StagedView, clock: Clock): Promise<void> {
    const { cameras, rtsp, seed } = this.#deps.config;
    const { username, password } = rtsp;
    const reel = await this.#record(view, { durationMs: cameras.reelMs });
    for (const { camera, phaseMs } of view.cameras) {
      const own = cameras.faults.filter((f) => f.camera === camera);
      const spoilt = await this.#spoil(view, own);
      const mount = `/${camera.id}`;
      const config = { mount, credentials: { username, password }, phaseMs, seed: hash(seed, ...Buffer.from(mount)) };
      const playing = new ReelCamera({ config, reel, spoilt, server: this.#server, clock });
      this.#cameras.set(camera.id, playing);
      await playing.start();
    }
  }

  /** What a camera shows while its picture is bad: its view as it is when that begins. */
  async #spoil(view: StagedView, faults: readonly StagedCameraFault[]): Promise<Map<PictureFault, Reel>> {
    const spoilt = new Map<PictureFault, Reel>();
    for (const { what, fromMs } of faults)
      if (isPictureFault(what) && what !== 'frozen')
        spoilt.set(what, await this.#record(view, { fromMs, durationMs: SPOILT_MS, spoilt: what }));
    return spoilt;
  }

  #record({ lead, actors, lightAt }: StagedView, part: Pick<ReelPlan, 'fromMs' | 'durationMs' | 'spoilt'>): Promise<Reel> {
    const { street, pose } = lead;
    const renderer = createStreetRenderer(street, pose);
    return recordReel({ renderer, street, pose, actors, lightAt, fps: FPS, ...part }, this.#deps);
  }
}

function rtspFault(kind: RtspFaultKind, probability: number | undefined): RtspFault {
  return (kind === 'drop' || kind === 'corrupt') && probability !== undefined ? { kind, probability } : { kind };
}

/** A camera and its clips, live views and retries. */
const CONNECTIONS_MAX = 4_096;
