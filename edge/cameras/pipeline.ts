import { join } from 'node:path';
import type { Site, SiteCamera } from '#grid/mod.ts';
import type { ModelManifest } from '#models/mod.ts';
import { GewuError, isGewuError } from '#service/mod.ts';
import type { Question, Testimony } from '../events.ts';
import { makeFolder } from '../evidence/mod.ts';
import type { MediaStream } from '../media/mod.ts';
import { InferencePool, openModel, type PreparedModel } from '../vision/mod.ts';
import { type Candidate, Candidates } from './candidates.ts';
import type { CameraChange, CameraPipeline, CameraPipelineDeps, CameraPipelineStats } from './contract.ts';
import { type LookListener, Lookout } from './lookout.ts';
import { silentRules } from './meaning.ts';
import { forgottenCameras } from './retire.ts';
import { type Eyes, Roster } from './roster.ts';
import { pictureMs } from './source.ts';
import { Witness } from './witness.ts';

/**
 * All cameras of a site, with the model that they look with and its threads:
 *
 *   site --> Roster: one Camera each --pictures--> InferencePool of the model in use --> their events
 *                                        +-copies--> Candidates: another model, in shadow
 *
 * A model that cannot be used (GEWU_MODEL_INVALID, logged) leaves all cameras offline by that name and the rest of the node as it is;
 * a camera whose calibration is wrong is reported and left out, the others run.
 */
export function createCameraPipeline(deps: CameraPipelineDeps): CameraPipeline {
  return new Pipeline(deps);
}

class Pipeline implements CameraPipeline {
  readonly #deps: CameraPipelineDeps;
  readonly #memories: string;
  readonly #references: string;
  readonly #lookout = new Lookout();
  readonly #stopping = new AbortController();
  readonly #roster: Roster;
  readonly #witness: Witness;
  readonly #candidates: Candidates;
  /** As the site describes them, whether they run or not. */
  #wanted: readonly SiteCamera[];
  readonly #deathListeners = new Set<() => void>();
  /** Opened with the first camera: a node without one needs neither model nor threads. */
  #eyes: Eyes | null = null;
  /** Changes wait for the one before. */
  #changes: Promise<unknown> = Promise.resolve();

  constructor(deps: CameraPipelineDeps) {
    const { dataDir, site, clock } = deps;
    this.#deps = deps;
    this.#memories = join(dataDir, 'vision');
    this.#references = join(dataDir, 'references');
    this.#wanted = site.cameras;
    const { edgeId, events, health, log } = deps;
    const candidatesDir = join(dataDir, 'candidate');
    const { signal } = this.#stopping;
    const folders = { memories: this.#memories, references: this.#references };
    this.#roster = new Roster({ ...deps, ...folders, lookout: this.#lookout, signal });
    this.#candidates = new Candidates({ dir: candidatesDir, edgeId, events, health, clock, log, signal });
    this.#witness = new Witness({
      bystanders: () =>
        this.#wanted.map((camera) => ({
          camera,
          online: this.#roster.camera(camera.id)?.stats().state.state === 'online',
        })),
      lookout: this.#lookout,
      photograph: async (id, ...picture) => this.#roster.camera(id)?.photograph(...picture) ?? null,
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
      for (const { id } of site.cameras) this.#roster.tell(id, 'offline', 'model');
    }
    const forgotten = await forgottenCameras(
      this.#memories,
      site.cameras.map(({ id }) => id),
    );
    this.#changes = Promise.all(forgotten.map((id) => this.#roster.retire(id)));
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#changes.catch(() => {});
    await this.#candidates.stop();
    const stopped = await this.#roster.stop();
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
    const all = this.#roster.cameras.map((camera) => camera.stats());
    return {
      online: all.filter((c) => c.state.state === 'online').length,
      analysedFps: Math.round(all.reduce((sum, c) => sum + c.analysedFps, 0) * 100) / 100,
      droppedFrames: all.reduce((sum, c) => sum + c.droppedFrames, 0),
    };
  }

  media(cameraId: string): MediaStream | null {
    return this.#roster.camera(cameraId)?.media ?? null;
  }

  async renewReference(cameraId: string): Promise<boolean> {
    const camera = this.#roster.camera(cameraId);
    await camera?.renewReference();
    return camera !== null;
  }

  watch(cameraId: string, listener: LookListener): () => void {
    return this.#lookout.watch(cameraId, listener);
  }

  ask(question: Question): Promise<Testimony> {
    return this.#witness.ask(question);
  }

  zones(cameraId: string): SiteCamera['zones'] | null {
    return this.#roster.descriptions.find(({ id }) => id === cameraId)?.zones ?? null;
  }

  manifest(): ModelManifest | null {
    return this.#eyes?.model.manifest ?? null;
  }

  silentRules(manifest: ModelManifest): string[] {
    return silentRules(this.#roster.descriptions, manifest);
  }

  load(msPerPicture: number, cameras?: readonly string[]): { wantedMs: number; availableMs: number } {
    const looked = this.#roster.descriptions.filter(({ id }) => cameras?.includes(id) ?? true);
    const pictures = looked.reduce((sum, description) => sum + 1000 / pictureMs(description), 0);
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
    const change = this.#changes.then(() => this.#candidates.set(candidate, this.#eyes && this.#roster.scene(this.#eyes)));
    this.#changes = change.catch(() => {});
    return change;
  }

  async #renewCandidate(): Promise<void> {
    if (this.#eyes !== null) await this.#candidates.renew(this.#roster.scene(this.#eyes));
  }

  async #switch(prepared: PreparedModel): Promise<void> {
    const old = this.#eyes;
    if (old === null || this.#stopping.signal.aborted) throw new GewuError('GEWU_MODEL_INVALID', 'the cameras have stopped');
    const eyes = { model: prepared.model, pool: old.pool };
    await this.#roster.lookWith(eyes, old, async () => {
      await old.pool.activate(prepared);
      this.#eyes = eyes;
    });
  }

  async #change(site: Site): Promise<CameraChange[]> {
    if (this.#stopping.signal.aborted) return [];
    if (site.cameras.length > 0) this.#eyes ??= await this.#open();
    const eyes = this.#eyes;
    if (eyes === null) return [];
    this.#wanted = site.cameras;
    return this.#roster.change(site, eyes);
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
}
