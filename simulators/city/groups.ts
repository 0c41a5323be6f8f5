import type { SiteDevice, SiteGroup } from '#grid/mod.ts';
import type { Registrar } from './registrar.ts';

const LAMPS_PER_CIRCUIT = 20;
/** A feeder cabinet is a transformer box, a pressure zone is entered through a valve chamber with a water cover, a basin ends in a storm drain. */
const FEEDERS: Readonly<Record<SiteGroup['kind'], { class: string; member: 'circuit' | 'pressureZone' | 'drainageBasin' }>> = {
  circuit: { class: '0134', member: 'circuit' },
  pressure_zone: { class: '0101', member: 'pressureZone' },
  drainage_basin: { class: '0103', member: 'drainageBasin' },
};

export interface GroupedCommunity {
  /** Six digits, street first. */
  community: string;
  /** In the order in which they stand along the roads. */
  devices: SiteDevice[];
}

/**
 * What fails together: lamps on a circuit of their community, covers over its drains, hydrants in the pressure zone of their street. Writes the
 * membership into the devices. A group lies on one edge, which tells its members' alarms as one.
 */
export function groupDevices(edgeId: string, communities: readonly GroupedCommunity[], registrar: Registrar): SiteGroup[] {
  const edge = edgeId.replace(/^edge-/, '');
  const groups: SiteGroup[] = [];
  const add = (id: string, kind: SiteGroup['kind'], members: readonly SiteDevice[]) => {
    const [first] = members;
    if (first === undefined) return;
    const { lon, lat } = first;
    const { code } = registrar.register(FEEDERS[kind].class, first);
    groups.push({ id, kind, component: code, position: { lon, lat } });
    for (const member of members) member[FEEDERS[kind].member] = id;
  };
  for (const { community, devices } of communities) {
    const lamps = devices.filter((d) => d.kind === 'streetlight');
    const circuits = Math.max(1, Math.round(lamps.length / LAMPS_PER_CIRCUIT));
    for (let c = 0; c < circuits; c++)
      add(
        `circuit-${community}-${c + 1}`,
        'circuit',
        lamps.slice((c * lamps.length) / circuits, ((c + 1) * lamps.length) / circuits),
      );
    add(
      `basin-${community}`,
      'drainage_basin',
      devices.filter((d) => d.kind === 'manhole_cover'),
    );
  }
  const streets = Map.groupBy(communities, (c) => c.community.slice(0, 3));
  for (const [street, inStreet] of streets)
    add(
      `zone-${street}-${edge}`,
      'pressure_zone',
      inStreet.flatMap((c) => c.devices.filter((d) => d.kind === 'fire_hydrant')),
    );
  return groups;
}
