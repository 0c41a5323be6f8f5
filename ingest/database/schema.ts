import type { Generated } from 'kysely';

/**
 * The tables, as Kysely sees them. One SQL serves both stores, so the columns keep to what both have: text, bigint,
 * integer, double precision. Times are UTC ms (`...At` in code, `_at` here), JSON is text (columns end in `_json`),
 * truth values are 0 or 1. Migrations in `migrations/` create them.
 */
export interface Schema {
  schema_migrations: { name: string; at: number };
  events: EventsTable;
  event_hours: EventHoursTable;
  cases: CasesTable;
  case_events: CaseEventsTable;
  case_evidence: CaseEvidenceTable;
  case_keys: CaseKeysTable;
  case_timeline: CaseTimelineTable;
  case_numbers: { division: string; day: string; serial: number };
  filing_policies: { version: number; policy_json: string; at: number; by: string };
  evidence_files: EvidenceFilesTable;
  dead_letters: DeadLettersTable;
  edges: EdgesTable;
  health: HealthTable;
  health_history: HealthHistoryTable;
  api_tokens: ApiTokensTable;
  audit: AuditTable;
  edge_audit: EdgeAuditTable;
  grants: GrantsTable;
  grant_files: GrantFilesTable;
  edge_keys: EdgeKeysTable;
  users: UsersTable;
  sessions: SessionsTable;
  sign_in_links: { sha256: string; name: string; expires_at: number };
  verdicts: VerdictsTable;
  desired_revisions: DesiredRevisionsTable;
  desired_edges: DesiredEdgesTable;
  model_packages: ModelPackagesTable;
  edge_models: { edge: string; report_json: string; at: number };
  device_groups: { id: string; name: string; by: string; at: number };
  device_group_members: { group_id: string; subject_of: string; subject_id: string };
  maintenance_windows: MaintenanceWindowsTable;
  upkeep_cases: UpkeepCasesTable;
  upkeep_members: UpkeepMembersTable;
  notify_settings: { revision: number; settings_json: string; at: number; by: string };
  notify_alerts: NotifyAlertsTable;
  notify_incidents: NotifyIncidentsTable;
  notify_messages: NotifyMessagesTable;
  notify_links: { sha256: string; incident: string; person: string; expires_at: number };
  datasets: DatasetsTable;
  edge_candidates: { edge: string; report_json: string; at: number };
  trial_watches: TrialWatchesTable;
  promotions: PromotionsTable;
  replicas: { name: string; started_at: number; heard_at: number; state_json: string };
}

/** One row an event (`subject`): its highest revision, and the best of what all revisions brought. */
export interface EventsTable {
  subject: string;
  revision: number;
  edge: string;
  /** `2:0501`, `1:0102:cover_open` */
  class_key: string;
  severity: string;
  /** Best of all revisions, 0..1. */
  confidence: number;
  lon: number;
  lat: number;
  error_radius_m: number;
  cell: string;
  component: string | null;
  /** 'sensor' or 'camera' */
  origin: string;
  /** Device or camera id. */
  source: string;
  started_at: number;
  confirmed_at: number;
  last_seen_at: number;
  cleared_at: number | null;
  /** Raises and updates; the clear does not count. */
  observations: number;
  /** EventRecord of the highest revision. */
  record_json: string;
  /** EvidenceRef[] of all revisions together. */
  evidence_json: string;
  /** The case it feeds now (after a merge: the master); null for a stored-only event. */
  case_id: string | null;
  /** 1: stored only, because a maintenance window was open here when it was last seen. */
  worked_on: number;
  /** First arrival and last change here. */
  received_at: number;
  updated_at: number;
}

/** How many events were confirmed in each hour. */
export interface EventHoursTable {
  hour_at: number;
  class_key: string;
  origin: string;
  count: number;
}

export interface CasesTable {
  id: string;
  number: string | null;
  state: string;
  class_key: string;
  flag: number;
  code: string;
  fault: string | null;
  severity: string;
  source: string;
  lon: number;
  lat: number;
  error_radius_m: number;
  cell: string;
  component: string | null;
  confidence: number;
  observations: number;
  started_at: number;
  confirmed_at: number;
  last_seen_at: number;
  recovered_at: number | null;
  opened_at: number;
  updated_at: number;
  /** When it came to a finished state. */
  finished_at: number | null;
  policy_version: number;
  proposal: string | null;
  department: string | null;
  rework_count: number;
  merged_into: string | null;
  recurrence_of: string | null;
  /** Edge of the event that opened it; null for a person's report. */
  edge: string | null;
  /** 1: a person has set class or place, machines leave both alone. */
  corrected: number;
  /** Counts timeline entries and changes; the optimistic lock. */
  version: number;
}

/** Every event that ever fed the case, in the order of joining. */
export interface CaseEventsTable {
  case_id: string;
  event: string;
  position: number;
}

export interface CaseEvidenceTable {
  case_id: string;
  sha256: string;
  /** Subject of the event that named it; '' when a person attached it. */
  event: string;
  media_type: string;
  bytes: number;
  taken_at: number;
  attached_at: number;
  /** 'event', or the transition that attached it. */
  by: string;
  /** Manifest and signature of the node that took it; null for what a person attached. */
  signed_json: string | null;
}

/** Where an event finds the case that it joins: see ingest/correlation/keys.ts. */
export interface CaseKeysTable {
  class_key: string;
  key: string;
  case_id: string;
  /** UTC ms of its closing; 9007199254740991 while it is open. */
  until: number;
}

export interface CaseTimelineTable {
  case_id: string;
  seq: number;
  at: number;
  actor: string;
  role: string;
  /** 'transition' or 'observation' */
  kind: string;
  /** Name of the transition, or 'joined', 'recovered', 'relapsed', 'master-of'. */
  name: string;
  from_state: string | null;
  to_state: string;
  input_json: string;
  /** SHA-256 of the entry before; '' for the first. */
  prev_hash: string;
  hash: string;
}

/** Files that have arrived, whether an event has named them yet or not. */
export interface EvidenceFilesTable {
  sha256: string;
  media_type: string;
  bytes: number;
  stored_at: number;
  /** Edge or account that sent it. */
  sender: string;
}

export interface DeadLettersTable {
  id: string;
  ts: number;
  edge: string;
  hop: string;
  source: string;
  code: string;
  reason: string;
  payload: string;
  /** Under which a device published it; null of what came in a frame. */
  topic: string | null;
  /** How often it was replayed and came back. */
  replays: Generated<number>;
}

/** Edge nodes that the centre knows. */
export interface EdgesTable {
  id: string;
  registered_at: number;
  /** SHA-256 hex of the edge's secret, for MQTT and evidence uploads; null: not allowed in yet. */
  secret_sha256: string | null;
  /** Site as last confirmed; null until then. */
  site_json: string | null;
  site_revision: number;
}

/** The last state of each edge, device and camera. */
export interface HealthTable {
  edge: string;
  /** 'edge', 'device' or 'camera' */
  kind: string;
  id: string;
  state: string;
  reason: string;
  since: number;
  last_seen: number;
  values_json: string;
  /** As it said last; null: it never did. */
  firmware: string | null;
}

/** Changes of state only, not every report. */
export interface HealthHistoryTable {
  edge: string;
  kind: string;
  id: string;
  ts: number;
  state: string;
  reason: string;
}

export interface ApiTokensTable {
  /** SHA-256 hex of the token; the token itself is never stored. */
  sha256: string;
  name: string;
  /** Case roles and technical roles. */
  roles_json: string;
  /** For the role 'department'. */
  department: string | null;
  created_at: number;
  expires_at: number | null;
}

/** Who did what to whom and why. Lines are only added; each holds the hash of the one before. */
export interface AuditTable {
  seq: number;
  at: number;
  actor: string;
  roles_json: string;
  /** 'grant-created', 'raw-view-started', ... */
  action: string;
  /** `camera:cam-1`, `grant:...` */
  subject: string;
  purpose: string | null;
  detail_json: string;
  prev_hash: string;
  hash: string;
}

/** Lines of the edges' own trails, as they reported them; `hash` chains each to the one before at its edge. */
export interface EdgeAuditTable {
  edge: string;
  hash: string;
  seq: number;
  at: number;
  entry_json: string;
  received_at: number;
}

export interface GrantsTable {
  id: string;
  /** 'raw-view' or 'original' */
  kind: string;
  /** 'camera', 'evidence' or 'event' */
  subject_of: string;
  subject_id: string;
  /** Edge that has the camera or the file. */
  edge: string;
  holder: string;
  roles_json: string;
  purpose: string;
  created_at: number;
  ends_at: number;
  /** Null while it holds, and until its expiry has been written down. */
  ended_at: number | null;
  /** Account that ended it early; 'expired' */
  ended_by: string | null;
  uses: number;
  last_used_at: number | null;
  /** What the edge said: 'sent', 'missing'; null before. */
  answer: string | null;
}

/** Originals that an edge has released under a grant; they go with it. */
export interface GrantFilesTable {
  grant_id: string;
  sha256: string;
  media_type: string;
  bytes: number;
  signed_json: string;
  /** Base64; the file on disk is encrypted with it. Null once the grant is over: what is left of the file cannot be read. */
  file_key: string | null;
  received_at: number;
}

/** Public keys that edges sign with. */
export interface EdgeKeysTable {
  edge: string;
  /** SHA-256 of the public key, hex. */
  key_id: string;
  /** Ed25519, 32 bytes, base64. */
  public_key: string;
  /** 'pinned', 'waiting' (another one is pinned), 'retired' */
  state: string;
  first_seen_at: number;
  decided_at: number | null;
  /** 'first-use', or the administrator who accepted it. */
  decided_by: string | null;
}

/** People who sign in to the console. */
export interface UsersTable {
  name: string;
  /** argon2id, PHC string format; null: only a log-in by link is possible until one is set. */
  password_hash: string | null;
  roles_json: string;
  department: string | null;
  disabled: number;
  created_at: number;
  signed_in_at: number | null;
}

export interface SessionsTable {
  /** SHA-256 hex of the cookie. */
  sha256: string;
  name: string;
  created_at: number;
  last_seen_at: number;
  /** The latest end; an idle one ends before. */
  expires_at: number;
  address: string;
  agent: string;
}

/** What a person said of an event, with what the model had said: enough to compute precision without the event. */
export interface VerdictsTable {
  event: string;
  /** 'accepted' or 'rejected' */
  verdict: string;
  reason: string | null;
  note: string | null;
  by: string;
  at: number;
  class_key: string;
  /** Device or camera id. */
  source: string;
  /** Zone of the camera, or rule of the sensor. */
  zone: string;
  /** `name@version` of the model, and its class; '' for a sensor. */
  model: string;
  detects: string;
  confidence: number;
  /** Why it opened no case when it was judged; null where it could, and of verdicts from before. */
  suppressed: string | null;
}

/** What the centre wanted of an edge, once a revision; never changed but for what became of it. */
export interface DesiredRevisionsTable {
  edge: string;
  revision: number;
  /** DesiredState; exactly the bytes that the edge gets and `sha256` is of. */
  state_json: string;
  sha256: string;
  bytes: number;
  by: string;
  reason: string;
  at: number;
  /** What the edge said of it last: 'confirmed' or 'refused'; null until then. */
  verdict: string | null;
  verdict_at: number | null;
  notes_json: string | null;
}

/** What each edge said last of its desired state. */
export interface DesiredEdgesTable {
  edge: string;
  /** Revision in force; 0: its own file alone. */
  running: number;
  judged: number;
  verdict: string;
  notes_json: string;
  at: number;
}

/** Packages of models that edges may fetch; the files lie in a folder under their hash. */
export interface ModelPackagesTable {
  sha256: string;
  name: string;
  version: string;
  classes_json: string;
  provenance: string;
  /** Id of the key that signed it. */
  key: string;
  bytes: number;
  by: string;
  at: number;
}

/** What people are told of, once from its beginning to its end. */
export interface NotifyAlertsTable {
  id: string;
  topic: string;
  /** 'edge', 'camera', 'device', 'store', 'case', 'centre' */
  subject_of: string;
  subject_id: string;
  since: number;
  note_zh: string;
  note_en: string;
  incident: string;
  opened_at: number;
  cleared_at: number | null;
}

/** Alerts of one topic that people are told of together. */
export interface NotifyIncidentsTable {
  id: string;
  topic: string;
  opened_at: number;
  /** When the next message is due: alerts have joined that nobody was told of. */
  tell_at: number | null;
  /** Of the last message. */
  told_at: number | null;
  /** Ids of people, in the order in which they were told. */
  told_json: string;
  /** Unacknowledged until then, the next person is told. */
  escalates_at: number | null;
  acknowledged_at: number | null;
  acknowledged_by: string | null;
  closed_at: number | null;
}

/** Messages to people: an outbox while they wait, the history of who was told what afterwards. */
export interface NotifyMessagesTable {
  id: string;
  incident: string | null;
  person: string;
  channel: string;
  address: string;
  /** 'alert', 'more', 'escalation', 'over', 'test' */
  why: string;
  urgent: number;
  title: string;
  body: string;
  /** 'waiting', 'sent', 'failed' */
  state: string;
  attempts: number;
  fault: string | null;
  created_at: number;
  /** When it is tried next; while somebody tries, when others may. Null when it is over. */
  next_at: number | null;
  sent_at: number | null;
}

/** When a thing is worked on: no alarms of its health and no notifications meanwhile. Ended early: `to_at` is then. */
export interface MaintenanceWindowsTable {
  id: string;
  /** 'edge' (and all that hangs on it), 'device', 'camera', 'group' */
  subject_of: string;
  subject_id: string;
  from_at: number;
  to_at: number;
  reason: string;
  by: string;
  at: number;
  ended_by: string | null;
}

/** A fault of devices that people mend: apart from the city's cases. */
export interface UpkeepCasesTable {
  id: string;
  /** 'edge-silent', 'camera-fault', 'device-fault', 'group-fault' */
  cause: string;
  subject_of: string;
  subject_id: string;
  edge: string;
  /** 'open', 'assigned', 'fixed' */
  state: string;
  opened_at: number;
  acknowledged_at: number | null;
  acknowledged_by: string | null;
  assigned_to: string | null;
  fixed_at: number | null;
  /** The account, or 'gewu' when health came back by itself. */
  fixed_by: string | null;
  note: string | null;
}

/** Things that a maintenance case is about. */
export interface UpkeepMembersTable {
  case_id: string;
  subject_of: string;
  subject_id: string;
  state: string;
  reason: string;
  since: number;
  well_at: number | null;
}

/** Versions of datasets made from verdicts; never changed. */
export interface DatasetsTable {
  /** SHA-256 of `content_json`. */
  id: string;
  name: string;
  content_json: string;
  counts_json: string;
  reason: string;
  by: string;
  at: number;
}

/** How long a candidate in shadow and the model in use have looked at the same pictures of a camera, an hour's piece a row. */
export interface TrialWatchesTable {
  edge: string;
  camera: string;
  /** Of the candidate. */
  package: string;
  /** The piece's beginning at the edge, and its last report; UTC ms. */
  since: number;
  until: number;
  /** `name@version` of the candidate, and of the model in use. */
  model: string;
  against: string;
  watched_ms: number;
  pictures: number;
  skipped: number;
}

/** A model that took another's place on an edge, and what became of it. */
export interface PromotionsTable {
  id: string;
  package: string;
  model: string;
  edge: string;
  /** What the desired state said of the model before; `null` for that of the edge's own file. */
  before_json: string;
  /** What it is held against while it soaks. */
  baseline_json: string;
  /** 'soaking', 'passed' or 'returned' */
  state: string;
  forced: number;
  reason: string;
  by: string;
  at: number;
  soak_until: number;
  ended_at: number | null;
  ended_because: string | null;
}
