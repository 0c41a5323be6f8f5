import { type Static, Type } from 'typebox';
import { Firmware } from '../firmware.ts';
import { Id } from '../ids.ts';
import { AlarmSettings, Calendars, MissingRule, PicturePolygon, ThresholdRule, Zone } from '../rules/mod.ts';

/**
 * What an edge node is in charge of: its unit grids, components, sensors and cameras.
 * The same schema serves the edge's configuration file and the desired state that the centre pushes.
 */
const lon = Type.Number({ minimum: -180, maximum: 180 });
const lat = Type.Number({ minimum: -90, maximum: 90 });
const strict = { additionalProperties: false } as const;

export const SiteCell = Type.Object(
  {
    code: Type.String({ pattern: '^[0-9]{15}$' }),
    /** Ring of [lon, lat], first corner repeated at the end or not. */
    polygon: Type.Array(Type.Tuple([lon, lat]), { minItems: 3, maxItems: 512 }),
  },
  strict,
);
export type SiteCell = Static<typeof SiteCell>;

export const SiteComponent = Type.Object({ code: Type.String({ pattern: '^[0-9]{16}$' }), lon, lat }, strict);
export type SiteComponent = Static<typeof SiteComponent>;

export const SiteDevice = Type.Object(
  {
    id: Id(),
    kind: Id(),
    /** MQTT password; the user name is the device id. */
    secret: Type.String({ minLength: 8, maxLength: 128 }),
    component: Type.String({ pattern: '^[0-9]{16}$' }),
    lon,
    lat,
    /** Rules of the kind switched off or replaced, by rule id; `offline`, `unstable`, `implausible`, `stuck` and `jump` too. */
    rules: Type.Optional(Type.Record(Id(), Type.Union([Type.Literal(false), ThresholdRule, MissingRule]))),
    /** The group of kind `circuit` that feeds it, of kind `pressure_zone` that it stands in, of kind `drainage_basin` that it drains into. */
    circuit: Type.Optional(Id()),
    pressureZone: Type.Optional(Id()),
    drainageBasin: Type.Optional(Id()),
  },
  strict,
);
export type SiteDevice = Static<typeof SiteDevice>;

export const GROUP_KINDS = ['circuit', 'pressure_zone', 'drainage_basin'] as const;
export type GroupKind = (typeof GROUP_KINDS)[number];

/** Devices that fail together: a lamp circuit, a pressure zone, a drainage basin. Its id shares the devices' space of names. */
export const SiteGroup = Type.Object(
  {
    id: Id(),
    kind: Type.Enum(GROUP_KINDS),
    /** Of the feeder: what people go to when all of it fails. */
    component: Type.String({ pattern: '^[0-9]{16}$' }),
    /** Of the feeder; the middle of the members where not given. */
    position: Type.Optional(Type.Object({ lon, lat }, strict)),
  },
  strict,
);
export type SiteGroup = Static<typeof SiteGroup>;

const Rfc3339 = () =>
  Type.String({
    pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\\.[0-9]{1,3})?)?(Z|[+-][0-9]{2}:[0-9]{2})$',
    description: 'RFC 3339 with its offset, 2026-11-23T08:00:00+08:00',
  });

/** A maintenance window or work permit: alarms of these devices are recorded meanwhile, and open no case. */
export const SiteMaintenance = Type.Object(
  {
    /** Of the centre's window that it comes from; windows of the file have none. */
    id: Type.Optional(Id()),
    /** One of the two, or both. */
    devices: Type.Optional(Type.Array(Id(), { minItems: 1, maxItems: 10_000 })),
    group: Type.Optional(Id()),
    from: Rfc3339(),
    to: Rfc3339(),
    reason: Type.String({ minLength: 1, maxLength: 200 }),
  },
  strict,
);
export type SiteMaintenance = Static<typeof SiteMaintenance>;

export const SiteGateway = Type.Object(
  {
    id: Id(),
    secret: Type.String({ minLength: 8, maxLength: 128 }),
    devices: Type.Array(Id(), { minItems: 1, maxItems: 10_000 }),
  },
  strict,
);
export type SiteGateway = Static<typeof SiteGateway>;

export const Calibration = Type.Object(
  {
    /** Pixels of the calibration points, fractions of the picture, and where they are on the ground. At least four. */
    points: Type.Array(
      Type.Object({ x: Type.Number({ minimum: 0, maximum: 1 }), y: Type.Number({ minimum: 0, maximum: 1 }), lon, lat }, strict),
      { minItems: 4, maxItems: 64 },
    ),
  },
  strict,
);
export type Calibration = Static<typeof Calibration>;

/** H.264 and others over RTSP, or a stream of JPEG pictures over HTTP. */
const StreamUrl = () => Type.String({ pattern: '^(rtsps?|https?)://', maxLength: 512, description: 'without user and password' });
/** How the pictures travel: over the connection itself, or as datagrams, which may be lost. */
const Transport = () => Type.Enum(['tcp', 'udp'], { default: 'tcp' });
const CameraStream = () => Type.Object({ url: StreamUrl(), transport: Transport() }, strict);
/** The least recall of people that somebody may vouch for. */
export const PERSON_RECALL_MIN = 0.95;

/**
 * A person has checked on pictures of this very camera how many of the people in them the model finds, and vouches for it:
 * evidence then shows the street around the event, with people covered. Without it, or with another model, all around the event is covered.
 */
export const PersonRecall = Type.Object(
  {
    /** Of the file of the model that was checked, hex: two models may have one name. */
    sha256: Type.String({ pattern: '^[0-9a-f]{64}$', description: "of the model's file, as its manifest has it" }),
    recall: Type.Number({ minimum: PERSON_RECALL_MIN, maximum: 1 }),
    /** People in the pictures that were checked. */
    people: Type.Integer({ minimum: 100 }),
    by: Type.String({ minLength: 1, maxLength: 64 }),
    /** The day. */
    at: Type.String({ pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}$' }),
  },
  strict,
);
export type PersonRecall = Static<typeof PersonRecall>;

/** A person lets one model speak of one class on one camera, by what reviewers found there: from then on it opens cases. */
export const SiteApproval = Type.Object(
  {
    /** Class of the model. */
    detects: Id(),
    /** `name@version`: another one has to earn it anew. */
    model: Type.String({ minLength: 3, maxLength: 128 }),
    /** The account, and when. */
    by: Id(),
    at: Rfc3339(),
    /** What it rests on: events that were judged, and the share of them that was accepted. */
    judged: Type.Integer({ minimum: 0 }),
    precision: Type.Number({ minimum: 0, maximum: 1 }),
  },
  strict,
);
export type SiteApproval = Static<typeof SiteApproval>;

/** When a picture is still, and how often one is looked at all the same. */
export const MotionSettings = Type.Object(
  {
    /** A cell of the picture (64 by 36) has moved when its brightness differs by more than this, of 255. */
    levels: Type.Integer({ minimum: 1, maximum: 255, default: 14 }),
    /** So many cells make a motion. */
    cells: Type.Integer({ minimum: 1, maximum: 2304, default: 4 }),
    /** Standing things are confirmed and cleared by these looks. */
    lookEveryS: Type.Number({ minimum: 0.5, maximum: 10, default: 2 }),
  },
  strict,
);
export type MotionSettings = Static<typeof MotionSettings>;

export const SiteCamera = Type.Object(
  {
    id: Id(),
    /** Where the pictures come from: one of these three. */
    url: Type.Optional(StreamUrl()),
    /** Two streams of one view: the smaller is analysed, clips and live views are made of the main one. Same user, same checks. */
    streams: Type.Optional(Type.Object({ main: CameraStream(), sub: CameraStream() }, strict)),
    /** For tests of models: a recording in the folder that the edge's `vision.filesDir` names, played over and over. */
    file: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$' })),
    username: Type.Optional(Type.String({ maxLength: 128 })),
    password: Type.Optional(Type.String({ maxLength: 128 })),
    /** Where the camera hangs. */
    lon,
    lat,
    component: Type.Optional(Type.String({ pattern: '^[0-9]{16}$', description: 'of the camera itself, class 0136' })),
    /** As its own page says it: a stream does not. */
    firmware: Type.Optional(Firmware),
    /** Loopback and link-local addresses are refused unless this says so. */
    allowLocalAddress: Type.Boolean({ default: false }),
    /** A drawn camera: only on such a one may a model that knows drawn scenes open cases. */
    simulated: Type.Boolean({ default: false }),
    fps: Type.Number({ minimum: 0.1, maximum: 15, default: 2 }),
    /** Of `url`. */
    transport: Transport(),
    /** Only key frames are decoded, for boxes with many cameras: seconds between two of them, as the camera is set. `fps` is then one in so many. */
    keyFrameEveryS: Type.Optional(Type.Number({ minimum: 0.2, maximum: 60 })),
    /** The detector is spared pictures in which nothing moves; without this it sees all. */
    motion: Type.Optional(MotionSettings),
    /** Checks of the picture that do not fit this camera: `moved` of one that turns. */
    ignorePictureFaults: Type.Optional(
      Type.Array(Type.Enum(['frozen', 'overexposed', 'covered', 'moved', 'blurred', 'resolution']), { maxItems: 6 }),
    ),
    calibration: Calibration,
    personRecall: Type.Optional(PersonRecall),
    zones: Type.Array(Zone, { maxItems: 32 }),
    /** What stands in one of these is not looked at: a shop's own forecourt, a screen, a mirror. People there are masked all the same. */
    exclude: Type.Optional(Type.Array(PicturePolygon, { maxItems: 32 })),
    /** On a real camera a model that has not seen real streets speaks of these alone; everything else it finds is recorded and opens no case. */
    approvals: Type.Optional(Type.Array(SiteApproval, { maxItems: 64 })),
  },
  strict,
);
export type SiteCamera = Static<typeof SiteCamera>;

export const Site = Type.Object(
  {
    /** IANA name; schedules are read in it. */
    timeZone: Type.String({ default: 'Asia/Shanghai', maxLength: 64 }),
    cells: Type.Array(SiteCell, { minItems: 1, maxItems: 2000 }),
    /** Registered components in view or under sensors. */
    components: Type.Array(SiteComponent, { maxItems: 200_000, default: [] }),
    devices: Type.Array(SiteDevice, { maxItems: 50_000, default: [] }),
    gateways: Type.Array(SiteGateway, { maxItems: 1000, default: [] }),
    cameras: Type.Array(SiteCamera, { maxItems: 200, default: [] }),
    groups: Type.Optional(Type.Array(SiteGroup, { maxItems: 5000 })),
    maintenance: Type.Optional(Type.Array(SiteMaintenance, { maxItems: 1000 })),
    /** Holidays, market days: what windows of zone rules name. */
    calendars: Type.Optional(Calendars),
    /** Limits of the alarm engine that are not those of the catalogue. */
    alarms: Type.Optional(AlarmSettings),
  },
  strict,
);
export type Site = Static<typeof Site>;
