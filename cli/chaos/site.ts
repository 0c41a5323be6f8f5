import { localPlane, type Site, type SiteDevice } from '#grid/mod.ts';

/** Times that a device gives its samples. Their numbers tell them apart for us; for the edge their times do. */
export const STAMPS = [
  /** 10 ms apart. */
  'spaced',
  /** Consecutive ms, in bursts. */
  'dense',
  /** Whole seconds: a hundred samples of one time. */
  'coarse',
] as const;
export type Stamp = (typeof STAMPS)[number];

/** A device that sends many samples and no alarm. */
export interface LoadDevice {
  id: string;
  stamp: Stamp;
  /** Makes the content of its samples its own. */
  salt: number;
}

/** A device that says `opened` once, and so must become one event and one case. */
export interface AlarmDevice {
  id: string;
  component: string;
  salt: number;
}

/** Speaks for its devices over one connection. */
export interface Gateway {
  id: string;
  secret: string;
  load: LoadDevice[];
  alarms: AlarmDevice[];
}

/** One edge's part of the small city. */
export interface EdgeSite {
  edge: string;
  site: Site;
  gateways: Gateway[];
}

export interface SitePlan {
  edges: number;
  /** Of each edge. */
  gateways: number;
  devicesPerGateway: number;
  /** Of all edges together. */
  alarms: number;
  /** How devices keep time: of each gateway the last ones, one each; all others are spaced. */
  stamps: readonly Stamp[];
}

const SECRET = 'secret-of-the-gateway';
/** Of each edge: more than one unit grid, so that alarms do not look like one storm. */
const CELLS = 8;
const SIDE_M = 100;
const EDGE_DISTANCE_M = 2_000;
const plane = localPlane({ lon: 116.42, lat: 39.92 });

/** Manhole covers behind gateways, each on a component of its own. */
export function planSite({ edges, gateways, devicesPerGateway, alarms, stamps }: SitePlan): EdgeSite[] {
  let serial = 0;
  return Array.from({ length: edges }, (_, e) => {
    const edge = edgeName(e);
    const yM = e * EDGE_DISTANCE_M;
    const devices: SiteDevice[] = [];
    const add = (id: string): AlarmDevice => {
      const n = ++serial;
      const component = `1101010102${String(n).padStart(6, '0')}`;
      const position = plane.toPosition({ xM: (n % CELLS) * SIDE_M + 50, yM: yM + 10 + ((n * 7) % 80) });
      devices.push({ id, kind: 'manhole_cover', secret: `secret-of-${id}`, component, ...position });
      return { id, component, salt: n };
    };
    const list = Array.from({ length: gateways }, (_, g): Gateway => {
      const load = Array.from({ length: devicesPerGateway }, (_, d): LoadDevice => {
        const { id, salt } = add(`load-${e + 1}-${g + 1}-${d + 1}`);
        return { id, salt, stamp: stamps[devicesPerGateway - 1 - d] ?? 'spaced' };
      });
      return { id: `gateway-${e + 1}-${g + 1}`, secret: SECRET, load, alarms: [] };
    });
    for (let a = e; a < alarms; a += edges) {
      const gateway = list[Math.floor(a / edges) % list.length] as Gateway;
      gateway.alarms.push(add(`alarm-${a + 1}`));
    }
    const known = list.map((g) => ({ id: g.id, secret: g.secret, devices: [...g.load, ...g.alarms].map((d) => d.id) }));
    const cells = Array.from({ length: CELLS }, (_, i) => ({ code: cellCode(e, i), polygon: square(i * SIDE_M, yM) }));
    const site: Site = { timeZone: 'Asia/Shanghai', cells, components: [], devices, gateways: known, cameras: [] };
    return { edge, site, gateways: list };
  });
}

export const edgeName = (index: number) => `edge-${String(index + 1).padStart(2, '0')}`;

const cellCode = (edge: number, cell: number) => `110101001001${String(edge * CELLS + cell + 1).padStart(3, '0')}`;

function square(xM: number, yM: number): [number, number][] {
  const corner = (x: number, y: number): [number, number] => {
    const { lon, lat } = plane.toPosition({ xM: x, yM: y });
    return [lon, lat];
  };
  return [corner(xM, yM), corner(xM + SIDE_M, yM), corner(xM + SIDE_M, yM + SIDE_M), corner(xM, yM + SIDE_M)];
}

/** What a sample with this number says: far from every threshold, never the same twice in a row, and known without keeping it. */
export function tiltOf(salt: number, seq: number): number {
  return ((seq * 7919 + salt * 104_729) % 3000) / 1000;
}
