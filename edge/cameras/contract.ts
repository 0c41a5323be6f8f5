import type { Profile, Site, SiteCamera } from '#grid/mod.ts';
import type { ModelManifest } from '#models/mod.ts';
import type { Clock, Log, Metrics, Service } from '#service/mod.ts';
import type { CaseStates, EventSink, HealthSink, SecondSources } from '../events.ts';
import type { EvidenceRoom } from '../evidence/mod.ts';
import type { MediaStream } from '../media/mod.ts';
import type { PreparedModel } from '../vision/mod.ts';
import type { Candidate } from './candidates.ts';
import type { LookListener } from './lookout.ts';

export interface CameraPipelineDeps {
  site: Site;
  /** `demo` shortens dwell and clear times. */
  profile: Profile;
  vision: {
    /** Folder of the model: manifest.json and the file that it names. */
    model: string;
    /** Inference threads. */
    workers: number;
    /** The folder of recordings that may stand for cameras; none where null. */
    filesDir: string | null;
  };
  events: EventSink;
  health: HealthSink;
  caseStates: CaseStates;
  clock: Clock;
  log: Log;
  metrics: Metrics;
  dataDir: string;
  edgeId: string;
  /** Started before the cameras, stopped after them. */
  evidence: EvidenceRoom;
  /** `ffmpeg` unless told. */
  ffmpeg?: string;
}

export interface CameraPipelineStats {
  /** Cameras that send pictures. */
  online: number;
  analysedFps: number;
  droppedFrames: number;
}

/**
 * What became of a camera under another configuration.
 *
 *   added      it runs now
 *   stream     its stream was opened anew; what it had raised is as it was
 *   rules      its zones, place or surroundings are others; the stream went on
 *   unchanged  nothing has touched it
 *   removed    it has stopped, and what it had raised is cleared
 *   refused    the new description cannot be used: as before, or left out where it is a new one
 */
export type CameraChange =
  | { camera: string; change: 'added' | 'stream' | 'rules' | 'unchanged' | 'removed' }
  | { camera: string; change: 'refused'; message: string };

export interface CameraPipeline extends Service, SecondSources {
  /**
   * Makes this the site, camera by camera and without disturbing the others. Several calls are done one after the other.
   * The site has to be checked before. Throws GEWU_MODEL_INVALID where the first camera comes and the model cannot be used.
   */
  apply(site: Site): Promise<CameraChange[]>;
  /** Sums over all cameras. */
  stats(): CameraPipelineStats;
  /** The camera's stream as it comes; null for a camera that is not there or has none. It ends when the camera is changed. */
  media(cameraId: string): MediaStream | null;
  /** What the camera shows from now on is right: it was put to look there. False for a camera that is not there. */
  renewReference(cameraId: string): Promise<boolean>;
  /** Hears of each picture of a camera that was looked at, whether the camera is there yet or not. Returns what ends it. */
  watch(cameraId: string, listener: LookListener): () => void;
  /** Null for a camera that is not there. Another object once they were changed. */
  zones(cameraId: string): SiteCamera['zones'] | null;
  /** Of the model in use; null where there is no camera. */
  manifest(): ModelManifest | null;
  /** Keys of the rules whose class a model does not know: `cameras.cam-1.zones.0.rules.0`. */
  silentRules(manifest: ModelManifest): string[];
  /**
   * What these cameras, all of them where none is named, want of a model, and what the threads can give: ms of one thread in a
   * second.
   */
  load(msPerPicture: number, cameras?: readonly string[]): { wantedMs: number; availableMs: number };
  /** A thread of the model in use died. Returns what unsubscribes. */
  onModelDeath(listener: () => void): () => void;
  /** Loads a model folder beside the one in use, runs and times it. Throws GEWU_MODEL_INVALID. */
  prepareModel(dir: string): Promise<PreparedModel>;
  discardModel(prepared: PreparedModel): Promise<void>;
  /**
   * A prepared model takes over: between two pictures where its pictures have the size of the old one's, else with each camera's
   * stream opened anew. Throws GEWU_MODEL_INVALID; the one in use stays then.
   */
  switchModel(prepared: PreparedModel): Promise<void>;
  /** That a thread works for a picture with the model in use, ms, the mean of late; null before the first. */
  cpuMs(): number | null;
  /**
   * A prepared candidate looks in shadow at the same pictures; null: none does, and what the one before had raised is cleared. Throws
   * GEWU_MODEL_INVALID where it cannot stand beside the model in use.
   */
  setCandidate(candidate: Candidate | null): Promise<void>;
}
