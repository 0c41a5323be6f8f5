import type { Clock, Log, Service } from '#service/mod.ts';
import { type EncoderStats, H264Encoder } from './encoder/mod.ts';
import { type PictureFault, spoilPicture } from './picture_fault.ts';
import type { AccessUnit, RtspFault, RtspMount, RtspServer } from './rtsp/mod.ts';
import type { CameraPose, Street, StreetRenderer } from './scene.ts';
import { type StreetScript, sceneAt } from './script/mod.ts';
import { diceOf } from './street/mod.ts';

export interface SimulatedCameraConfig {
  id: string;
  pose: CameraPose;
  script: StreetScript;
  /** 5 is usual. */
  fps: number;
  /** Path on the server, `/cam-01`. */
  mount: string;
  username: string;
  password: string;
  /** UTC ms of the script's beginning; the camera's start where not given. Cameras that see one street share it. */
  scriptStartsAt?: number;
  crf?: number;
  ffmpeg?: string;
}

export interface SimulatedCameraDeps {
  config: SimulatedCameraConfig;
  server: RtspServer;
  createRenderer: (street: Street, pose: CameraPose) => StreetRenderer;
  log: Log;
  clock: Clock;
}

export interface SimulatedCameraStats {
  drawn: number;
  /** Times at which no picture was drawn because the process was late. */
  skippedLate: number;
  /** Times at which the encoder still had the picture before, or was restarting. */
  skippedBusy: number;
  drawErrors: number;
  encoder: EncoderStats;
}

/**
 * A camera over a drawn street, at the end of an RTSP address.
 *
 *   clock --every 1/fps--> sceneAt(script, t) --> renderer --RGBA--> encoder --> mount --> clients
 *
 * It draws all the time, watched or not, as a camera films: a client gets the present at once, not a kept past.
 */
export class SimulatedCamera implements Service {
  readonly #deps: SimulatedCameraDeps;
  readonly #encoder: H264Encoder;
  /** Of what faults hit by chance. */
  readonly #random: () => number;
  #renderer: StreetRenderer | null = null;
  #mount: RtspMount | null = null;
  #timer: NodeJS.Timeout | undefined;
  #pictureFault: PictureFault | null = null;
  /** Sent over and over while the picture is frozen. */
  #frozen: AccessUnit | null = null;
  #startedAt = 0;
  #startedMs = 0;
  /** Number of the next picture: it is due at `startedMs + tick / fps`. */
  #tick = 0;
  readonly #stats = { drawn: 0, skippedLate: 0, skippedBusy: 0, drawErrors: 0 };

  constructor(deps: SimulatedCameraDeps) {
    this.#deps = deps;
    const { pose, fps, crf, ffmpeg, script } = deps.config;
    this.#random = diceOf(script.street.seed, 172).next;
    this.#encoder = new H264Encoder({
      config: {
        widthPx: pose.widthPx,
        heightPx: pose.heightPx,
        fps,
        ...(crf === undefined ? {} : { crf }),
        ...(ffmpeg === undefined ? {} : { ffmpeg }),
      },
      log: deps.log,
      clock: deps.clock,
      onUnit: (unit) => this.#mount?.push(this.#frozenOr(unit)),
    });
  }

  /**
   * Resolves when the encoder runs; the first picture follows within a frame time. The server is started by its owner.
   * Throws GEWU_MISSING_PROGRAM without ffmpeg, RangeError when the mount's path is taken.
   */
  async start(): Promise<void> {
    const { config, server, createRenderer, clock } = this.#deps;
    this.#renderer = createRenderer(config.script.street, config.pose);
    const { username, password } = config;
    this.#mount = server.mount(config.mount, {
      ...{ credentials: { username, password }, fps: config.fps },
      random: this.#random,
    });
    try {
      await this.#encoder.start();
    } catch (error) {
      await this.stop();
      throw error;
    }
    this.#startedAt = config.scriptStartsAt ?? clock.now();
    this.#startedMs = clock.monotonic() + (this.#startedAt - clock.now());
    this.#tick = this.#tickAt(clock.monotonic());
    this.#schedule();
  }

  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#mount !== null) this.#deps.server.unmount(this.#deps.config.mount);
    this.#mount = null;
    await this.#encoder.stop();
  }

  /** Makes a fault begin, or with null end. */
  setFault(fault: RtspFault | null): void {
    this.#deps.server.setFault(this.#deps.config.mount, fault);
  }

  /** Makes a fault of what it films begin, or with null end. */
  setPictureFault(fault: PictureFault | null): void {
    this.#pictureFault = fault;
  }

  /** RTSP address without user and password. */
  get url(): string {
    return this.#deps.server.url(this.#deps.config.mount);
  }

  /** UTC ms of the script's beginning: add it to the times of `truthOf`. */
  get scriptStartedAt(): number {
    return this.#startedAt;
  }

  get stats(): SimulatedCameraStats {
    return { ...this.#stats, encoder: this.#encoder.stats };
  }

  #tickAt(monotonicMs: number): number {
    return Math.ceil(((monotonicMs - this.#startedMs) * this.#deps.config.fps) / 1000);
  }

  /** By number, not by interval: a late picture does not shift those after it. */
  #schedule(): void {
    const now = this.#deps.clock.monotonic();
    // A picture that is late by more than a frame time is left out; the next one is due already.
    const earliest = this.#tickAt(now) - 1;
    if (this.#tick < earliest) {
      this.#stats.skippedLate += earliest - this.#tick;
      this.#tick = earliest;
    }
    const dueMs = this.#startedMs + (this.#tick * 1000) / this.#deps.config.fps;
    this.#timer = setTimeout(
      () => {
        this.#draw();
        this.#tick++;
        this.#schedule();
      },
      Math.max(0, dueMs - now),
    );
  }

  #draw(): void {
    const { config, clock, log } = this.#deps;
    // Asked before drawing: the renderer's picture is reused, and ffmpeg may still be reading the last one.
    if (!this.#encoder.ready || this.#renderer === null) {
      this.#stats.skippedBusy++;
      return;
    }
    try {
      const capturedMs = clock.monotonic();
      const objects = sceneAt(config.script, capturedMs - this.#startedMs);
      const { street, light } = config.script;
      const picture = this.#renderer.render({ street, light, objects, ts: clock.now() });
      if (this.#pictureFault !== null) spoilPicture(picture.rgba, config.pose.widthPx, this.#pictureFault, this.#random);
      this.#encoder.encode(picture.rgba, capturedMs);
      this.#stats.drawn++;
    } catch (error) {
      // One scene that cannot be drawn must not end the camera; the first of them is worth a line in the log.
      if (this.#stats.drawErrors++ === 0) log.error({ err: error, camera: config.id }, 'picture not drawn');
    }
  }

  #frozenOr(unit: AccessUnit): AccessUnit {
    if (this.#pictureFault !== 'frozen') this.#frozen = null;
    else if (unit.key) this.#frozen ??= unit;
    return this.#frozen === null ? unit : { ...this.#frozen, capturedMs: unit.capturedMs };
  }
}
