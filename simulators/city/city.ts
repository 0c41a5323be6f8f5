import { divisionFault } from '#grid/mod.ts';
import { diceOf } from '../cameras/street/mod.ts';
import { placeCameras } from './cameras.ts';
import { layCells } from './cells.ts';
import { cityFrame } from './frame.ts';
import { Registrar } from './registrar.ts';
import { placeSensors, shareSensors } from './sensors.ts';
import type { DemoCity, DemoEdge } from './types.ts';

export interface DemoCityOptions {
  /** Every number follows from it. */
  seed: number;
  /** Edge nodes, each with a community of its own. */
  edges?: number;
  /** Unit grids: an even number, two or more an edge. */
  cells?: number;
  sensors?: number;
  /** At most one a cell. */
  cameras?: number;
  /** South-west corner, WGS-84. */
  originLon?: number;
  originLat?: number;
  /** County-level division, six digits. */
  division?: string;
}

/** The city's rows are turned by up to so much from west-east: nothing may rest on streets that follow a parallel. */
const TURN_DEG_MAX = 12;

/**
 * A small city: two rows of unit grids that tile, a road along each row, one community and edge node per block of columns,
 * sensors along the roads, cameras at the kerb with registered covers in view.
 *
 *   +-----+-----+-----+-----+-----+-----+
 *   |=====|==C==|=====|=====|=====|==C==|   north road
 *   +-----+-----+-----+-----+-----+-----+
 *   |==C==|=====|=====|=====|==C==|=====|   south road
 *   +-----+-----+-----+-----+-----+-----+
 *        edge-01            edge-02
 *
 * Pure. Throws RangeError on options that do not fit together.
 */
export function buildDemoCity(options: DemoCityOptions): DemoCity {
  const { seed, edges = 2, cells = 12, sensors = 60, cameras = 4 } = options;
  const { originLon = 116.42, originLat = 39.92, division = '110101' } = options;
  const fault = divisionFault(division);
  if (fault !== null) throw new RangeError(`division ${division}: ${fault}`);
  const dice = diceOf(seed, 71);
  const frame = cityFrame({ lon: originLon, lat: originLat }, dice.between(-TURN_DEG_MAX, TURN_DEG_MAX));
  const registrar = new Registrar(division);
  const blocks = layCells(frame, dice, division, cells, edges);
  const shares = shareSensors(sensors, edges);
  const list = blocks.map((block, e): DemoEdge => {
    const edgeId = `edge-${String(e + 1).padStart(2, '0')}`;
    const ids = cameraIds(cameras, edges, e);
    const placed = placeCameras({ frame, dice, registrar, edgeId }, block, ids);
    const watched = placed.map((p) => p.sees);
    const devices = placeSensors({ frame, dice, registrar, block, counts: shares[e] ?? [], watched });
    const components = [
      ...devices.map(({ component, lon, lat }) => ({ code: component, lon, lat })),
      ...placed.flatMap(({ camera }) => [
        { code: camera.component, lon: camera.pose.lon, lat: camera.pose.lat },
        ...camera.covers.map(({ code, lon, lat }) => ({ code, lon, lat })),
      ]),
    ];
    const { community, cells } = block;
    return { id: edgeId, community, cells, components, devices, cameras: placed.map((p) => p.camera) };
  });
  return { seed, division, cells: list.flatMap((e) => e.cells), components: list.flatMap((e) => e.components), edges: list };
}

/** Camera n belongs to edge n modulo edges; numbers run through the city. */
function cameraIds(cameras: number, edges: number, edge: number): string[] {
  const numbers = Array.from({ length: cameras }, (_, n) => n).filter((n) => n % edges === edge);
  return numbers.map((n) => `cam-${String(n + 1).padStart(2, '0')}`);
}
