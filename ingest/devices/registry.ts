import { createCellIndex, type GroupKind, NEAR_CELL_M, type Position, type Site, type SiteCell } from '#grid/mod.ts';

export interface RegisteredDevice {
  id: string;
  kind: string;
  edge: string;
  component: string;
  lon: number;
  lat: number;
  cell: string | null;
  /** Circuit, pressure zone and basin of its site. */
  groups: readonly string[];
}

/** Devices that fail together, as the site describes them. */
export interface RegisteredGroup {
  id: string;
  kind: GroupKind;
  edge: string;
  /** In order of id. */
  devices: readonly string[];
}

export interface RegisteredCamera {
  id: string;
  edge: string;
  component: string | null;
  lon: number;
  lat: number;
  cell: string | null;
  simulated: boolean;
  zones: number;
  /** As its site says it. */
  firmware: string | null;
}

export interface RegisteredEdge {
  id: string;
  cells: readonly SiteCell[];
  devices: number;
  cameras: number;
}

/** What the centre knows of its sites without asking anybody: from the edges' site descriptions, without their secrets. */
export interface Registry {
  readonly edges: ReadonlyMap<string, RegisteredEdge>;
  /** In order of id. */
  readonly devices: ReadonlyMap<string, RegisteredDevice>;
  readonly cameras: ReadonlyMap<string, RegisteredCamera>;
  readonly groups: ReadonlyMap<string, RegisteredGroup>;
  /** Each unit grid once, with the edges that are in charge of it. */
  readonly cells: ReadonlyMap<string, { cell: SiteCell; edges: readonly string[] }>;
  /** The unit grid of a position that a person points at; null outside of all. */
  cellNear(position: Position): string | null;
}

export function createRegistry(edges: readonly { id: string; site: Site | null }[]): Registry {
  const cells = new Map<string, { cell: SiteCell; edges: string[] }>();
  const devices: RegisteredDevice[] = [];
  const cameras: RegisteredCamera[] = [];
  const groups: RegisteredGroup[] = [];
  for (const { id: edge, site } of edges) {
    if (site === null) continue;
    const { cellNear } = createCellIndex(site.cells);
    const cellOf = (p: Position) => cellNear(p, NEAR_CELL_M);
    for (const cell of site.cells) {
      const known = cells.get(cell.code);
      if (known) known.edges.push(edge);
      else cells.set(cell.code, { cell, edges: [edge] });
    }
    for (const { id, kind, component, lon, lat, circuit, pressureZone, drainageBasin } of site.devices) {
      const own = [circuit, pressureZone, drainageBasin].filter((group) => group !== undefined);
      devices.push({ id, kind, edge, component, lon, lat, cell: cellOf({ lon, lat }), groups: own });
    }
    for (const { id, kind } of site.groups ?? []) {
      const members = devices.filter((d) => d.edge === edge && d.groups.includes(id)).map((d) => d.id);
      groups.push({ id, kind, edge, devices: members.sort() });
    }
    for (const { id, component = null, lon, lat, simulated, zones, firmware = null } of site.cameras)
      cameras.push({ id, edge, component, lon, lat, cell: cellOf({ lon, lat }), simulated, zones: zones.length, firmware });
  }
  const all = createCellIndex([...cells.values()].map((c) => c.cell));
  return {
    edges: new Map(edges.map(({ id, site }) => [id, toEdge(id, site)])),
    devices: byId(devices),
    cameras: byId(cameras),
    groups: byId(groups),
    cells,
    cellNear: (position) => all.cellNear(position, NEAR_CELL_M),
  };
}

function toEdge(id: string, site: Site | null): RegisteredEdge {
  return { id, cells: site?.cells ?? [], devices: site?.devices.length ?? 0, cameras: site?.cameras.length ?? 0 };
}

/** Ids are ASCII: comparing code units is what both stores do with them too. */
function byId<T extends { id: string }>(things: readonly T[]): ReadonlyMap<string, T> {
  return new Map([...things].sort((a, b) => (a.id < b.id ? -1 : 1)).map((thing) => [thing.id, thing]));
}
