import { ALARM_LIMITS, applyLimitsProfile, GROUP_ALARMS, type SiteGroup } from '#grid/mod.ts';
import { type Dice, diceOf } from '../cameras/street/mod.ts';
import { DEVICE_FAULTS, ruleOf } from '../city/mod.ts';
import { World, type WorldIncident } from '../world/mod.ts';
import { lowBatteries } from './batteries.ts';
import { stageCameras } from './cameras.ts';
import { expectedOf } from './expected.ts';
import { floodedShafts } from './flooding.ts';
import type { ScenarioFault, ScenarioIncident } from './schema.ts';
import type { Span, Staged, StagedFault, StagedIncident, StagingTerms } from './staged.ts';

/** Above it no battery gives out. */
const FROST_C = 0;

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
  const faults = scenario.faults.flatMap((fault) => {
    const { what } = fault;
    const spans = spansOf(fault, durationS, dice);
    const well = terms.devices.filter((i) => !taken.has(i));
    const hit = pickSome(well, spans.length, dice, `devices for the fault ${what}`);
    for (const i of hit) taken.add(i);
    return hit.map((device, n): StagedFault => ({ what, device, ...(spans[n] as Span) }));
  });
  // What a faulty device says of the weather is nobody's truth.
  const sound = { ...terms, devices: terms.devices.filter((i) => !faults.some((f) => f.device === i)) };
  const shafts = rain.length > 0 ? floodedShafts(world, sound) : [];
  const untouched = { ...sound, devices: sound.devices.filter((i) => !taken.has(i)) };
  const batteries = temperatureC < FROST_C ? lowBatteries(world, untouched) : [];
  return {
    cameras: stageCameras({ ...terms, world, edges: terms.cameraEdges }),
    world,
    incidents: [...incidents, ...shafts, ...batteries],
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

/** When devices have a fault: as many as are counted all the time, or one after the other, each at a moment of its own; one at least. */
function spansOf(fault: ScenarioFault, durationS: number, dice: Dice): Span[] {
  const { count = 0, perMin, lastS, from = 0, to = 1 } = fault;
  const [fromS, toS] = [from * durationS, to * durationS];
  if (perMin === undefined || lastS === undefined) return Array.from({ length: count }, () => ({ fromS, toS }));
  return Array.from({ length: Math.max(1, Math.round((perMin * (toS - fromS)) / 60)) }, () => {
    const beginS = dice.between(fromS, Math.max(fromS, toS - lastS));
    return { fromS: beginS, toS: Math.min(toS, beginS + lastS) };
  });
}

/** Without a count everywhere, otherwise in so many communities. */
function outages(count: number | undefined, { fromS, toS }: Span, { table, devices }: StagingTerms, dice: Dice): Found {
  const span = { fromH: fromS, toH: toS };
  if (count === undefined) return { incidents: [], world: [{ what: 'network-outage', ...span }] };
  const basins = [...new Set(devices.map((i) => table.basins[table.basin[i] as number] ?? ''))];
  const hit = pickSome(basins, count, dice, 'communities');
  return { incidents: [], world: hit.map((basin) => ({ what: 'network-outage', basin, ...span })) };
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
    const view = table.view(i);
    const start = times[n] as number;
    return {
      id: `${ruleId}-${view.id}`,
      what: 'device-fault',
      fromS: start,
      toS: start + lastS,
      devices: [i],
      expected: expectedOf(rule, view),
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

function pickSome<T>(items: readonly T[], count: number, dice: Dice, what: string): T[] {
  if (items.length < count) throw new RangeError(`${count} ${what} are wanted, there are ${items.length}`);
  const left = [...items];
  return Array.from({ length: count }, () => left.splice(dice.whole(0, left.length - 1), 1)[0] as T);
}
