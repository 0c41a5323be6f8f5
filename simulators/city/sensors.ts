import type { SiteDevice } from '#grid/mod.ts';
import type { Dice } from '../cameras/street/mod.ts';
import type { Stretch } from './cameras.ts';
import { type Block, CELL_M, ROWS, roadM } from './cells.ts';
import type { CityFrame } from './frame.ts';
import type { Registrar } from './registrar.ts';

interface Trade {
  kind: string;
  /** Of the devices' ids. */
  prefix: string;
  componentClass: string;
  /** Metres from the road's centre line, on either side. */
  acrossM: readonly [number, number];
}

/** Every third sensor is of a kind. */
const TRADES: readonly Trade[] = [
  { kind: 'manhole_cover', prefix: 'mc', componentClass: '0102', acrossM: [0.5, 3.2] },
  { kind: 'streetlight', prefix: 'sl', componentClass: '0118', acrossM: [5.6, 6] },
  { kind: 'fire_hydrant', prefix: 'fh', componentClass: '0113', acrossM: [6.4, 7.2] },
];
/** Sensors keep off the borders of their community: its corners are not on the lattice. */
const BORDER_M = 12;
const SECRET_CHARACTERS = 32;

export interface SensorPlan {
  frame: CityFrame;
  dice: Dice;
  registrar: Registrar;
  block: Block;
  /** How many are wanted of each trade, and the number of the first one's id. */
  counts: readonly { count: number; first: number }[];
  /** Where cameras look: no cover with a sensor lies there, so that nobody reports a cover for another. */
  watched: readonly Stretch[];
}

/** Shares `sensors` between edges and kinds: `[edge][trade]`. */
export function shareSensors(sensors: number, edges: number): { count: number; first: number }[][] {
  const next = TRADES.map(() => 1);
  const of = (n: number, parts: number, i: number) => Math.floor(n / parts) + (i < n % parts ? 1 : 0);
  return Array.from({ length: edges }, (_, e) =>
    TRADES.map((_, t) => {
      const count = of(of(sensors, TRADES.length, t), edges, e);
      const first = next[t] as number;
      next[t] = first + count;
      return { count, first };
    }),
  );
}

/** Sensors along the roads of a community, evenly spread, registered on components of their own. */
export function placeSensors({ frame, dice, registrar, block, counts, watched }: SensorPlan): SiteDevice[] {
  return TRADES.flatMap((trade, t) => {
    const { count, first } = counts[t] ?? { count: 0, first: 1 };
    const free = freeStretches(block, trade.kind === 'manhole_cover' ? watched : []);
    return Array.from({ length: count }, (_, n) => {
      const { row, uM } = along(free, (n + dice.between(0.3, 0.7)) / count);
      const acrossM = dice.pick([-1, 1]) * dice.between(...trade.acrossM);
      const position = frame.toPosition({ uM, vM: roadM(row) + acrossM });
      const id = `${trade.prefix}-${String(first + n).padStart(3, '0')}`;
      const component = registrar.register(trade.componentClass, position).code;
      return { id, kind: trade.kind, secret: secret(dice), component, ...position };
    });
  });
}

function freeStretches(block: Block, watched: readonly Stretch[]): Stretch[] {
  const [fromM, toM] = [block.fromColumn * CELL_M + BORDER_M, block.toColumn * CELL_M - BORDER_M];
  return Array.from({ length: ROWS }, (_, row) => row).flatMap((row) => {
    const free: Stretch[] = [];
    let at = fromM;
    for (const w of watched.filter((s) => s.row === row).sort((a, b) => a.fromM - b.fromM)) {
      if (w.fromM > at) free.push({ row, fromM: at, toM: w.fromM });
      at = Math.max(at, w.toM);
    }
    if (at < toM) free.push({ row, fromM: at, toM });
    return free;
  });
}

/** The point at a share (0..1) of all stretches laid end to end. */
function along(stretches: readonly Stretch[], share: number): { row: number; uM: number } {
  let restM = share * stretches.reduce((sum, s) => sum + s.toM - s.fromM, 0);
  for (const { row, fromM, toM } of stretches) {
    if (restM < toM - fromM) return { row, uM: fromM + restM };
    restM -= toM - fromM;
  }
  throw new RangeError('no road left for a sensor');
}

/** A demo's password: from the seed, so that a fleet on another machine has the same. */
function secret(dice: Dice): string {
  return Array.from({ length: SECRET_CHARACTERS }, () => dice.whole(0, 15).toString(16)).join('');
}
