import { divisionFault } from '#grid/mod.ts';
import { diceOf } from '../cameras/street/mod.ts';
import { type PlacedCamera, placeCameras } from './cameras.ts';
import { type Block, type CityLayout, layCells } from './cells.ts';
import { cityFrame } from './frame.ts';
import { groupDevices } from './groups.ts';
import { demoLayout, districtLayout } from './layout.ts';
import { Registrar } from './registrar.ts';
import { idDigits, placeSensors, type Share, shareSensors } from './sensors.ts';
import type { City, CityEdge, Community } from './types.ts';

export interface CityOptions {
  /** Every number follows from it. */
  seed: number;
  edges: number;
  cells: number;
  sensors: number;
  /** At most one a cell. */
  cameras: number;
  /** South-west corner, WGS-84. */
  originLon?: number | undefined;
  originLat?: number | undefined;
  /** County-level division, six digits. */
  division?: string | undefined;
}
export type DemoCityOptions = Pick<CityOptions, 'seed'> & Partial<CityOptions>;

/** The city's rows are turned by up to so much from west-east: nothing may rest on streets that follow a parallel. */
const TURN_DEG_MAX = 12;

/** The small city: two rows of unit grids, a community for each edge, no circuits and zones. Pure. Throws RangeError as `buildCity`. */
export function buildDemoCity({ edges = 2, cells = 12, sensors = 60, cameras = 4, ...rest }: DemoCityOptions): City {
  const options = { edges, cells, sensors, cameras, ...rest };
  return buildCity(options, { layout: demoLayout(options), grouped: false });
}

/** A district of streets and communities, with lamp circuits and pressure zones; an edge has whole communities. Pure. Throws RangeError as `buildCity`. */
export function buildDistrict(options: CityOptions): City {
  return buildCity(options, { layout: districtLayout(options), grouped: true });
}

interface Shape {
  layout: CityLayout;
  /** Lamps on circuits, hydrants in pressure zones, shafts in basins; and cameras that share views. */
  grouped: boolean;
}

/**
 * Unit grids that tile, roads through them, sensors and cameras along the roads with registered covers in view, everything
 * in the charge of an edge. Throws RangeError on options that do not fit together.
 */
function buildCity(options: CityOptions, { layout, grouped }: Shape): City {
  const { seed, edges, sensors, cameras, originLon = 116.42, originLat = 39.92, division = '110101' } = options;
  const fault = divisionFault(division);
  if (fault !== null) throw new RangeError(`division ${division}: ${fault}`);
  const dice = diceOf(seed, 71);
  const turnDeg = dice.between(-TURN_DEG_MAX, TURN_DEG_MAX);
  const frame = cityFrame({ lon: originLon, lat: originLat }, turnDeg);
  const registrar = new Registrar(division);
  const blocks = layCells(frame, dice, division, layout);
  const shares = shareSensors(
    sensors,
    blocks.map((b) => b.cells.length),
  );
  const numbered = new Map(blocks.map((block, i): [Block, Share[]] => [block, shares[i] ?? []]));
  const digits = idDigits(sensors);
  const list = shareBlocks(blocks, edges).map((own, e): CityEdge => {
    const id = `edge-${String(e + 1).padStart(2, '0')}`;
    const ids = cameraIds(cameras, edges, e);
    const placed: PlacedCamera[] = [];
    const communities = own.map((block, b) => {
      // Cameras go to the communities in turn.
      const inBlock = ids.filter((_, n) => n % own.length === b);
      const viewSeed = grouped ? seed : undefined;
      const seen = placeCameras({ frame, layout, dice, registrar, edgeId: id, viewSeed }, block, inBlock);
      placed.push(...seen);
      const watched = seen.map((p) => p.sees);
      const common = { frame, layout, dice, registrar, block, idDigits: digits };
      const devices = placeSensors({ ...common, shares: numbered.get(block) ?? [], watched });
      return { community: block.community, devices };
    });
    const devices = communities.flatMap((c) => c.devices);
    const groups = grouped ? groupDevices(id, communities, registrar) : [];
    const components = [
      ...devices.map(({ component, lon, lat }) => ({ code: component, lon, lat })),
      ...placed.flatMap(({ camera }) => [
        { code: camera.component, lon: camera.pose.lon, lat: camera.pose.lat },
        ...camera.covers.map(({ code, lon, lat }) => ({ code, lon, lat })),
      ]),
      ...groups.map(({ component, position }) => ({ code: component, lon: position?.lon ?? 0, lat: position?.lat ?? 0 })),
    ];
    const cells = own.flatMap((b) => b.cells);
    return {
      id,
      communities: own.map((b): Community => ({ code: division + b.community, cells: b.cells.map((c) => c.code) })),
      cells,
      components,
      devices,
      cameras: placed.map((p) => p.camera),
      groups,
    };
  });
  return {
    seed,
    division,
    ground: { originLon, originLat, turnDeg, layout },
    cells: list.flatMap((e) => e.cells),
    components: list.flatMap((e) => e.components),
    edges: list,
  };
}

/** Communities in a row, so that each edge has about as many cells as the others, and none is without. */
function shareBlocks(blocks: readonly Block[], edges: number): Block[][] {
  if (!Number.isInteger(edges) || edges < 1 || edges > blocks.length)
    throw new RangeError(`${edges} edges for ${blocks.length} communities: each wants one or more`);
  const total = blocks.reduce((sum, b) => sum + b.cells.length, 0);
  const parts: Block[][] = Array.from({ length: edges }, () => []);
  let before = 0;
  for (const [i, block] of blocks.entries()) {
    const wanted = Math.floor(((before + block.cells.length / 2) * edges) / total);
    // What comes later must leave one for each edge that has none yet, and no edge is skipped.
    const reached = parts.findLastIndex((p) => p.length > 0);
    const least = Math.max(reached, edges - (blocks.length - i));
    parts[Math.max(least, Math.min(wanted, reached + 1, edges - 1))]?.push(block);
    before += block.cells.length;
  }
  return parts;
}

/** Camera n belongs to edge n modulo edges; numbers run through the city. */
function cameraIds(cameras: number, edges: number, edge: number): string[] {
  const numbers = Array.from({ length: cameras }, (_, n) => n).filter((n) => n % edges === edge);
  return numbers.map((n) => `cam-${String(n + 1).padStart(2, '0')}`);
}
