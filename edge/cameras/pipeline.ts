import { join } from 'node:path';
import { applyZoneProfile, type CellIndex, createCellIndex, type Profile, type Site, type SiteCamera } from '#grid/mod.ts';
import { type LoadedModel, PERSON_CLASS } from '#models/mod.ts';
import { type Clock, isGewuError, type Log, type Metrics, type Service, startAll, stopAll } from '#service/mod.ts';
import type { ClientTls } from '#service/mqtt/mod.ts';
import type { CaseStates, EventSink, HealthSink } from '../events.ts';
import { EvidenceStore, EvidenceUploader, makeFolder } from '../evidence/mod.ts';
import type { MediaStream } from '../media/mod.ts';
import {
  CameraMemory,
  EventReporter,
  groundOf,
  InferencePool,
  Locator,
  openModel,
  type WallTime,
  wallClock,
  ZoneWatch,
} from '../vision/mod.ts';
import { Camera } from './camera.ts';
import { type CameraMetrics, cameraMetrics } from './counters.ts';
import { pictureMs } from './source.ts';

export interface CameraPipelineDeps {
  site: Site;
  /** `demo` shortens dwell and clear times. */
  profile: Profile;
  vision: {
    /** Folder of the model: manifest.json and the file that it names. */
    model: string;
    /** Inference threads. */
    workers: number;
  };
  events: EventSink;
  health: HealthSink;
  caseStates: CaseStates;
  clock: Clock;
  log: Log;
  metrics: Metrics;
  dataDir: string;
  edgeId: string;
  evidence: {
    /** The centre's API. */
    url: string;
    password: string;
    quotaBytes: number;
    tls?: ClientTls | undefined;
  };
  /** `ffmpeg` unless told. */
  ffmpeg?: string;
}

export interface CameraPipelineStats {
  /** Cameras that send pictures. */
  online: number;
  analysedFps: number;
  droppedFrames: number;
}

export interface CameraPipeline extends Service {
  /** Sums over all cameras. */
  stats(): CameraPipelineStats;
  /** The camera's stream as it comes; null for a camera that is not there or has none. It ends when the camera is changed. */
  media(cameraId: string): MediaStream | null;
}

/** Clear times up to this are not shortened by a profile, seconds. */
const CLEAR_S_KEPT = 15;

/**
 * All cameras of a site: the model and its threads, one Camera each, the evidence and its upload.
 * `start` throws GEWU_MODEL_INVALID; a camera whose calibration is wrong is reported and left out, the others run.
 */
export function createCameraPipeline(deps: CameraPipelineDeps): CameraPipeline {
  return new Pipeline(deps);
}

class Pipeline implements CameraPipeline {
  readonly #deps: CameraPipelineDeps;
  #cameras: Camera[] = [];
  #services: Service[] = [];

  constructor(deps: CameraPipelineDeps) {
    this.#deps = deps;
  }

  async start(): Promise<void> {
    const { site, vision, log, clock, dataDir, evidence, edgeId, metrics } = this.#deps;
    const store = new EvidenceStore({ dir: join(dataDir, 'evidence'), quotaBytes: evidence.quotaBytes, log });
    await store.open();
    await makeFolder(join(dataDir, 'vision'));
    const uploader = new EvidenceUploader({
      store,
      url: evidence.url,
      edgeId,
      password: evidence.password,
      tls: evidence.tls,
      log,
      clock,
    });
    const model = await openModel(vision.model);
    // More threads than cameras would have nothing to do: a camera has one picture in work at a time.
    const workers = Math.max(1, Math.min(vision.workers, site.cameras.length));
    const pool = new InferencePool({ model, workers, log, clock });
    const shared = {
      model,
      pool,
      store,
      uploader,
      cells: createCellIndex(site.cells),
      counters: cameraMetrics(metrics),
      wall: wallClock(site.timeZone),
    };
    this.#cameras = site.cameras.flatMap((camera) => this.#build(camera, shared) ?? []);
    this.#services = [pool, uploader, ...this.#cameras];
    await startAll(this.#services);
  }

  async stop(): Promise<void> {
    const services = this.#services;
    this.#services = [];
    // Side by side, and cameras first: each waits for its ffmpeg and its reporter only.
    const cameras = await Promise.allSettled(this.#cameras.map((camera) => camera.stop()));
    await stopAll(services.filter((service) => !(service instanceof Camera)));
    const failed = cameras.find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }

  stats(): CameraPipelineStats {
    const all = this.#cameras.map((camera) => camera.stats());
    return {
      online: all.filter((c) => c.state.state === 'online').length,
      analysedFps: Math.round(all.reduce((sum, c) => sum + c.analysedFps, 0) * 100) / 100,
      droppedFrames: all.reduce((sum, c) => sum + c.droppedFrames, 0),
    };
  }

  media(cameraId: string): MediaStream | null {
    return this.#cameras.find(({ id }) => id === cameraId)?.media ?? null;
  }

  #build(camera: SiteCamera, shared: Shared): Camera | null {
    const { site, profile, events, health, caseStates, clock, log, dataDir, edgeId, ffmpeg } = this.#deps;
    try {
      const ground = groundOf(camera);
      const zones = zonesInForce(camera, profile, shared.model, log);
      const watch = new ZoneWatch({ zones, frameMs: pictureMs(camera) });
      const locator = new Locator({ ground, cells: shared.cells, components: site.components });
      const memory = new CameraMemory({ dir: join(dataDir, 'vision'), camera: camera.id, log });
      const { manifest } = shared.model;
      const shadow = manifest.provenance !== 'real-scenes' && !camera.simulated;
      if (shadow)
        log.warn({ camera: camera.id, model: manifest.name }, 'the model knows only drawn scenes: this camera opens no events');
      const reported = {
        camera: { ...camera, zones },
        edgeId,
        model: manifest,
        ground,
        locator,
        watch,
        memory,
        events,
        cases: caseStates,
        clock,
        log,
      };
      const reporter = (evidence: ConstructorParameters<typeof EventReporter>[0]['evidence']) =>
        new EventReporter({ ...reported, evidence });
      return new Camera({
        ...shared,
        camera,
        edgeId,
        timeZone: site.timeZone,
        ground,
        watch,
        reporter,
        health,
        shadow,
        clock,
        log,
        ffmpeg,
      });
    } catch (error) {
      if (!isGewuError(error)) throw error;
      log.error({ camera: camera.id, err: error.message }, 'this camera is left out');
      const now = clock.now();
      health
        .report({ ts: now, edge: edgeId, of: 'camera', id: camera.id, state: 'offline', reason: 'calibration', since: now })
        .catch((cause: unknown) => log.warn({ camera: camera.id, err: cause }, 'camera health not stored'));
      return null;
    }
  }
}

interface Shared {
  model: LoadedModel;
  pool: InferencePool;
  store: EvidenceStore;
  uploader: EvidenceUploader;
  cells: CellIndex;
  counters: CameraMetrics;
  wall: (utcMs: number) => WallTime;
}

/** The rules that the model can serve, with the profile's dwell times. People are never an event class. */
function zonesInForce(camera: SiteCamera, profile: Profile, model: LoadedModel, log: Log): SiteCamera['zones'] {
  const served = (zone: string, { id, detects }: { id: string; detects: string }): boolean => {
    const known = detects !== PERSON_CLASS && model.manifest.classes.includes(detects);
    if (!known)
      log.error({ camera: camera.id, zone, rule: id, detects }, 'the model has no such event class: the rule is left out');
    return known;
  };
  return camera.zones.map((zone) => {
    const rules = zone.rules.filter((rule) => served(zone.id, rule));
    // A bus before the lens hides a thing for longer than a sensor ever errs: a short profile keeps so much to clear.
    const clearS = (n: number): number => Math.min(rules[n]?.clearS ?? 0, CLEAR_S_KEPT);
    const shortened = applyZoneProfile(rules, profile).map((rule, n) => ({ ...rule, clearS: Math.max(rule.clearS, clearS(n)) }));
    return { ...zone, rules: shortened };
  });
}
