import type { SiteCamera } from '#grid/mod.ts';
import type { LoadedModel } from '#models/mod.ts';
import { type Clock, GewuError, type Log } from '#service/mod.ts';
import type { EventSink, HealthSink } from '../events.ts';
import { makeFolder } from '../evidence/mod.ts';
import { type InferencePool, modelName, type PreparedModel } from '../vision/mod.ts';
import { CandidateWatch, type CandidateWatchDeps } from './candidate_watch.ts';
import type { Meaning } from './meaning.ts';
import { forgottenCameras, retireCamera } from './retire.ts';
import { isSamePicture } from './same_picture.ts';
import type { Frame } from './source.ts';

/** A model that looks in shadow. */
export interface Candidate {
  prepared: PreparedModel;
  package: string;
  /** All where it does not say. */
  cameras?: readonly string[] | undefined;
  /** A thread of it died; it is started again. */
  onDeath(): void;
  /** It cannot go on beside what the model in use has become. */
  onEnd(error: GewuError): void;
}

/** What a candidate looks at, as it is now. */
export interface Scene {
  pool: InferencePool;
  model: LoadedModel;
  cameras: readonly { description: SiteCamera; show: CandidateWatchDeps['show'] }[];
  /** What a camera's detections mean by a manifest, with a memory in `dir`. Throws GewuError. */
  meaning(description: SiteCamera, candidate: LoadedModel, dir: string): Meaning;
}

export interface CandidatesDeps {
  /** Of their memories. */
  dir: string;
  edgeId: string;
  events: EventSink;
  health: HealthSink;
  clock: Clock;
  log: Log;
  signal: AbortSignal;
}

/** The candidate of a node, on the cameras that it looks at. Calls are made one after the other. */
export class Candidates {
  readonly #deps: CandidatesDeps;
  #candidate: Candidate | null = null;
  readonly #watches = new Map<string, CandidateWatch>();

  constructor(deps: CandidatesDeps) {
    this.#deps = deps;
  }

  /**
   * None: what the one before had raised is cleared, in an earlier life of the node too. Or one, after none. Throws GEWU_MODEL_INVALID;
   * there is none then.
   */
  async set(candidate: Candidate | null, scene: Scene | null): Promise<void> {
    await makeFolder(this.#deps.dir);
    await this.stop();
    await scene?.pool.shadow(null);
    this.#candidate = null;
    if (candidate === null) return this.#retire([]);
    if (scene === null) throw new GewuError('GEWU_MODEL_INVALID', 'this node has no camera to look with a candidate');
    checkFits(candidate, scene.model);
    this.#candidate = candidate;
    await this.#look(scene);
    await scene.pool.shadow(candidate.prepared, {
      lanes: new Set(this.#watches.keys()),
      // The lanes' pictures are those of the cameras.
      onResult: ({ lane, frame, detections }) => this.#watches.get(lane)?.look(frame as Frame, detections),
      onSkipped: (lane) => this.#watches.get(lane)?.skipped(),
      onDeath: () => candidate.onDeath(),
    });
  }

  /** Cameras, zones or the model in use are others. */
  async renew(scene: Scene): Promise<void> {
    const candidate = this.#candidate;
    if (candidate === null) return;
    try {
      checkFits(candidate, scene.model);
    } catch (error) {
      await this.set(null, scene);
      return candidate.onEnd(error as GewuError);
    }
    await this.stop();
    await this.#look(scene);
    scene.pool.shadowLanes(new Set(this.#watches.keys()));
    await this.#retire([...this.#watches.keys()]);
  }

  /** What stands stays remembered. */
  async stop(): Promise<void> {
    const watches = [...this.#watches.values()];
    this.#watches.clear();
    await Promise.all(watches.map((watch) => watch.stop()));
  }

  async #look({ model, cameras, meaning }: Scene): Promise<void> {
    const candidate = this.#candidate;
    if (candidate === null) return;
    const { dir, edgeId, health, clock, log } = this.#deps;
    const { package: sha256, prepared } = candidate;
    const against = modelName(model.manifest);
    for (const { description, show } of cameras) {
      if (candidate.cameras?.includes(description.id) === false) continue;
      const meant = meaning(description, prepared.model, dir);
      const watch = new CandidateWatch({ meaning: meant, package: sha256, against, edgeId, show, health, clock, log });
      await watch.start();
      this.#watches.set(description.id, watch);
    }
  }

  /** Clears what stands on cameras that no candidate looks at any more. */
  async #retire(kept: readonly string[]): Promise<void> {
    for (const id of await forgottenCameras(this.#deps.dir, kept)) await retireCamera(id, this.#deps);
  }
}

/** It sees the same pictures, and its events must be told from the others'. Throws GEWU_MODEL_INVALID. */
function checkFits({ prepared: { model } }: Candidate, inUse: LoadedModel): void {
  const [own, other] = [modelName(model.manifest), modelName(inUse.manifest)];
  if (own === other)
    throw new GewuError('GEWU_MODEL_INVALID', `a candidate needs another name or version than ${other}, which is in use`);
  if (isSamePicture(model.manifest, inUse.manifest)) return;
  const size = ({ input }: LoadedModel['manifest']) => `${input.width} x ${input.height}`;
  throw new GewuError(
    'GEWU_MODEL_INVALID',
    `${own} wants pictures of ${size(model.manifest)}, ${other} of ${size(inUse.manifest)}: a candidate looks at those of the model in use`,
  );
}
