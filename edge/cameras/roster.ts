import { isDeepStrictEqual } from 'node:util';
import type { Site, SiteCamera } from '#grid/mod.ts';
import type { LoadedModel } from '#models/mod.ts';
import { isGewuError } from '#service/mod.ts';
import type { CaseStates } from '../events.ts';
import { hasShadow, type InferencePool } from '../vision/mod.ts';
import { Camera } from './camera.ts';
import type { Scene } from './candidates.ts';
import type { CameraChange, CameraPipelineDeps } from './contract.ts';
import { type CameraMetrics, cameraMetrics } from './counters.ts';
import type { Lookout } from './lookout.ts';
import { isSameStream, isSameSurroundings, type Meaning, meaningOf, type Surroundings, surroundingsOf } from './meaning.ts';
import { type RetireDeps, retireCamera } from './retire.ts';
import { isSamePicture } from './same_picture.ts';

/** The model in use and its threads. */
export interface Eyes {
  model: LoadedModel;
  pool: InferencePool;
}

interface Running {
  /** As the site describes it. */
  description: SiteCamera;
  camera: Camera;
}

export interface RosterDeps extends CameraPipelineDeps {
  lookout: Lookout;
  /** Folders of the cameras' memories and reference pictures. */
  memories: string;
  references: string;
  /** Gives up what is still to be told of cameras that are no more. */
  signal: AbortSignal;
}

/**
 * The cameras that run, one Camera each as the site describes it. Another site is made of it camera by camera: what is the same is not
 * touched, other zones leave the stream alone, and what a removed one had raised is cleared. Calls must not overlap.
 */
export class Roster {
  readonly #deps: RosterDeps;
  readonly #counters: CameraMetrics;
  readonly #running = new Map<string, Running>();
  #surroundings: Surroundings;

  constructor(deps: RosterDeps) {
    this.#deps = deps;
    this.#counters = cameraMetrics(deps.metrics);
    this.#surroundings = surroundingsOf(deps.site);
  }

  camera(id: string): Camera | null {
    return this.#running.get(id)?.camera ?? null;
  }

  /** Of those that run. */
  get descriptions(): SiteCamera[] {
    return [...this.#running.values()].map(({ description }) => description);
  }

  get cameras(): Camera[] {
    return [...this.#running.values()].map(({ camera }) => camera);
  }

  async change(site: Site, eyes: Eyes): Promise<CameraChange[]> {
    const surroundings = surroundingsOf(site);
    const elsewhere = !isSameSurroundings(this.#surroundings, surroundings);
    this.#surroundings = surroundings;
    const kept = new Set(site.cameras.map(({ id }) => id));
    const gone = [...this.#running.keys()].filter((id) => !kept.has(id));
    return Promise.all([
      ...gone.map((id) => this.#remove(id)),
      ...site.cameras.map((description) => this.#place(description, eyes, elsewhere)),
    ]);
  }

  /**
   * All of them look with another model once `activate` has put it in use: where both see pictures of one size, between two pictures;
   * else each stream is opened anew. As before where it throws.
   */
  async lookWith(eyes: Eyes, before: Eyes, activate: () => Promise<void>): Promise<void> {
    const all = [...this.#running.values()];
    const samePictures = isSamePicture(before.model.manifest, eyes.model.manifest);
    if (!samePictures) await Promise.all(all.map(({ camera }) => camera.stop()));
    let now = before;
    try {
      await activate();
      now = eyes;
    } finally {
      if (!samePictures) await Promise.all(all.map((running) => this.#renew(running, now)));
    }
    if (samePictures) await Promise.all(all.map((running) => running.camera.apply(this.#meaning(running.description, eyes))));
  }

  /** What a candidate may look at. */
  scene(eyes: Eyes): Scene {
    const cameras = [...this.#running.values()].map((running) => ({
      description: running.description,
      show: (...picture: Parameters<Camera['show']>) => running.camera.show(...picture),
    }));
    const caseStates: CaseStates = { stateOf: () => 'unknown' };
    const meaning: Scene['meaning'] = (description, { manifest }, dir) =>
      meaningOf(description, this.#surroundings, { ...this.#deps, caseStates, manifest, candidate: true, dir });
    return { ...eyes, cameras, meaning };
  }

  /** Side by side: each waits for its ffmpeg and its reporter only. */
  async stop(): Promise<PromiseSettledResult<void>[]> {
    const stopped = await Promise.allSettled(this.cameras.map((camera) => camera.stop()));
    this.#running.clear();
    return stopped;
  }

  /** Clears what a camera that is no more had raised, and forgets it. */
  retire(id: string): Promise<void> {
    const { events, clock, log, memories, signal } = this.#deps;
    const deps: RetireDeps = { dir: memories, events, clock, log, signal };
    return retireCamera(id, deps).catch((error: unknown) => log.error({ camera: id, err: error }, 'camera memory'));
  }

  /** Of a camera that does not run. */
  tell(id: string, state: 'offline' | 'unknown', reason: string): void {
    const { health, clock, edgeId, log } = this.#deps;
    const now = clock.now();
    health
      .report({ ts: now, edge: edgeId, of: 'camera', id, state, reason, since: now })
      .catch((cause: unknown) => log.warn({ camera: id, err: cause }, 'camera health not stored'));
  }

  async #place(description: SiteCamera, eyes: Eyes, elsewhere: boolean): Promise<CameraChange> {
    const { id } = description;
    const running = this.#running.get(id);
    if (running !== undefined && !elsewhere && isDeepStrictEqual(running.description, description))
      return { camera: id, change: 'unchanged' };
    try {
      const meaning = this.#meaning(description, eyes);
      if (running !== undefined && isSameStream(running.description, description)) {
        await running.camera.apply(meaning);
        running.description = description;
        return { camera: id, change: 'rules' };
      }
      await running?.camera.stop();
      // Another address may be another camera.
      await running?.camera.renewReference();
      const camera = this.#build(description, meaning, eyes);
      await camera.start();
      this.#running.set(id, { description, camera });
      return { camera: id, change: running === undefined ? 'added' : 'stream' };
    } catch (error) {
      if (!isGewuError(error)) throw error;
      this.#deps.log.error({ camera: id, err: error.message }, 'this camera is not taken as it is described');
      if (running === undefined) this.tell(id, 'offline', 'calibration');
      return { camera: id, change: 'refused', message: error.message };
    }
  }

  async #remove(id: string): Promise<CameraChange> {
    const camera = this.#running.get(id)?.camera;
    this.#running.delete(id);
    await camera?.stop();
    await camera?.renewReference();
    await this.retire(id);
    this.#counters.online.remove({ camera: id });
    this.tell(id, 'unknown', 'removed');
    return { camera: id, change: 'removed' };
  }

  async #renew(running: Running, eyes: Eyes): Promise<void> {
    const meaning = this.#meaning(running.description, eyes);
    running.camera = this.#build(running.description, meaning, eyes);
    await running.camera.start();
  }

  #meaning(description: SiteCamera, { model }: Eyes): Meaning {
    return meaningOf(description, this.#surroundings, { ...this.#deps, manifest: model.manifest, dir: this.#deps.memories });
  }

  #build(camera: SiteCamera, meaning: Meaning, eyes: Eyes): Camera {
    const { edgeId, health, clock, log, ffmpeg, vision, lookout, references } = this.#deps;
    const { filesDir } = vision;
    if (hasShadow(eyes.model.manifest, meaning.camera))
      log.warn(
        { camera: camera.id, model: eyes.model.manifest.name },
        'the model knows no real streets: what it finds here opens no cases',
      );
    return new Camera({
      ...eyes,
      ...{ camera, meaning, edgeId, health, filesDir, clock, log, ffmpeg },
      room: this.#deps.evidence,
      counters: this.#counters,
      ...{ lookout, references },
    });
  }
}
