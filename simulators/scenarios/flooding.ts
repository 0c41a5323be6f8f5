import { ALARM_LIMITS, applyLimitsProfile, GROUP_ALARMS } from '#grid/mod.ts';
import { ruleOf } from '../city/mod.ts';
import type { Fields } from '../devices/mod.ts';
import type { World } from '../world/mod.ts';
import { expectedOf } from './expected.ts';
import type { StagedIncident, StagingTerms } from './staged.ts';

const AT_RIM_M = 0.2;
/** Looks at the shafts during the run: a level changes over many minutes of the world. */
const RIM_LOOKS = 60;

/** Covers to whose rim the water comes; where many of a basin are flooded, they are told as one, and the first perhaps for itself. */
export function floodedShafts(world: World, terms: StagingTerms): StagedIncident[] {
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
      const view = table.view(i);
      const step = 1 / RIM_LOOKS;
      return [
        {
          id: `flooded-${view.id}`,
          what: 'flooded-shaft',
          fromS: Math.max(0, first - step) * durationS,
          toS: Math.min(1, last + step) * durationS,
          devices: [i],
          expected: expectedOf(rule, view),
          breaks,
        },
      ];
    });
}
