import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Site, SiteCamera } from '#grid/mod.ts';
import type { LoadedModel, ModelManifest } from '#models/mod.ts';
import { GewuError, isGewuError } from '#service/mod.ts';
import type { CaseStates, Question, Testimony } from '../events.ts';
import { makeFolder } from '../evidence/mod.ts';
import type { MediaStream } from '../media/mod.ts';
import { hasShadow, InferencePool, openModel, type PreparedModel } from '../vision/mod.ts';
import { Camera } from './camera.ts';
import { type Candidate, Candidates, type Scene } from './candidates.ts';
import type { CameraChange, CameraPipeline, CameraPipelineDeps, CameraPipelineStats } from './contract.ts';
import { type CameraMetrics, cameraMetrics } from './counters.ts';
import { type LookListener, Lookout } from './lookout.ts';
import {
  isSameStream,
  isSameSurroundings,
  type Meaning,
  meaningOf,
  type Surroundings,
  silentRules,
  surroundingsOf,
} from './meaning.ts';
import { forgottenCameras, type RetireDeps, retireCamera } from './retire.ts';
import { isSamePicture } from './same_picture.ts';
import { pictureMs } from './source.ts';
import { Witness } from './witness.ts';

/**
 * All cameras of a site: the model and its threads, one Camera each.
 * A model that cannot be used (GEWU_MODEL_INVALID, logged) leaves all cameras offline by that name and the rest of the node as it is;
 * a camera whose calibration is wrong is reported and left out, the others run.
 */
export function createCameraPipeline(deps: CameraPipelineDeps): CameraPipeline {
  return new Pipeline(deps);
}

/** Opened with the first camera: a node without one needs neither model nor threads. */
interface Eyes {
  model: LoadedModel;
  pool: InferencePool;
}

interface Running {
  /** As the site describes it. */
  description: SiteCamera;
  camera: Camera;
}

class Pipeline implements CameraPipeline {
  readonly #deps: CameraPipelineDeps;
  readonly #memories: string;
  readonly #references: string;
  readonly #counters: CameraMetrics;
  readonly #lookout = new Lookout();
  readonly #stopping = new AbortController();
  readonly #cameras = new Map<string, Running>();
  readonly #witness: Witness;
  readonly #candidates: Candidates;
  /** As the site describes them, whether they run or not. */
  #wanted: readonly SiteCamera[];
  readonly #deathListeners = new Set<() => void>();
  #surroundings: Surroundings;
  #eyes: Eyes | null = null;
  /** Changes wait for the one before. */
  #changes: Promise<unknown> = Promise.resolve();

  constructor(deps: CameraPipelineDeps) {
    const { dataDir, metrics, site, clock } = deps;
    this.#deps = deps;
    this.#memories = join(dataDir, 'vision');
    this.#references = join(dataDir, 'references');
    this.#counters = cameraMetrics(metrics);
    this.#surroundings = surroundingsOf(site);
    this.#wanted = site.cameras;
    const { edgeId, events, health, log } = deps;
    const candidatesDir = join(dataDir, 'candidate');
    const signal = this.#stopping.signal;
    this.#candidates = new Candidates({ dir: candidatesDir, edgeId, events, health, clock, log, signal });
    this.#witness = new Witness({
      bystanders: () =>
        this.#wanted.map((camera) => ({
          camera,
          online: this.#cameras.get(camera.id)?.camera.stats().state.state === 'online',
        })),
      lookout: this.#lookout,
      photograph: async (id, ...picture) => this.#cameras.get(id)?.camera.photograph(...picture) ?? null,
      clock,
    });
  }

  async start(): Promise<void> {
    const { site } = this.#deps;
    await makeFolder(this.#memories);
    await makeFolder(this.#references);
    try {
      await this.apply(site);
    } catch (error) {
      if (!isGewuError(error, 'GEWU_MODEL_INVALID')) {
        await this.stop();
        throw error;
      }
      this.#deps.log.error({ err: error.message }, 'no camera is looked at: the model cannot be used');
      for (const { id } of site.cameras) this.#tell(id, 'offline', 'model');
    }
    const forgotten = await forgottenCameras(
      this.#memories,
      site.cameras.map(({ id }) => id),
    );
    this.#changes = Promise.all(forgotten.map((id) => this.#retire(id)));
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#changes.catch(() => {});
    await this.#candidates.stop();
    // Side by side, and cameras first: each waits for its ffmpeg and its reporter only.
    const stopped = await Promise.allSettled([...this.#cameras.values()].map(({ camera }) => camera.stop()));
    this.#cameras.clear();
    await this.#eyes?.pool.stop();
    this.#eyes = null;
    const failed = stopped.find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }

  apply(site: Site): Promise<CameraChange[]> {
    const change = this.#changes.then(async () => {
      const changes = await this.#change(site);
      if (changes.some(({ change }) => change !== 'unchanged')) await this.#renewCandidate();
      return changes;
    });
    this.#changes = change.catch(() => {});
    return change;
  }

  stats(): CameraPipelineStats {
    const all = [...this.#cameras.values()].map(({ camera }) => camera.stats());
    return {
      online: all.filter((c) => c.state.state === 'online').length,
      analysedFps: Math.round(all.reduce((sum, c) => sum + c.analysedFps, 0) * 100) / 100,
      droppedFrames: all.reduce((sum, c) => sum + c.droppedFrames, 0),
    };
  }

  media(cameraId: string): MediaStream | null {
    return this.#cameras.get(cameraId)?.camera.media ?? null;
  }

  async renewReference(cameraId: string): Promise<boolean> {
    const running = this.#cameras.get(cameraId);
    await running?.camera.renewReference();
    return running !== undefined;
  }

  watch(cameraId: string, listener: LookListener): () => void {
    return this.#lookout.watch(cameraId, listener);
  }

  ask(question: Question): Promise<Testimony> {
    return this.#witness.ask(question);
  }

  zones(cameraId: string): SiteCamera['zones'] | null {
    return this.#cameras.get(cameraId)?.description.zones ?? null;
  }

  manifest(): ModelManifest | null {
    return this.#eyes?.model.manifest ?? null;
  }

  silentRules(manifest: ModelManifest): string[] {
    return silentRules(
      [...this.#cameras.values()].map(({ description }) => description),
      manifest,
    );
  }

  load(msPerPicture: number, cameras?: readonly string[]): { wantedMs: number; availableMs: number } {
    const looked = [...this.#cameras.values()].filter(({ description }) => cameras?.includes(description.id) ?? true);
    const pictures = looked.reduce((sum, { description }) => sum + 1000 / pictureMs(description), 0);
    return { wantedMs: pictures * msPerPicture, availableMs: this.#deps.vision.workers * 1000 };
  }

  onModelDeath(listener: () => void): () => void {
    this.#deathListeners.add(listener);
    return () => this.#deathListeners.delete(listener);
  }

  async prepareModel(dir: string): Promise<PreparedModel> {
    await this.#changes;
    if (this.#eyes === null) throw new GewuError('GEWU_MODEL_INVALID', 'this node has no camera to use a model for');
    return this.#eyes.pool.prepare(await openModel(dir));
  }

  async discardModel(prepared: PreparedModel): Promise<void> {
    await this.#eyes?.pool.discard(prepared);
  }

  switchModel(prepared: PreparedModel): Promise<void> {
    const change = this.#changes.then(async () => {
      await this.#switch(prepared);
      await this.#renewCandidate();
    });
    this.#changes = change.catch(() => {});
    return change;
  }

  cpuMs(): number | null {
    return this.#eyes?.pool.cpuMs ?? null;
  }

  setCandidate(candidate: Candidate | null): Promise<void> {
    const change = this.#changes.then(() => this.#candidates.set(candidate, this.#scene()));
    this.#changes = change.catch(() => {});
    return change;
  }

  async #renewCandidate(): Promise<void> {
    const scene = this.#scene();
    if (scene !== null) await this.#candidates.renew(scene);
  }

  #scene(): Scene | null {
    const eyes = this.#eyes;
    if (eyes === null) return null;
    const cameras = [...this.#cameras.values()].map((running) => ({
      description: running.description,
      show: (...picture: Parameters<Camera['show']>) => running.camera.show(...picture),
    }));
    const caseStates: CaseStates = { stateOf: () => 'unknown' };
    const meaning: Scene['meaning'] = (description, { manifest }, dir) =>
      meaningOf(description, this.#surroundings, { ...this.#deps, caseStates, manifest, candidate: true, dir });
    return { ...eyes, cameras, meaning };
  }

  /** Where both see pictures of one size, between two pictures; else each camera's stream is opened anew. */
  async #switch(prepared: PreparedModel): Promise<void> {
    const old = this.#eyes;
    if (old === null || this.#stopping.signal.aborted) throw new GewuError('GEWU_MODEL_INVALID', 'the cameras have stopped');
    const eyes = { model: prepared.model, pool: old.pool };
    const all = [...this.#cameras.values()];
    const samePictures = isSamePicture(old.model.manifest, eyes.model.manifest);
    if (!samePictures) await Promise.all(all.map(({ camera }) => camera.stop()));
    try {
      await old.pool.activate(prepared);
      this.#eyes = eyes;
    } finally {
      const now = this.#eyes ?? old;
      if (!samePictures) await Promise.all(all.map((running) => this.#renew(running, now)));
    }
    if (samePictures) await Promise.all(all.map((running) => running.camera.apply(this.#meaning(running.description, eyes))));
  }

  async #renew(running: Running, eyes: Eyes): Promise<void> {
    const meaning = this.#meaning(running.description, eyes);
    running.camera = this.#build(running.description, meaning, eyes);
    await running.camera.start();
  }

  async #change(site: Site): Promise<CameraChange[]> {
    if (this.#stopping.signal.aborted) return [];
    if (site.cameras.length > 0) this.#eyes ??= await this.#open();
    const eyes = this.#eyes;
    if (eyes === null) return [];
    const surroundings = surroundingsOf(site);
    const elsewhere = !isSameSurroundings(this.#surroundings, surroundings);
    this.#surroundings = surroundings;
    this.#wanted = site.cameras;
    const kept = new Set(site.cameras.map(({ id }) => id));
    const gone = [...this.#cameras.keys()].filter((id) => !kept.has(id));
    return Promise.all([
      ...gone.map((id) => this.#remove(id)),
      ...site.cameras.map((description) => this.#place(description, eyes, elsewhere)),
    ]);
  }

  async #open(): Promise<Eyes> {
    const { vision, log } = this.#deps;
    const model = await openModel(vision.model);
    const pool = new InferencePool({ model, workers: vision.workers, log });
    await pool.start();
    pool.onDeath(() => {
      for (const listener of this.#deathListeners) listener();
    });
    return { model, pool };
  }

  async #place(description: SiteCamera, eyes: Eyes, elsewhere: boolean): Promise<CameraChange> {
    const { id } = description;
    const running = this.#cameras.get(id);
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
      this.#cameras.set(id, { description, camera });
      return { camera: id, change: running === undefined ? 'added' : 'stream' };
    } catch (error) {
      if (!isGewuError(error)) throw error;
      this.#deps.log.error({ camera: id, err: error.message }, 'this camera is not taken as it is described');
      if (running === undefined) this.#tell(id, 'offline', 'calibration');
      return { camera: id, change: 'refused', message: error.message };
    }
  }

  async #remove(id: string): Promise<CameraChange> {
    const camera = this.#cameras.get(id)?.camera;
    this.#cameras.delete(id);
    await camera?.stop();
    await camera?.renewReference();
    await this.#retire(id);
    this.#counters.online.remove({ camera: id });
    this.#tell(id, 'unknown', 'removed');
    return { camera: id, change: 'removed' };
  }

  #retire(id: string): Promise<void> {
    const { events, clock, log } = this.#deps;
    const deps: RetireDeps = { dir: this.#memories, events, clock, log, signal: this.#stopping.signal };
    return retireCamera(id, deps).catch((error: unknown) => log.error({ camera: id, err: error }, 'camera memory'));
  }

  #meaning(description: SiteCamera, { model }: Eyes): Meaning {
    return meaningOf(description, this.#surroundings, { ...this.#deps, manifest: model.manifest, dir: this.#memories });
  }

  #build(camera: SiteCamera, meaning: Meaning, eyes: Eyes): Camera {
    const { edgeId, health, clock, log, ffmpeg, vision } = this.#deps;
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
      lookout: this.#lookout,
      references: this.#references,
    });
  }

  #tell(id: string, state: 'offline' | 'unknown', reason: string): void {
    const { health, clock, edgeId, log } = this.#deps;
    const now = clock.now();
    health
      .report({ ts: now, edge: edgeId, of: 'camera', id, state, reason, since: now })
      .catch((cause: unknown) => log.warn({ camera: id, err: cause }, 'camera health not stored'));
  }
}
