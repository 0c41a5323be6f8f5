import type {
  DesiredAnswer,
  DesiredCameraAnswer,
  DesiredDiffAnswer,
  DesiredSummary,
  RevisionAnswer,
  RevisionStateAnswer,
} from '#grid/api/mod.ts';
import type { DesiredCamera, DesiredCandidate, DesiredModel, DesiredState, SiteMistake } from '#grid/mod.ts';
import type { ConfigReport, HealthRecord, ModelReport } from '#grid/wire/mod.ts';
import { GewuError, type Service } from '#service/mod.ts';
import type { Verdict } from '../ports.ts';

export interface Change {
  by: string;
  roles: readonly string[];
  /** In plain words, kept for ever. */
  reason: string;
  /** The newest revision, as whoever changes it has seen it. */
  revision: number;
  /** Told in the audit trail beside the revision. */
  about?: Readonly<Record<string, string | number>>;
  /** Says only what is wrong with it; nothing is stored. */
  check?: boolean | undefined;
}

/** Parts of a camera; null gives one back to the edge's file. */
export type CameraParts = { [K in keyof DesiredCamera]: DesiredCamera[K] | null };
/** Those that a person vouches for: not to be set, nor brought back, with the others. */
export type VouchedParts = Pick<CameraParts, 'approvals' | 'personRecall'>;
/** Those that are set freely. */
export type CameraChange = Omit<CameraParts, keyof VouchedParts>;

/** Of an edge: the model in use, and the one that looks in shadow beside it. */
export interface ModelsChange {
  model?: DesiredModel | null | undefined;
  candidate?: DesiredCandidate | null | undefined;
}

/** A desired state that the edge could not run. */
export class DesiredError extends GewuError {
  readonly mistakes: readonly SiteMistake[];
  constructor(mistakes: readonly SiteMistake[]) {
    const first = mistakes[0];
    super('GEWU_DESIRED_INVALID', `${mistakes.length} mistake(s); ${first?.key ?? ''}: ${first?.message ?? ''}`);
    this.mistakes = mistakes;
  }
}

/** What the centre wants of its edges, revision by revision, and what became of it. Unknown edges and cameras: GEWU_NOT_FOUND. */
export interface DesiredService extends Service {
  /** In order of id. */
  list(): Promise<DesiredSummary[]>;
  get(edge: string): Promise<DesiredAnswer>;
  camera(edge: string, camera: string): Promise<DesiredCameraAnswer>;
  /**
   * The next revision, told to the edge after the commit. One equal to the present makes none. Throws DesiredError
   * (GEWU_DESIRED_INVALID) with keys of the desired state, GEWU_REVISION_STALE when `revision` is not the newest.
   */
  set(edge: string, state: DesiredState, change: Change): Promise<DesiredAnswer>;
  /** The same for one camera; keys of mistakes are those of the change (`zones.0.polygon`). */
  setCamera(edge: string, camera: string, parts: CameraChange, change: Change): Promise<DesiredCameraAnswer>;
  /** Which classes may open cases on a camera, and whether its people are found: not to be set, nor brought back, in any other way. */
  setVouched(edge: string, camera: string, vouched: VouchedParts, change: Change): Promise<DesiredCameraAnswer>;
  /** null: the model of the edge's own file, and no candidate; what is not given stays. */
  setModels(edge: string, models: ModelsChange, change: Change): Promise<DesiredAnswer>;
  /** All that the centre sets, by name; null: those of the edge's own file alone. */
  setCalendars(edge: string, calendars: DesiredState['calendars'] | null, change: Change): Promise<DesiredAnswer>;
  setMaintenance(edge: string, maintenance: DesiredState['maintenance'] | null, change: Change): Promise<DesiredAnswer>;
  /** A new revision with the content of an earlier one; `to` 0: the edge's own file. */
  returnTo(edge: string, to: number, change: Change): Promise<DesiredAnswer>;
  /** Newest first, from below `before` on. */
  revisions(edge: string, page: { before?: number | undefined; limit?: number | undefined }): Promise<RevisionAnswer[]>;
  revision(edge: string, revision: number): Promise<RevisionStateAnswer>;
  /** What changed from one revision to another; 0 is the edge's own file. */
  diff(edge: string, from: number, to: number): Promise<DesiredDiffAnswer>;
  /** The exact bytes that the notice's hash is of. */
  document(edge: string, revision: number): Promise<{ json: string; sha256: string }>;
  /** What edges say; idempotent, the newest counts. */
  reported(reports: readonly (ConfigReport | ModelReport)[]): Promise<Verdict[]>;
  /** Health records of nodes: those that have not judged the newest revision are told of it. */
  heard(nodes: readonly HealthRecord[]): Promise<void>;
}
