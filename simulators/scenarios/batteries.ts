import { deviceKind } from '#grid/mod.ts';
import { ruleOf } from '../city/mod.ts';
import type { Fields } from '../devices/mod.ts';
import type { World } from '../world/mod.ts';
import { expectedOf } from './expected.ts';
import type { StagedIncident, StagingTerms } from './staged.ts';

const RULE = 'battery-low';
/** Looks at the batteries during the run: they change with the day only. */
const LOOKS = 12;

/** Devices whose batteries are so old that they are nearly empty in the frost of a scenario. One that is on the brink may be told of. */
export function lowBatteries(world: World, { scenario, table, devices, durationS, profile }: StagingTerms): StagedIncident[] {
  const looks = Array.from({ length: LOOKS + 1 }, (_, n) => (n / LOOKS) * scenario.world.hours);
  return devices.flatMap((i): StagedIncident[] => {
    const kind = table.kind(i);
    const limit = deviceKind(kind)?.rules.find(({ id }) => id === RULE)?.when[0]?.value;
    if (typeof limit !== 'number') return [];
    const breaks = (fields: Readonly<Fields>) => (fields.battery_v as number) <= limit;
    const low = looks.filter((hour) => breaks(world.sample(i, hour)));
    if (low.length === 0) return [];
    const view = table.view(i);
    return [
      {
        id: `${RULE}-${view.id}`,
        what: RULE,
        fromS: 0,
        toS: durationS,
        devices: [i],
        expected: expectedOf(ruleOf({ kind }, RULE, profile), view),
        optional: low.length < looks.length,
        breaks,
      },
    ];
  });
}
