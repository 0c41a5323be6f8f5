import type { Case } from '#grid/mod.ts';
import type { PlayedCity } from '../city/mod.ts';
import { DeviceTable } from '../world/mod.ts';
import type { LoadOptions } from './options.ts';

/** Cameras as components: what befalls them themselves. */
const CAMERA_CLASS = '0136';

/** What of a city one generator plays: whole edges with their devices; one of all generators has the cameras. */
export class Scope {
  readonly city: PlayedCity;
  readonly table: DeviceTable;
  /** Numbers of its devices, neighbours far apart in time: a community does not report in one breath. */
  readonly devices: readonly number[];
  /** Those of all generators of the run together. */
  readonly everyone: readonly number[];
  /** Edges by number. */
  readonly edges: ReadonlyMap<number, string>;
  /** Edges whose cameras it plays: their addresses are on one port, so one process plays all of them. */
  readonly cameraEdges: ReadonlySet<string>;

  /** Throws RangeError where nothing is left to play, or an edge is named that the city does not have. */
  constructor({ target, part, edges }: Pick<LoadOptions, 'target' | 'part' | 'edges'>) {
    this.city = target.city;
    this.table = new DeviceTable(this.city);
    const { table } = this;
    const unknown = edges?.filter((id) => !table.edges.includes(id)) ?? [];
    if (unknown.length > 0) throw new RangeError(`the city has no edge ${unknown.join(', ')}`);
    const wanted = (id: string) => edges === undefined || edges.includes(id);
    const isPlayed = table.edges.map(wanted);
    const isMine = (e: number) => e % part.of === part.number - 1;
    const all = Array.from({ length: table.count }, (_, i) => i).filter((i) => isPlayed[table.edge[i] as number]);
    this.everyone = spread(all);
    this.devices = part.of === 1 ? this.everyone : spread(all.filter((i) => isMine(table.edge[i] as number)));
    if (this.devices.length === 0) throw new RangeError('this part of the city has no devices');
    const numbers = new Set(this.devices.map((i) => table.edge[i] as number));
    this.edges = new Map([...numbers].map((n) => [n, table.edges[n] ?? '']));
    this.cameraEdges = new Set(part.number === 1 ? table.edges.filter(wanted) : []);
  }

  /** Whether a case is of what it plays: in the cells of its devices, or, of cameras that it plays, in those of these. */
  judges(playsCameras: boolean): (found: Case) => boolean {
    const own = new Set(this.edges.values());
    const cellsOf = (edges: ReadonlySet<string>) =>
      new Set(this.city.edges.flatMap((e) => (edges.has(e.id) ? e.cells.map((c) => c.code) : [])));
    const cells = cellsOf(own);
    const watched = playsCameras ? cellsOf(this.cameraEdges) : new Set<string>();
    const ofCamera = ({ source, class: { code } }: Case) => source === 'camera' || code === CAMERA_CLASS;
    return (found) => (ofCamera(found) ? watched : cells).has(found.place.cell);
  }
}

/** Every so-many-th, around and around: by the golden section. */
function spread(devices: number[]): number[] {
  const n = devices.length;
  let stride = Math.max(1, Math.floor(n * 0.618));
  const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));
  while (gcd(stride, n) !== 1) stride++;
  return devices.map((_, k) => devices[(k * stride) % n] as number);
}
