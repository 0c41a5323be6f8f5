import { basename, join } from 'node:path';
import { type Static, Type } from 'typebox';
import { DEVICE_KINDS, deviceKind, Id } from '#grid/mod.ts';
import { type ConfigMistake, checkConfig, readConfigFile } from '#service/mod.ts';
import { PICTURE_FAULTS, RTSP_FAULTS } from '../cameras/mod.ts';
import { DEVICE_FAULTS } from '../city/mod.ts';
import { DEVICE_FAULT_KINDS, type DeviceFaultKind } from '../faults/mod.ts';

const strict = { additionalProperties: false } as const;
/** A moment as a share of the run, so that the same scenario runs for twenty seconds or a day. */
const Share = (description: string) => Type.Number({ minimum: 0, maximum: 1, description });
const from = Share('of the run');
const to = Share('of the run');

const Weather = Type.Object(
  {
    /** Hour of the day at which the run begins, and how many hours of the world pass in it, whatever it takes. */
    startHour: Type.Number({ minimum: 0, exclusiveMaximum: 24, default: 12 }),
    hours: Type.Number({ exclusiveMinimum: 0, maximum: 24 * 366, default: 1 }),
    rain: Type.Array(Type.Object({ from, to, mmPerH: Type.Number({ minimum: 0, maximum: 300 }) }, strict), {
      maxItems: 100,
      default: [],
    }),
    clouds: Type.Number({ minimum: 0, maximum: 1, default: 0.2 }),
    temperatureC: Type.Number({ minimum: -30, maximum: 50, default: 18 }),
    /** Factor on the usual traffic of the hour. */
    crowd: Type.Number({ minimum: 0, maximum: 5, default: 1 }),
  },
  { ...strict, default: {} },
);

const Stage = Type.Object(
  {
    kind: Type.Enum(['ramp', 'steady', 'spike', 'soak']),
    forS: Type.Number({ exclusiveMinimum: 0, maximum: 7 * 86_400 }),
    /** Reports of each device; a ramp ends with so many. */
    perDevicePerMin: Type.Number({ minimum: 0, maximum: 60_000 }),
  },
  strict,
);

const count = Type.Integer({ minimum: 1, maximum: 1_000 });
const Incident = Type.Union([
  Type.Object(
    { what: Type.Enum(['feeder-fault', 'burst-main', 'network-outage']), count: Type.Optional(count), from, to },
    strict,
  ),
  /** All connections of the devices break in one moment; all come again at once. */
  Type.Object({ what: Type.Literal('reconnect-storm'), from }, strict),
  /** Single devices go wrong, at a rate, each for `lastS` seconds of the clock. */
  Type.Object(
    {
      what: Type.Literal('device-fault'),
      kind: Type.Enum(DEVICE_KINDS.map((k) => k.kind)),
      rule: Id(),
      perMin: Type.Number({ exclusiveMinimum: 0, maximum: 600 }),
      lastS: Type.Number({ minimum: 1, maximum: 86_400 }),
      from: Type.Optional(from),
      to: Type.Optional(to),
    },
    strict,
  ),
]);

const FAULT_NAMES = Object.keys(DEVICE_FAULT_KINDS) as DeviceFaultKind[];
/** So many devices are wrong in one way; docs/simulators.md lists the ways, and what an edge makes of them. */
const Fault = Type.Object(
  {
    what: Type.Enum(FAULT_NAMES),
    /** So many from `from` to `to`; or, at random moments between these, so many a minute, each for `lastS` seconds of the clock. */
    count: Type.Optional(Type.Integer({ minimum: 1, maximum: 100_000 })),
    perMin: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 600 })),
    lastS: Type.Optional(Type.Number({ minimum: 1, maximum: 86_400 })),
    from: Type.Optional(from),
    to: Type.Optional(to),
  },
  strict,
);

/** What the city's cameras show. Rain that the drains do not take ponds on their roads, whatever stands here. */
const Cameras = Type.Object(
  {
    /** Comes to stand before each view, one after the other, so often, seconds of the clock. */
    shows: Type.Array(Type.Enum(['stall', 'garbage', 'open_manhole', 'vehicle']), { maxItems: 4, default: [] }),
    /** A night market with its permit: stalls where the city holds markets, from `from` to `to`. They are no events. */
    market: Type.Optional(Type.Object({ from, to }, strict)),
    everyS: Type.Number({ minimum: 5, maximum: 86_400, default: 60 }),
    /** So many cameras are wrong in one way. */
    faults: Type.Array(
      Type.Object(
        {
          what: Type.Enum([...PICTURE_FAULTS, ...RTSP_FAULTS]),
          count: Type.Integer({ minimum: 1, maximum: 1_000 }),
          from: Type.Optional(from),
          to: Type.Optional(to),
          /** Of `drop` that a picture is left out, of `corrupt` that a packet is damaged. */
          probability: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 1 })),
        },
        strict,
      ),
      { maxItems: 100, default: [] },
    ),
  },
  strict,
);

const limit = () => Type.Optional(Type.Number({ minimum: 0 }));
/** What the run must keep to; what is not named is not judged. */
const Thresholds = Type.Object(
  {
    lostMax: limit(),
    duplicatedMax: limit(),
    unexpectedMax: limit(),
    /** Readings stored with other values or times than were sent, of those compared; judged with 0 where it is not named. */
    alteredMax: limit(),
    /** Of events, by revision. */
    eventsLostMax: limit(),
    eventsDuplicatedMax: limit(),
    eventsUnexpectedMax: limit(),
    eventsLateMax: limit(),
    lateShareMax: limit(),
    /** Of what devices sent; judged with 0.99 where it is not named. */
    ackedShareMin: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
    ackP99MsMax: limit(),
    caseP95MsMax: limit(),
    detectedShareMin: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
    falseAlarmsMax: limit(),
    /** Of what cameras show, and of what they say that is not so. */
    cameraDetectedShareMin: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
    cameraFalseAlarmsMax: limit(),
    cameraCaseP95MsMax: limit(),
  },
  strict,
);
export type Thresholds = Static<typeof Thresholds>;

/** What a scenario file may say. */
export const Scenario = Type.Object(
  {
    version: Type.Literal(1),
    scenario: Id(),
    title: Type.Object({ zh: Type.String({ maxLength: 200 }), en: Type.String({ maxLength: 200 }) }, strict),
    /** `devices` speak to the brokers of their edges; `edges` are whole edge nodes that speak to the centre. */
    as: Type.Enum(['devices', 'edges'], { default: 'devices' }),
    world: Weather,
    stages: Type.Array(Stage, { minItems: 1, maxItems: 100 }),
    incidents: Type.Array(Incident, { maxItems: 100, default: [] }),
    faults: Type.Array(Fault, { maxItems: 100, default: [] }),
    /** Without it cameras are not played. */
    cameras: Type.Optional(Cameras),
    /** A device in an incident reports so often, seconds of the clock. */
    alarmEveryS: Type.Number({ minimum: 0.2, maximum: 3600, default: 2 }),
    /** A sample that is acknowledged later than this after it was due counts as late. */
    lateMs: Type.Integer({ minimum: 1, default: 5_000 }),
    /** Beyond it the generator, not the target, was slow: the run is invalid. */
    lagP99MsMax: Type.Integer({ minimum: 1, default: 250 }),
    thresholds: Type.Object(Thresholds.properties, { ...strict, default: {} }),
  },
  strict,
);
export type Scenario = Static<typeof Scenario>;
export type ScenarioFault = Scenario['faults'][number];
export type ScenarioIncident = Scenario['incidents'][number];

/** The file of a scenario that comes with Gewu; it need not exist. */
export function shippedScenario(name: string): string {
  return join(import.meta.dirname, `${basename(name)}.yaml`);
}

/** Throws GEWU_CONFIG_UNREADABLE, or GEWU_CONFIG_INVALID with key and value of every mistake. */
export async function loadScenario(file: string): Promise<Scenario> {
  return checkConfig(file, Scenario, await readConfigFile(file), scenarioMistakes);
}

/** What the schema cannot say. */
function scenarioMistakes({ as, incidents, faults, world, stages, cameras }: Scenario): ConfigMistake[] {
  const backwards = (key: string, span: { from?: number; to?: number }) =>
    (span.from ?? 0) < (span.to ?? 1) ? [] : [{ key: `${key}.to`, value: span.to, message: 'is not after `from`' }];
  return [
    ...(stages.every((s) => s.perDevicePerMin === 0) ? [{ key: 'stages', value: stages, message: 'no stage has a load' }] : []),
    ...world.rain.flatMap((shower, i) => backwards(`world.rain.${i}`, shower)),
    ...(as === 'edges' && faults.length > 0
      ? [{ key: 'faults', value: faults, message: 'are those of devices: wanted is `as: devices`' }]
      : []),
    ...faults.flatMap((f, i) => [
      ...backwards(`faults.${i}`, f),
      ...((f.count === undefined) === (f.perMin === undefined) || (f.perMin === undefined) !== (f.lastS === undefined)
        ? [{ key: `faults.${i}`, value: f, message: 'wanted is either `count`, or `perMin` and `lastS`' }]
        : []),
    ]),
    ...(cameras?.market === undefined ? [] : backwards('cameras.market', cameras.market)),
    ...(as === 'edges' && cameras !== undefined
      ? [{ key: 'cameras', value: cameras, message: 'are looked at by edges: wanted is `as: devices`' }]
      : []),
    ...(cameras?.faults ?? []).flatMap((f, i) => [
      ...backwards(`cameras.faults.${i}`, f),
      ...(f.probability === undefined || f.what === 'drop' || f.what === 'corrupt'
        ? []
        : [{ key: `cameras.faults.${i}.probability`, value: f.probability, message: 'is of `drop` and `corrupt` only' }]),
    ]),
    ...incidents.flatMap((incident, i): ConfigMistake[] => {
      const key = `incidents.${i}`;
      if (incident.what === 'reconnect-storm') return [];
      if (incident.what !== 'device-fault') return backwards(key, incident);
      const known = (DEVICE_FAULTS[incident.kind] ?? []).map((f) => f.rule);
      const unknown = known.includes(incident.rule)
        ? []
        : [{ key: `${key}.rule`, value: incident.rule, message: `of ${deviceKind(incident.kind)?.kind}: ${known.join(', ')}` }];
      return [...backwards(key, incident), ...unknown];
    }),
  ];
}
