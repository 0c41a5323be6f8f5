/**
 * Every operational error has a stable code here, tells the caller what to do, and the operator what to try.
 * docs/errors.md lists them all; a test compares the two.
 */
export type Remedy = 'retry' | 'reject' | 'fatal';

interface CatalogueEntry {
  remedy: Remedy;
  /** HTTP status when it reaches the API. */
  status: number;
  /** For the person at three in the morning. */
  hint: string;
}

export const ERRORS = {
  GEWU_CONFIG_UNREADABLE: { remedy: 'fatal', status: 500, hint: 'Check that the file exists, is readable and is YAML or JSON.' },
  GEWU_CONFIG_INVALID: {
    remedy: 'fatal',
    status: 500,
    hint: 'Run `gewu validate FILE`: it names key and value of every mistake.',
  },
  GEWU_CONFIG_VERSION: {
    remedy: 'fatal',
    status: 500,
    hint: 'The file is for another version of Gewu; see docs/configuration.md.',
  },
  GEWU_USAGE: { remedy: 'reject', status: 400, hint: 'Run `gewu help`.' },
  GEWU_MISSING_PROGRAM: { remedy: 'fatal', status: 500, hint: 'Install the named package, or run `gewu doctor`.' },
  GEWU_PORT_IN_USE: { remedy: 'fatal', status: 500, hint: 'Another process listens there; choose another port or stop it.' },
  GEWU_STORE_UNAVAILABLE: { remedy: 'retry', status: 503, hint: 'The store does not answer; data waits and is retried.' },
  GEWU_STORE_REJECTED: {
    remedy: 'reject',
    status: 500,
    hint: 'The store refused these records; they are in the dead-letter store.',
  },
  GEWU_STORE_LOCKED: {
    remedy: 'fatal',
    status: 500,
    hint: 'Another `gewu ingest` uses this folder; SQLite serves one replica only.',
  },
  GEWU_STORE_VERSION: {
    remedy: 'fatal',
    status: 500,
    hint: 'A newer Gewu has used this database; run that version, or restore a backup.',
  },
  GEWU_OUTBOX_BROKEN: {
    remedy: 'fatal',
    status: 500,
    hint: 'The outbox could not sync; look at the disk, then restart the edge.',
  },
  GEWU_OUTBOX_DAMAGED: {
    remedy: 'fatal',
    status: 500,
    hint: 'The disk changed what was written. What could be read goes on; the damaged file lies in `quarantine` of the data folder. Look at the disk.',
  },
  GEWU_OUTBOX_FULL: { remedy: 'retry', status: 503, hint: 'The outbox is at its quota; see the uplink.' },
  GEWU_UPLINK_REFUSED: {
    remedy: 'retry',
    status: 503,
    hint: "The centre refuses this edge: compare `uplink.password` with the centre's `edges`. The edge goes on trying.",
  },
  GEWU_UPLINK_SILENT: {
    remedy: 'retry',
    status: 503,
    hint: 'The connection to the centre swallows everything: look at the link and NAT. The edge connects anew.',
  },
  GEWU_PAYLOAD_TOO_LARGE: { remedy: 'reject', status: 413, hint: 'Send smaller payloads.' },
  GEWU_PAYLOAD_NOT_JSON: { remedy: 'reject', status: 400, hint: 'The payload is not valid UTF-8 JSON.' },
  GEWU_PAYLOAD_TOO_DEEP: { remedy: 'reject', status: 400, hint: 'Send a flat object or an array of flat objects.' },
  GEWU_PAYLOAD_EMPTY: { remedy: 'reject', status: 400, hint: 'Send at least one field.' },
  GEWU_READING_TYPE: { remedy: 'reject', status: 400, hint: 'A field has the wrong type; see docs/wire.md for the kind.' },
  GEWU_READING_NOT_FINITE: { remedy: 'reject', status: 400, hint: 'A number is not finite.' },
  GEWU_READING_FIELD_UNKNOWN: { remedy: 'reject', status: 400, hint: 'The kind has no such field.' },
  GEWU_CODEC_FAULT: {
    remedy: 'reject',
    status: 400,
    hint: 'The payload is not what the codec of the mapping reads; try `gewu mapping test`.',
  },
  GEWU_MAPPING_FAULT: {
    remedy: 'reject',
    status: 400,
    hint: 'The payload does not fit its mapping; try `gewu mapping test FILE SAMPLE`.',
  },
  GEWU_DEVICE_FOREIGN: {
    remedy: 'reject',
    status: 403,
    hint: 'The gateway does not speak for this device: add it to `gateways[].devices` of the site.',
  },
  GEWU_DEVICE_UNKNOWN: { remedy: 'reject', status: 404, hint: 'Register the device in the site configuration.' },
  GEWU_FRAME_INVALID: { remedy: 'reject', status: 400, hint: 'The frame breaks the wire format; look at the edge version.' },
  GEWU_LINE_INVALID: { remedy: 'reject', status: 400, hint: 'The reading is not a canonical line, or names another edge.' },
  GEWU_EVENT_INVALID: { remedy: 'reject', status: 400, hint: 'The event breaks the schema, or names another edge.' },
  GEWU_HEALTH_INVALID: { remedy: 'reject', status: 400, hint: 'The health record breaks the schema, or names another edge.' },
  GEWU_MODEL_INVALID: { remedy: 'fatal', status: 500, hint: 'The model file does not fit its manifest.' },
  GEWU_MODEL_SIGNATURE: {
    remedy: 'reject',
    status: 422,
    hint: 'Sign the model with a key that `vision.trustedKeys` of the edge names: `gewu models sign`.',
  },
  GEWU_MODEL_BUDGET: {
    remedy: 'reject',
    status: 422,
    hint: 'The model is too slow or too large for this machine: fewer pictures a second, more `vision.workers`, or a smaller model.',
  },
  GEWU_MODEL_CLASSES: {
    remedy: 'reject',
    status: 422,
    hint: 'Zones have rules for classes that the model does not know: change them, or set `silentRules`.',
  },
  GEWU_MODEL_CRASHED: {
    remedy: 'reject',
    status: 500,
    hint: 'The model ended its threads or the node again and again; the one before it is in use.',
  },
  GEWU_MODEL_UNREADABLE: {
    remedy: 'retry',
    status: 503,
    hint: "The edge could not fetch the model: look at `uplink.apiUrl`, the disk and the centre's log. It goes on trying.",
  },
  GEWU_DESIRED_INVALID: {
    remedy: 'reject',
    status: 422,
    hint: 'The edge could not run this: `mistakes` names each by its key.',
  },
  GEWU_DESIRED_UNREADABLE: {
    remedy: 'retry',
    status: 503,
    hint: "The edge could not fetch the desired state: look at `uplink.apiUrl` and the centre's log. It goes on trying.",
  },
  GEWU_DESIRED_CRASHED: {
    remedy: 'reject',
    status: 500,
    hint: 'The node ended several times while it tried this revision; the one before runs on. Look at its log.',
  },
  GEWU_REVISION_STALE: {
    remedy: 'reject',
    status: 409,
    hint: 'Somebody else was quicker: read the newest revision and try again.',
  },
  GEWU_CAMERA_URL: { remedy: 'reject', status: 400, hint: 'Use rtsp(s):// or http(s):// with an allowed address.' },
  GEWU_CAMERA_OFFLINE: { remedy: 'retry', status: 503, hint: 'The camera does not answer; check address, power and password.' },
  GEWU_CALIBRATION: { remedy: 'reject', status: 400, hint: 'At least four ground points, no three in a line.' },
  GEWU_UNAUTHORIZED: { remedy: 'reject', status: 401, hint: 'Send `Authorization: Bearer <token>`.' },
  GEWU_FORBIDDEN: { remedy: 'reject', status: 403, hint: 'This account may not do that.' },
  GEWU_TOO_MANY_REQUESTS: {
    remedy: 'retry',
    status: 429,
    hint: 'Too many failed log-ins, open streams or open grants from there; wait a minute, or end some.',
  },
  GEWU_NOT_FOUND: { remedy: 'reject', status: 404, hint: 'There is no such thing.' },
  GEWU_REQUEST_INVALID: { remedy: 'reject', status: 400, hint: 'See the schema at /docs.' },
  GEWU_TRANSITION_REFUSED: { remedy: 'reject', status: 409, hint: 'The state of the case does not allow this step.' },
  GEWU_TRANSITION_GUARD: { remedy: 'reject', status: 422, hint: 'A condition of this step does not hold.' },
  GEWU_GRANT_INVALID: {
    remedy: 'reject',
    status: 403,
    hint: "This grant is over, another's, or for something else; ask for a new one.",
  },
  GEWU_APPROVAL_NOT_EARNED: {
    remedy: 'reject',
    status: 409,
    hint: 'Let reviewers judge more of what the model finds there; if it is wrong too often, train it on what they said.',
  },
  GEWU_DATASET_TOO_SMALL: {
    remedy: 'reject',
    status: 409,
    hint: 'Let reviewers judge more events with pictures, on more cameras or in more hours, or choose fewer limits.',
  },
  GEWU_PROMOTION_NOT_EARNED: {
    remedy: 'reject',
    status: 409,
    hint: 'The comparison does not carry it: let both look longer, judge what differs, or say with `forced` and a reason why not.',
  },
  GEWU_NODE_KEY_CHANGED: {
    remedy: 'reject',
    status: 409,
    hint: 'The edge signs with another key than the pinned one: find out why, then accept it at `/api/v1/edge-keys`, or not.',
  },
  GEWU_REPLAY_REFUSED: {
    remedy: 'reject',
    status: 409,
    hint: 'This dead letter cannot be replayed as it is: mend its payload or topic, wait until its edge is on line, or discard it.',
  },
  GEWU_UPKEEP_REFUSED: {
    remedy: 'reject',
    status: 409,
    hint: 'The maintenance case is fixed already, or the group is one that a site describes: read it again.',
  },
  GEWU_NOTIFY_INVALID: {
    remedy: 'reject',
    status: 422,
    hint: 'These settings name what is not there: `mistakes` names each by its key. Channels stand in `notify.channels` of the configuration.',
  },
  GEWU_EVIDENCE_MISMATCH: { remedy: 'reject', status: 422, hint: 'The bytes do not have the SHA-256 of the path.' },
  GEWU_EVIDENCE_OFFSET: {
    remedy: 'retry',
    status: 412,
    hint: 'What has come of this file does not reach so far, or is damaged: ask `GET /api/v1/evidence/{sha256}/upload` where to go on.',
  },
  GEWU_EVIDENCE_FULL: { remedy: 'retry', status: 507, hint: 'The evidence store is at its quota; give it room or a larger one.' },
  GEWU_LIVE_UNAVAILABLE: {
    remedy: 'retry',
    status: 503,
    hint: 'The edge or its camera sends no pictures now; look at their health, then try again.',
  },
  GEWU_LIVE_OVER: {
    remedy: 'reject',
    status: 410,
    hint: 'The grant, or the longest time of a view, is over; open it again if there is need.',
  },
  GEWU_INTERNAL: { remedy: 'fatal', status: 500, hint: 'A fault of ours: keep the log and report it.' },
} as const satisfies Record<string, CatalogueEntry>;

export type ErrorCode = keyof typeof ERRORS;

export class GewuError extends Error {
  readonly code: ErrorCode;
  readonly remedy: Remedy;
  readonly status: number;
  readonly hint: string;
  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'GewuError';
    this.code = code;
    this.remedy = ERRORS[code].remedy;
    this.status = ERRORS[code].status;
    this.hint = ERRORS[code].hint;
  }
}

export function isGewuError(error: unknown, code?: ErrorCode): error is GewuError {
  return error instanceof GewuError && (code === undefined || error.code === code);
}
