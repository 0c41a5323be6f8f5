import type { SiteDevice } from '#grid/mod.ts';
import type { Dice } from '../cameras/street/mod.ts';
import type { Block, CityLayout } from './cells.ts';
import type { CityFrame } from './frame.ts';
import type { Registrar } from './registrar.ts';
import { along, pointOn, type Stretch, stretchesOf } from './roads.ts';

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
const ID_DIGITS_MIN = 3;

/** How many sensors of one trade, and the number of the first one's id. */
export interface Share {
  count: number;
  first: number;
}

export interface SensorPlan {
  frame: CityFrame;
  layout: CityLayout;
  dice: Dice;
  registrar: Registrar;
  block: Block;
  /** Of each trade. */
  shares: readonly Share[];
  idDigits: number;
  /** Where cameras look: no cover with a sensor lies there, so that nobody reports a cover for another. */
  watched: readonly Stretch[];
}

/** Shares `sensors` between parts of the city by their weights, each kind for itself: `[part][trade]`. */
export function shareSensors(sensors: number, weights: readonly number[]): Share[][] {
  const next = TRADES.map(() => 1);
  const counts = TRADES.map((_, t) => apportion(evenly(sensors, TRADES.length, t), weights));
  return weights.map((_, part) =>
    TRADES.map((_, t) => {
      const count = counts[t]?.[part] ?? 0;
      const first = next[t] as number;
      next[t] = first + count;
      return { count, first };
    }),
  );
}

/** Digits of the largest number of an id. */
export function idDigits(sensors: number): number {
  return Math.max(ID_DIGITS_MIN, String(evenly(sensors, TRADES.length, 0)).length);
}

function evenly(n: number, parts: number, i: number): number {
  return Math.floor(n / parts) + (i < n % parts ? 1 : 0);
}

/** Whole numbers in the proportion of `weights` that add up to `n`; what is left goes to the largest remainders, the first of equals first. */
function apportion(n: number, weights: readonly number[]): number[] {
  const total = weights.reduce((sum, w) => sum + w, 0);
  const exact = weights.map((w) => (n * w) / total);
  const counts = exact.map(Math.floor);
  const rest = n - counts.reduce((sum, c) => sum + c, 0);
  const order = exact.map((x, i) => ({ i, off: x - Math.floor(x) })).sort((a, b) => b.off - a.off || a.i - b.i);
  for (const { i } of order.slice(0, rest)) counts[i] = (counts[i] as number) + 1;
  return counts;
}

/** Sensors along the roads of a community, evenly spread, registered on components of their own. */
export function placeSensors(plan: SensorPlan): SiteDevice[] {
  const { frame, layout, dice, registrar, block, shares, watched } = plan;
  return TRADES.flatMap((trade, t) => {
    const { count, first } = shares[t] ?? { count: 0, first: 1 };
    const roads = stretchesOf(layout, block, BORDER_M);
    const free = trade.kind === 'manhole_cover' ? unwatched(roads, watched) : roads;
    return Array.from({ length: count }, (_, n) => {
      const { stretch, alongM } = along(free, (n + dice.between(0.3, 0.7)) / count);
      const acrossM = dice.pick([-1, 1]) * dice.between(...trade.acrossM);
      const position = frame.toPosition(pointOn(layout, stretch, alongM, acrossM));
      const id = `${trade.prefix}-${String(first + n).padStart(plan.idDigits, '0')}`;
      const component = registrar.register(trade.componentClass, position).code;
      return { id, kind: trade.kind, secret: secret(dice), component, ...position };
    });
  });
}

/** Cameras look along rows; an avenue may cross their picture anywhere, so that no cover with a sensor lies on one. */
function unwatched(roads: readonly Stretch[], watched: readonly Stretch[]): Stretch[] {
  return roads
    .filter((road) => road.runs === 'row')
    .flatMap(({ runs, line, fromM, toM }) => {
      const free: Stretch[] = [];
      let at = fromM;
      for (const w of watched.filter((s) => s.line === line).sort((a, b) => a.fromM - b.fromM)) {
        if (w.fromM > at) free.push({ runs, line, fromM: at, toM: w.fromM });
        at = Math.max(at, w.toM);
      }
      if (at < toM) free.push({ runs, line, fromM: at, toM });
      return free;
    });
}

/** A test's password: from the seed, so that a fleet on another machine has the same. */
function secret(dice: Dice): string {
  return Array.from({ length: SECRET_CHARACTERS }, () => dice.whole(0, 15).toString(16)).join('');
}
