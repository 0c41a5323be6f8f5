import type {
  GroupAnswer,
  MaintenanceAnswer,
  MaintenanceNow,
  ScoreAnswer,
  Subject,
  Thing,
  UpkeepCaseAnswer,
  UpkeepCaseDetail,
  UpkeepCause,
  UpkeepState,
} from '#grid/api/mod.ts';
import type { Service } from '#service/mod.ts';
import type { Asker } from '../audit/mod.ts';
import type { Page } from '../cases/mod.ts';

export interface NewWindow {
  subjects: readonly Subject[];
  /** UTC ms; now where not given. */
  from?: number | undefined;
  minutes: number;
  reason: string;
}

export interface EndedWindows {
  subjects?: readonly Subject[];
  /** Ids. */
  windows?: readonly string[];
}

export interface UpkeepCaseFilter {
  state?: UpkeepState | undefined;
  /** Not fixed. */
  open?: boolean | undefined;
  cause?: UpkeepCause | undefined;
  edge?: string | undefined;
  limit?: number | undefined;
  cursor?: string | undefined;
}

/** Of a thing: what stands beside its health. */
export interface ThingUpkeep {
  maintenance: MaintenanceNow;
  /** Free groups that it is in. */
  groups: string[];
}

/**
 * Keeping the city's devices going: who works on what, what is broken and in whose hands, how well it all is.
 *
 *   health --faults beyond their grace--> [maintenance cases] --> people
 *                      ^                        |
 *      [maintenance windows] keep out           +-- health comes back: fixed by itself
 *              |
 *              +--> desired state of the edge: its alarms are recorded only
 */
export interface UpkeepService extends Service {
  /** What is known of these things now, by `of id`. */
  of(things: readonly Thing[]): Promise<Map<string, ThingUpkeep>>;

  windows(filter: {
    active?: boolean | undefined;
    /** Not over: now, or to come. */
    open?: boolean | undefined;
    limit?: number | undefined;
    cursor?: string | undefined;
  }): Promise<Page<MaintenanceAnswer>>;
  /** Every thing that was worked on at some time of these, with when: the coverage counts it as not watched, and its events open no case. */
  windowsOf(from: number, to: number): Promise<{ thing: Thing; from: number; to: number }[]>;
  /** Throws GEWU_NOT_FOUND for what is not registered. */
  begin(window: NewWindow, by: Asker): Promise<MaintenanceAnswer[]>;
  /** Ends these windows, and what is open or to come for these subjects. */
  end(what: EndedWindows, by: Asker): Promise<MaintenanceAnswer[]>;

  groups(): Promise<GroupAnswer[]>;
  /** Throws GEWU_NOT_FOUND, as the next two do; GEWU_REQUEST_INVALID where it is a group of a site. */
  group(id: string): Promise<{ group: GroupAnswer; members: Thing[] }>;
  putGroup(id: string, name: string, by: Asker): Promise<GroupAnswer>;
  changeGroup(id: string, change: { add?: readonly Thing[]; remove?: readonly Thing[] }, by: Asker): Promise<GroupAnswer>;
  removeGroup(id: string, by: Asker): Promise<void>;

  cases(filter: UpkeepCaseFilter): Promise<Page<UpkeepCaseAnswer>>;
  case(id: string): Promise<UpkeepCaseDetail>;
  /** These three throw GEWU_NOT_FOUND, and GEWU_UPKEEP_REFUSED for what is fixed already. */
  acknowledge(ids: readonly string[], by: Asker): Promise<UpkeepCaseAnswer[]>;
  assign(id: string, to: string, by: Asker): Promise<UpkeepCaseAnswer>;
  fix(id: string, note: string, by: Asker): Promise<UpkeepCaseAnswer>;

  /** Of every edge and district, the worst first. */
  scores(): Promise<ScoreAnswer[]>;
  /** Opens, joins and closes cases by what is sick now. Runs by itself; tests call it. */
  look(): Promise<void>;
}
