import type { Worker } from 'node:worker_threads';
import type { LoadedModel } from '#models/mod.ts';
import type { Log, Service } from '#service/mod.ts';
import { Crew } from './crew.ts';
import { InferenceLane, type LaneFrame, type LaneHandlers } from './lane.ts';
import type { InferenceResult, WorkerInput } from './worker.ts';

export interface InferenceDeps {
  model: LoadedModel;
  workers: number;
  log: Log;
  /** Seam for tests that kill one. */
  createWorker?: (data: WorkerInput) => Worker;
}

/** A model that is loaded beside the one in use, and runs. */
export interface PreparedModel {
  readonly model: LoadedModel;
  /** That one thread works for a grey picture, ms: by its CPU time over some runs. What else the machine does is no part of it. */
  readonly cpuMs: number;
  readonly crew: Crew;
}

/** What a candidate in shadow saw in a picture that the model in use saw too. */
export interface ShadowResult extends InferenceResult {
  lane: string;
  /** Its time and size; its pictures are in use again. */
  frame: LaneFrame;
}

export interface ShadowOptions {
  /** Lanes by name whose pictures it gets. */
  lanes: ReadonlySet<string>;
  onResult(result: ShadowResult): void;
  /** A picture of this lane came while it was busy. */
  onSkipped?(lane: string): void;
  /** A thread of it died; it is started again. */
  onDeath?(): void;
}

interface Shadow extends ShadowOptions {
  prepared: PreparedModel;
  seen: number;
  skipped: number;
}

const TIMED_RUNS = 12;
/** Of a kernel with 250 a second. */
const TICK_MS = 4;
const GREY = 114;
/** Share that the newest picture has in the mean of late. */
const OF_LATE = 0.05;

/**
 * Threads that look at the pictures of all lanes.
 *
 *   lane.offer(frame) --waits, the newest wins--> turn --> worker --> lane.onDone(detections), frame free again
 *                                                  |
 *                                                  +-copy-> candidate in shadow, if it is idle --> onResult
 *
 * Lanes get their turn in the order in which their pictures began to wait, so no camera starves another, and the whole
 * queue is bounded by the number of lanes. The queue is the pool's own: when another model takes over, what waits goes to it,
 * and what is under way comes to its end.
 */
export class InferencePool implements Service {
  readonly #deps: InferenceDeps;
  readonly #turns: InferenceLane<LaneFrame>[] = [];
  readonly #deathListeners = new Set<() => void>();
  #crew: Crew | null = null;
  #shadow: Shadow | null = null;
  #restarts = 0;
  /** Of late, of the model in use. */
  #cpuMs: number | null = null;

  constructor(deps: InferenceDeps) {
    this.#deps = deps;
  }

  /** Resolves when every worker has run the model once. Throws GEWU_MODEL_INVALID. */
  async start(): Promise<void> {
    const crew = this.#assemble(this.#deps.model);
    await crew.hire(this.#deps.workers);
    this.#crew = crew;
    this.#serve();
  }

  async stop(): Promise<void> {
    this.#turns.length = 0;
    const crews = [this.#crew, this.#shadow?.prepared.crew];
    this.#crew = null;
    this.#shadow = null;
    await Promise.all(crews.map((crew) => crew?.close()));
  }

  /** `name` tells the lane apart for a candidate in shadow. */
  lane<F extends LaneFrame>(handlers: LaneHandlers<F>, name = ''): InferenceLane<F> {
    // The pool carries frames through and never makes one, so each lane gets back what it put in.
    const wait = (lane: InferenceLane<F>): void => {
      this.#turns.push(lane as unknown as InferenceLane<LaneFrame>);
      this.#serve();
    };
    return new InferenceLane(name, handlers, wait);
  }

  /** That a thread works for a picture with the model in use: the mean of late. Null before the first. */
  get cpuMs(): number | null {
    return this.#cpuMs;
  }

  /** Workers that were started again after they died. */
  get restarts(): number {
    return this.#restarts;
  }

  /** A worker of the model in use died. Returns what unsubscribes. */
  onDeath(listener: () => void): () => void {
    this.#deathListeners.add(listener);
    return () => this.#deathListeners.delete(listener);
  }

  /** Loads a model beside the one in use, runs and times it; the lanes notice nothing. Throws GEWU_MODEL_INVALID. */
  async prepare(model: LoadedModel): Promise<PreparedModel> {
    const crew = this.#assemble(model);
    await crew.hire(1);
    try {
      return { model, crew, cpuMs: await timed(crew) };
    } catch (error) {
      await crew.close();
      throw error;
    }
  }

  /** Gives up a model that was prepared. */
  discard({ crew }: PreparedModel): Promise<void> {
    return crew.close();
  }

  /**
   * The prepared model takes over between two pictures: none is lost. Only for lanes whose pictures have its input's size; the
   * others are closed before. Throws GEWU_MODEL_INVALID; the model in use stays then.
   */
  async activate({ crew }: PreparedModel): Promise<void> {
    await crew.hire(this.#deps.workers);
    const old = this.#crew;
    this.#crew = crew;
    this.#cpuMs = null;
    this.#serve();
    await old?.drain();
    await old?.close();
  }

  /** A candidate sees what the model in use sees, as far as its one thread keeps up. The one before it ends. */
  async shadow(prepared: PreparedModel | null, options?: ShadowOptions): Promise<void> {
    const old = this.#shadow;
    this.#shadow = prepared === null || options === undefined ? null : { prepared, ...options, seen: 0, skipped: 0 };
    await old?.prepared.crew.close();
  }

  /** Other lanes for the candidate that is there. */
  shadowLanes(lanes: ReadonlySet<string>): void {
    if (this.#shadow !== null) this.#shadow.lanes = lanes;
  }

  /** Pictures that the candidate saw, and those that came while it was busy. */
  get shadowed(): { seen: number; skipped: number } {
    return { seen: this.#shadow?.seen ?? 0, skipped: this.#shadow?.skipped ?? 0 };
  }

  #assemble(model: LoadedModel): Crew {
    const { log, createWorker } = this.#deps;
    const crew: Crew = new Crew({
      model,
      log,
      createWorker,
      onFree: () => this.#serve(),
      onDeath: () => {
        this.#restarts++;
        if (crew === this.#crew) for (const listener of this.#deathListeners) listener();
        if (crew === this.#shadow?.prepared.crew) this.#shadow.onDeath?.();
      },
    });
    return crew;
  }

  #serve(): void {
    const crew = this.#crew;
    while (crew?.free) {
      const [lane, frame] = this.#nextFrame();
      if (lane === undefined || frame === null) return;
      this.#copyToShadow(lane.name, frame);
      crew.give(frame.input, ({ input, result }) => {
        if (input !== null) frame.input = input;
        if (result !== null && crew === this.#crew) this.#timed(result.cpuMs);
        lane.settle(frame, result);
      });
    }
  }

  #timed(ms: number): void {
    this.#cpuMs = this.#cpuMs === null ? ms : this.#cpuMs + (ms - this.#cpuMs) * OF_LATE;
  }

  #nextFrame(): [InferenceLane<LaneFrame> | undefined, LaneFrame | null] {
    for (;;) {
      const lane = this.#turns.shift();
      const frame = lane?.take() ?? null;
      if (lane === undefined || frame !== null) return [lane, frame];
    }
  }

  #copyToShadow(lane: string, frame: LaneFrame): void {
    const shadow = this.#shadow;
    if (shadow === null || !shadow.lanes.has(lane)) return;
    if (!shadow.prepared.crew.free) {
      shadow.skipped++;
      shadow.onSkipped?.(lane);
      return;
    }
    shadow.seen++;
    shadow.prepared.crew.give(frame.input.slice(0), ({ result }) => {
      if (result !== null && shadow === this.#shadow) shadow.onResult({ lane, frame, ...result });
    });
  }
}

async function timed(crew: Crew): Promise<number> {
  const { width, height } = crew.model.manifest.input;
  let input = new ArrayBuffer(width * height * 3);
  new Uint8Array(input).fill(GREY);
  const runs: InferenceResult[] = [];
  for (let run = 0; run < TIMED_RUNS; run++)
    await new Promise<void>((resolve, reject) =>
      crew.give(input, (outcome) => {
        if (outcome.result === null || outcome.input === null) return reject(new Error('it does not run'));
        runs.push(outcome.result);
        input = outcome.input;
        resolve();
      }),
    );
  // Many kernels count a thread's work in ticks: a run is told as none or as one more than it was, and only many together are right.
  // What is over within a tick was hardly interrupted, and there the clock is the better measure.
  const fastest = Math.min(...runs.map((r) => r.inferenceMs));
  return fastest < TICK_MS ? fastest : runs.reduce((sum, r) => sum + r.cpuMs, 0) / runs.length;
}
