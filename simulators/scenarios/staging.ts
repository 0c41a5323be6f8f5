import { ALARM_LIMITS, applyLimitsProfile, type EventClass, GROUP_ALARMS, type Profile, type SiteGroup } from '#grid/mod.ts';
import { type Dice, diceOf } from '../cameras/street/mod.ts';
import { type City, classOf, DEVICE_FAULTS, ruleOf } from '../city/mod.ts';
import type { Fields } from '../devices/mod.ts';
import type { DeviceFaultKind } from '../faults/mod.ts';
import { type DeviceTable, World, type WorldIncident } from '../world/mod.ts';
import { type StagedCameras, stageCameras } from './cameras.ts';
import type { Scenario, ScenarioIncident } from './schema.ts';

/** What a staged incident must become at the centre. */
export interface Expected {
  class: EventClass;
  component: string;
  lon: number;
  lat: number;
  /** Of the rule in force, for each device. */
  confirmMs: number;
  confirmSamples: number;
  /** So many devices must have confirmed: one, or as many as make a group. */
  members: number;
  /** Within so long of each other. */
  windowMs?: number;
}

/** Something that goes wrong, as it will: seconds from the start of the run. */
export interface StagedIncident {
  id: string;
  what: ScenarioIncident['what'] | 'flooded-shaft';
  fromS: number;
  toS: number;
  /** What says it. */
  devices: readonly number[];
  /** Null where nothing is to be detected. */
  expected: Expected | null;
  /** It may become a case of its own, or be told as one with others: no case of it is missed. */
  optional?: boolean;
  /** Whether a sample of one of its devices says it. */
  breaks(fields: Readonly<Fields>): boolean;
}

export interface Staged {
  world: World;
  incidents: StagedIncident[];
  /** When all connections break, seconds. */
  storms: number[];
  faults: StagedFault[];
  cameras: StagedCameras;
}

/** A device that is wrong in one way from `fromS` until `toS`. */
export interface StagedFault extends Span {
  what: DeviceFaultKind;
  device: number;
}

export interface StagingTerms {
  scenario: Scenario;
  city: City;
  table: DeviceTable;
  /** Numbers of the devices that this process plays: whole edges. */
  devices: readonly number[];
  seed: number;
  durationS: number;
  /** That of the edges. */
  profile: Profile;
  /** Edges whose cameras this process plays. */
  cameraEdges: ReadonlySet<string>;
}

const AT_RIM_M = 0.2;
/** Looks at the shafts during the run: a level changes over many minutes of the world. */
const RIM_LOOKS = 60;
const GROUP_FAULTS = {
  'feeder-fault': { kind: 'circuit', device: 'streetlight', rule: 'lamp-out' },
  'burst-main': { kind: 'pressure_zone', device: 'fire_hydrant', rule: 'low-pressure' },
} as const;

/** Everything that will go wrong in a run, from its seed. Pure. Throws RangeError where the city has not enough of what is to break. */
export function stageScenario(terms: StagingTerms): Staged {
  const { scenario, table, seed, durationS } = terms;
  const dice = diceOf(seed, 121);
  // Groups first: what befalls single devices keeps off them, so that each alarm has one cause.
  const single = (i: ScenarioIncident) => Number(i.what === 'device-fault');
  const taken = new Set<number>();
  const found = scenario.incidents
    .toSorted((a, b) => single(a) - single(b))
    .map((incident) => {
      const one = stageOne(incident, { ...terms, devices: terms.devices.filter((i) => !taken.has(i)) }, dice);
      for (const { devices } of one.incidents) for (const i of devices) taken.add(i);
      return one;
    });
  const incidents = found.flatMap((f) => f.incidents);
  const { startHour, hours, rain, clouds, temperatureC, crowd } = scenario.world;
  const toH = (s: number) => (s / durationS) * hours;
  const world = new World({
    table,
    seed,
    startHour,
    showers: rain.map((r) => ({ fromH: r.from * hours, toH: r.to * hours, mmPerH: r.mmPerH })),
    clouds,
    temperatureC,
    crowd,
    incidents: found.flatMap((f) => f.world.map((w) => ({ ...w, fromH: toH(w.fromH), toH: toH(w.toH) }))),
  });
  const faults = scenario.faults.flatMap(({ what, count, from = 0, to = 1 }) => {
    const hit = pickSome(
      terms.devices.filter((i) => !taken.has(i)),
      count,
      dice,
      `devices for the fault ${what}`,
    );
    for (const i of hit) taken.add(i);
    return hit.map((device): StagedFault => ({ what, device, fromS: from * durationS, toS: to * durationS }));
  });
  // What a faulty device says of the weather is nobody's truth.
  const sound = { ...terms, devices: terms.devices.filter((i) => !faults.some((f) => f.device === i)) };
  const shafts = rain.length > 0 ? floodedShafts(world, sound) : [];
  return {
    cameras: stageCameras({ ...terms, world, edges: terms.cameraEdges }),
    world,
    incidents: [...incidents, ...shafts],
    faults,
    storms: scenario.incidents.flatMap((i) => (i.what === 'reconnect-storm' ? [i.from * durationS] : [])),
  };
}

interface Found {
  incidents: StagedIncident[];
  /** Times in seconds of the run. */
  world: WorldIncident[];
}

function stageOne(incident: ScenarioIncident, terms: StagingTerms, dice: Dice): Found {
  if (incident.what === 'reconnect-storm') return { incidents: [], world: [] };
  if (incident.what === 'device-fault') return deviceFaults(incident, terms, dice);
  const [fromS, toS] = [incident.from * terms.durationS, incident.to * terms.durationS];
  if (incident.what === 'network-outage') return outages(incident.count, { fromS, toS }, terms, dice);
  return groupFaults(incident.what, incident.count ?? 1, { fromS, toS }, terms, dice);
}

/** Without a count everywhere, otherwise in so many communities. */
function outages(count: number | undefined, { fromS, toS }: Span, { table, devices }: StagingTerms, dice: Dice): Found {
  const span = { fromH: fromS, toH: toS };
  if (count === undefined) return { incidents: [], world: [{ what: 'network-outage', ...span }] };
  const basins = [...new Set(devices.map((i) => table.basins[table.basin[i] as number] ?? ''))];
  const hit = pickSome(basins, count, dice, 'communities');
  return { incidents: [], world: hit.map((basin) => ({ what: 'network-outage', basin, ...span })) };
}

interface Span {
  fromS: number;
  toS: number;
}

function groupFaults(
  what: keyof typeof GROUP_FAULTS,
  count: number,
  span: Span,
  { city, table, devices, profile }: StagingTerms,
  dice: Dice,
): Found {
  const { kind, device, rule: ruleId } = GROUP_FAULTS[what];
  const names = kind === 'circuit' ? table.circuits : table.zones;
  const column = kind === 'circuit' ? table.circuit : table.zone;
  const members = Map.groupBy(devices, (i) => names[column[i] as number] ?? '');
  const needed = applyLimitsProfile(ALARM_LIMITS, profile).group.members;
  const groups = city.edges.flatMap((e) => e.groups).filter((g) => (members.get(g.id)?.length ?? 0) > needed);
  const hit = pickSome(groups, count, dice, `groups of kind ${kind} with more than ${needed} members`);
  const rule = ruleOf({ kind: device }, ruleId, profile);
  const incidents = hit.map((group): StagedIncident => {
    const { lon, lat } = group.position ?? { lon: 0, lat: 0 };
    return {
      id: `${what}-${group.id}`,
      what,
      ...span,
      devices: members.get(group.id) ?? [],
      expected: {
        class: { flag: 1, code: group.component.slice(6, 10), fault: GROUP_ALARMS[kind].fault },
        component: group.component,
        lon,
        lat,
        confirmMs: rule.confirm.forS * 1000,
        confirmSamples: rule.confirm.samples,
        members: needed,
      },
      breaks: (fields) =>
        kind === 'circuit'
          ? fields.commanded_on === true && (fields.power_w as number) < 5
          : (fields.pressure_mpa as number) < 0.14,
    };
  });
  return { incidents, world: hit.map((g) => worldOf(what, g, span)) };
}

function worldOf(what: keyof typeof GROUP_FAULTS, { id }: SiteGroup, { fromS, toS }: Span): WorldIncident {
  const span = { fromH: fromS, toH: toS };
  return what === 'feeder-fault' ? { what, circuit: id, ...span } : { what, zone: id, ...span };
}

/** Evenly over its time, one at least, each on a device that was well so far. */
function deviceFaults(
  { kind, rule: ruleId, perMin, lastS, from = 0, to = 1 }: Extract<ScenarioIncident, { what: 'device-fault' }>,
  { table, devices, durationS, profile }: StagingTerms,
  dice: Dice,
): Found {
  const fault = (DEVICE_FAULTS[kind] ?? []).find((f) => f.rule === ruleId);
  if (fault === undefined) throw new RangeError(`there is no fault ${ruleId} of ${kind}`);
  const rule = ruleOf({ kind }, ruleId, profile);
  // However short the run: a threshold on what was found needs something to be found.
  const [fromS, toS] = [from * durationS, to * durationS];
  const everyS = Math.min(60 / perMin, toS - fromS);
  const times = Array.from({ length: Math.floor((toS - fromS) / everyS) }, (_, n) => fromS + (n + 0.5) * everyS);
  const hit = pickSome(
    devices.filter((i) => table.kind(i) === kind),
    times.length,
    dice,
    `devices of kind ${kind}`,
  );
  const incidents = hit.map((i, n): StagedIncident => {
    const { id, component, lon, lat } = table.view(i);
    const start = times[n] as number;
    return {
      id: `${ruleId}-${id}`,
      what: 'device-fault',
      fromS: start,
      toS: start + lastS,
      devices: [i],
      expected: {
        class: classOf(rule, { component }),
        component,
        lon,
        lat,
        confirmMs: rule.confirm.forS * 1000,
        confirmSamples: rule.confirm.samples,
        members: 1,
      },
      breaks: (fields) => Object.entries(fault.fields).every(([name, value]) => fields[name] === value),
    };
  });
  const world = incidents.map(
    ({ fromS, toS, devices: [device = 0] }): WorldIncident => ({
      what: 'device-fault',
      device,
      fields: fault.fields,
      fromH: fromS,
      toH: toS,
    }),
  );
  return { incidents, world };
}

/** Covers to whose rim the water comes; where many of a basin are flooded, they are told as one, and the first perhaps for itself. */
function floodedShafts(world: World, terms: StagingTerms): StagedIncident[] {
  const { city, table, profile } = terms;
  const { group } = applyLimitsProfile(ALARM_LIMITS, profile);
  const groups = new Map(city.edges.flatMap((e) => e.groups).map((g) => [g.id, g]));
  const basins = Map.groupBy(shaftsOf(world, terms), (s) => table.basin[s.devices[0] as number] as number);
  return [...basins].flatMap(([basin, shafts]) => {
    const [first] = shafts;
    const feeder = groups.get(`basin-${table.basins[basin]?.slice(6)}`);
    if (first?.expected == null || feeder === undefined || shafts.length < 2) return shafts;
    const { component, position } = feeder;
    const together: StagedIncident = {
      ...first,
      id: `flooded-${feeder.id}`,
      fromS: Math.min(...shafts.map((s) => s.fromS)),
      toS: Math.max(...shafts.map((s) => s.toS)),
      devices: shafts.flatMap((s) => s.devices),
      expected: {
        ...first.expected,
        class: { flag: 1, code: component.slice(6, 10), fault: GROUP_ALARMS.drainage_basin.fault },
        component,
        lon: position?.lon ?? 0,
        lat: position?.lat ?? 0,
        members: group.members,
        windowMs: group.windowS * 1000,
      },
      optional: shafts.length <= group.members,
    };
    return [together, ...shafts.map((s) => ({ ...s, optional: true }))];
  });
}

function shaftsOf(world: World, { scenario, table, devices, durationS, profile }: StagingTerms): StagedIncident[] {
  const rule = ruleOf({ kind: 'manhole_cover' }, 'water-at-rim', profile);
  const { hours } = scenario.world;
  const looks = Array.from({ length: RIM_LOOKS + 1 }, (_, n) => n / RIM_LOOKS);
  const breaks = (fields: Readonly<Fields>) => (fields.water_level_m as number) < AT_RIM_M;
  return devices
    .filter((i) => table.kind(i) === 'manhole_cover')
    .flatMap((i): StagedIncident[] => {
      const wet = looks.filter((share) => breaks(world.sample(i, share * hours)));
      const [first, last] = [wet[0], wet.at(-1)];
      if (first === undefined || last === undefined) return [];
      const { id, component, lon, lat } = table.view(i);
      const expected = {
        class: classOf(rule, { component }),
        component,
        lon,
        lat,
        confirmMs: rule.confirm.forS * 1000,
        confirmSamples: rule.confirm.samples,
        members: 1,
      };
      const step = 1 / RIM_LOOKS;
      return [
        {
          id: `flooded-${id}`,
          what: 'flooded-shaft',
          fromS: Math.max(0, first - step) * durationS,
          toS: Math.min(1, last + step) * durationS,
          devices: [i],
          expected,
          breaks,
        },
      ];
    });
}

function pickSome<T>(items: readonly T[], count: number, dice: Dice, what: string): T[] {
  if (items.length < count) throw new RangeError(`${count} ${what} are wanted, there are ${items.length}`);
  const left = [...items];
  return Array.from({ length: count }, () => left.splice(dice.whole(0, left.length - 1), 1)[0] as T);
}
