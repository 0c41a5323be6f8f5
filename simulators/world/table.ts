import { createCellIndex, NEAR_CELL_M, type SiteDevice } from '#grid/mod.ts';
import { hash } from '../cameras/street/mod.ts';
import type { PlayedCity } from '../city/mod.ts';

const KINDS = ['manhole_cover', 'streetlight', 'fire_hydrant'] as const;
const SECRET_BYTES = 16;
const NONE = 0xffff_ffff;

/** One device of the table, made when it is asked for. */
export interface DeviceView {
  id: string;
  kind: (typeof KINDS)[number];
  secret: string;
  lon: number;
  lat: number;
  cell: string;
  component: string;
  /** Number of its edge in the city. */
  edge: number;
}

/**
 * All devices of a city in columns, some 90 bytes each, so that a hundred thousand are nine megabytes. What they belong to is
 * a number, or `none`.
 */
export class DeviceTable {
  static readonly none = NONE;
  readonly count: number;
  /** Sorted names of each column's numbers. */
  readonly edges: readonly string[];
  readonly circuits: readonly string[];
  readonly zones: readonly string[];
  /** Communities: each is one drainage basin, and one cell of the radio network. */
  readonly basins: readonly string[];
  readonly seed: Uint32Array;
  readonly edge: Uint16Array;
  readonly circuit: Uint32Array;
  readonly zone: Uint32Array;
  readonly basin: Uint32Array;
  readonly #kind: Uint8Array;
  readonly #number: Uint32Array;
  readonly #digits: number;
  readonly #prefixes: readonly string[];
  readonly #position: Float64Array;
  readonly #secret: Uint8Array;
  readonly #cell: Uint32Array;
  readonly #cells: readonly string[];
  /** Class and serial; the division is the city's. */
  readonly #component: Float64Array;
  readonly #division: string;
  /** Of a city that was not made from a seed, whose names follow no pattern. */
  readonly #named: readonly SiteDevice[] | null;

  constructor(city: PlayedCity) {
    const devices = city.edges.flatMap((e) => e.devices);
    const count = devices.length;
    const index = createCellIndex(city.cells);
    this.count = count;
    this.edges = city.edges.map((e) => e.id);
    this.#cells = city.cells.map((c) => c.code);
    this.#division = city.division;
    const groups = (kind: string) => city.edges.flatMap((e) => e.groups.filter((g) => g.kind === kind).map((g) => g.id));
    this.circuits = groups('circuit');
    this.zones = groups('pressure_zone');
    this.basins = city.edges.flatMap((e) => e.communities.map((c) => c.code));
    this.seed = new Uint32Array(count);
    this.edge = new Uint16Array(count);
    this.circuit = new Uint32Array(count);
    this.zone = new Uint32Array(count);
    this.basin = new Uint32Array(count);
    this.#kind = new Uint8Array(count);
    this.#number = new Uint32Array(count);
    this.#position = new Float64Array(2 * count);
    this.#secret = new Uint8Array(SECRET_BYTES * count);
    this.#cell = new Uint32Array(count);
    this.#component = new Float64Array(count);
    const numbers = (names: readonly string[]) => new Map(names.map((name, i) => [name, i]));
    const [circuits, zones, basins, cells] = [this.circuits, this.zones, this.basins, this.#cells].map(numbers) as [
      Map<string, number>,
      Map<string, number>,
      Map<string, number>,
      Map<string, number>,
    ];
    const ends = city.edges.map((e) => e.devices.length);
    const prefixes: string[] = [];
    let edge = 0;
    let left = ends[0] ?? 0;
    for (const [i, d] of devices.entries()) {
      while (left === 0) left = ends[++edge] ?? 0;
      left--;
      const kind = (KINDS as readonly string[]).indexOf(d.kind);
      const cell = index.cellAt(d) ?? index.cellNear(d, NEAR_CELL_M) ?? '';
      this.seed[i] = hash(city.seed, ...Buffer.from(d.id));
      this.edge[i] = edge;
      this.circuit[i] = circuits.get(d.circuit ?? '') ?? NONE;
      this.zone[i] = zones.get(d.pressureZone ?? '') ?? NONE;
      this.basin[i] = basins.get(cell.slice(0, 12)) ?? NONE;
      this.#kind[i] = kind;
      this.#number[i] = Number(d.id.slice(3));
      prefixes[kind] = d.id.slice(0, 3);
      this.#position.set([d.lon, d.lat], 2 * i);
      this.#secret.set(Buffer.from(d.secret, 'hex').subarray(0, SECRET_BYTES), SECRET_BYTES * i);
      this.#cell[i] = cells.get(cell) ?? 0;
      this.#component[i] = Number(d.component.slice(6));
    }
    this.#digits = (devices[0]?.id.length ?? 4) - 3;
    this.#prefixes = prefixes;
    this.#named = null;
    if (devices.some((d, i) => !isSame(d, this.view(i)))) this.#named = devices;
  }

  id(i: number): string {
    const named = this.#named?.[i];
    if (named !== undefined) return named.id;
    return (this.#prefixes[this.#kind[i] as number] ?? '') + String(this.#number[i]).padStart(this.#digits, '0');
  }

  kind(i: number): (typeof KINDS)[number] {
    return KINDS[this.#kind[i] as number] as (typeof KINDS)[number];
  }

  cell(i: number): string {
    return this.#cells[this.#cell[i] as number] ?? '';
  }

  view(i: number): DeviceView {
    const named = this.#named?.[i];
    return {
      id: this.id(i),
      kind: this.kind(i),
      secret: named?.secret ?? Buffer.from(this.#secret.subarray(SECRET_BYTES * i, SECRET_BYTES * (i + 1))).toString('hex'),
      lon: this.#position[2 * i] as number,
      lat: this.#position[2 * i + 1] as number,
      cell: this.cell(i),
      component: named?.component ?? this.#division + String(this.#component[i]).padStart(10, '0'),
      edge: this.edge[i] as number,
    };
  }

  /** Bytes of all columns. */
  get bytes(): number {
    const columns = [this.seed, this.edge, this.circuit, this.zone, this.basin, this.#kind, this.#number];
    const more = [this.#position, this.#secret, this.#cell, this.#component];
    return [...columns, ...more].reduce((sum, c) => sum + c.byteLength, 0);
  }
}

function isSame({ id, secret, component }: SiteDevice, view: DeviceView): boolean {
  return id === view.id && secret === view.secret && component === view.component;
}
