import type { Clock, Service } from '#service/mod.ts';
import type { PictureFault } from '../picture_fault.ts';
import type { Credentials, RtspFault, RtspMount, RtspServer } from '../rtsp/mod.ts';
import { diceOf } from '../street/mod.ts';
import type { Reel } from './record.ts';

export interface ReelCameraDeps {
  config: {
    /** Path on the server, `/cam-01`. */
    mount: string;
    credentials: Credentials;
    /** It is so far ahead of the script: cameras that share a reel do not show the same in the same moment. */
    phaseMs: number;
    /** Of what its faults hit by chance. */
    seed: number;
  };
  reel: Reel;
  /** Of a camera with that fault, the same view. `frozen` needs none. */
  spoilt: ReadonlyMap<PictureFault, Reel>;
  server: RtspServer;
  clock: Clock;
}

/** A camera that plays a reel into an RTSP address: the prologue until `begin`, then the script, over and over. */
export class ReelCamera implements Service {
  readonly #deps: ReelCameraDeps;
  #mount: RtspMount | null = null;
  #timer: NodeJS.Timeout | undefined;
  #pictureFault: PictureFault | null = null;
  #frozenAt: number | null = null;
  #startedMs = 0;
  #tick = 0;
  /** Monotonic ms of the script's beginning. */
  #beganMs = Number.POSITIVE_INFINITY;

  constructor(deps: ReelCameraDeps) {
    this.#deps = deps;
  }

  /** The server is started by its owner. Throws RangeError when the mount's path is taken. */
  async start(): Promise<void> {
    const { config, reel, server, clock } = this.#deps;
    this.#mount = server.mount(config.mount, {
      ...{ credentials: config.credentials, fps: reel.fps },
      random: diceOf(config.seed, 172).next,
    });
    // Not all cameras of a city in one moment.
    this.#startedMs = clock.monotonic() + (config.phaseMs % (1000 / reel.fps));
    this.#schedule();
  }

  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    if (this.#mount !== null) this.#deps.server.unmount(this.#deps.config.mount);
    this.#mount = null;
  }

  /** The script begins now. */
  begin(): void {
    this.#beganMs = this.#deps.clock.monotonic();
  }

  setFault(fault: RtspFault | null): void {
    this.#deps.server.setFault(this.#deps.config.mount, fault);
  }

  setPictureFault(fault: PictureFault | null): void {
    this.#pictureFault = fault;
    this.#frozenAt = null;
  }

  /** By number, not by interval; those for which it is too late are left out, as their time has passed. */
  #schedule(): void {
    const { reel, clock } = this.#deps;
    const passed = Math.floor(((clock.monotonic() - this.#startedMs) * reel.fps) / 1000);
    this.#tick = Math.max(this.#tick + 1, passed);
    const dueMs = this.#startedMs + (this.#tick * 1000) / reel.fps;
    this.#timer = setTimeout(
      () => {
        this.#show();
        this.#schedule();
      },
      Math.max(0, dueMs - clock.monotonic()),
    );
  }

  #show(): void {
    const { reel, spoilt, clock } = this.#deps;
    const nowMs = clock.monotonic();
    const faulty = this.#pictureFault === null ? undefined : spoilt.get(this.#pictureFault);
    const unit =
      faulty === undefined ? reel.units[this.#frozenOr(this.#placeAt(nowMs))] : faulty.units[this.#tick % faulty.units.length];
    if (unit !== undefined) this.#mount?.push({ ...unit, capturedMs: nowMs });
  }

  #placeAt(nowMs: number): number {
    const { reel, config } = this.#deps;
    if (nowMs < this.#beganMs) return this.#tick % reel.prologue;
    const n = Math.floor(((nowMs - this.#beganMs + config.phaseMs) * reel.fps) / 1000);
    return reel.prologue + (n % (reel.units.length - reel.prologue));
  }

  /** While frozen the last key picture comes again and again. */
  #frozenOr(n: number): number {
    if (this.#pictureFault !== 'frozen') return n;
    const { units } = this.#deps.reel;
    if (this.#frozenAt === null) {
      let key = n;
      while (key > 0 && units[key]?.key !== true) key--;
      this.#frozenAt = key;
    }
    return this.#frozenAt;
  }
}
