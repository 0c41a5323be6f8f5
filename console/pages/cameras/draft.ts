import type { DesiredCameraAnswer } from '#grid/api/mod.ts';

/** Zones and exclusions while somebody works on them. Everything here gives a new value and leaves the old one. */

export type Zones = NonNullable<DesiredCameraAnswer['zones']>;
export type Zone = Zones[number];
export type Rule = Zone['rules'][number];
export type TimeWindow = NonNullable<Rule['schedule']>[number];
/** Fractions of the picture's width and height. */
export type Point = [x: number, y: number];

export interface Draft {
  zones: Zones;
  exclude: Point[][];
}

/** `zones.0` or `exclude.1`, as the API names them in its mistakes. */
export type ShapeKey = `${'zones' | 'exclude'}.${number}`;

const RECTANGLE: Point[] = [
  [0.35, 0.4],
  [0.65, 0.4],
  [0.65, 0.7],
  [0.35, 0.7],
];
/** A tenth of a pixel of a large picture. */
const DECIMALS = 4;

export function draftOf({ zones, exclude }: Pick<DesiredCameraAnswer, 'zones' | 'exclude'>): Draft {
  return { zones: zones ?? [], exclude: (exclude ?? []) as Point[][] };
}

export const rectangle = (): Point[] => RECTANGLE.map(([x, y]) => [x, y]);

export function rounded([x, y]: Point): Point {
  const inside = (v: number) => Number(Math.min(1, Math.max(0, v)).toFixed(DECIMALS));
  return [inside(x), inside(y)];
}

const STEP = 0.005;
const STEPS_LARGE = 10;
const ARROWS: Record<string, Point> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** What an arrow key moves a point by, with Shift in large steps; null for other keys. */
export function stepOf({ key, shiftKey }: { key: string; shiftKey: boolean }): Point | null {
  const arrow = ARROWS[key];
  const step = STEP * (shiftKey ? STEPS_LARGE : 1);
  return arrow === undefined ? null : [arrow[0] * step, arrow[1] * step];
}

/** With one more corner in the middle of a side. */
export function withCorner(points: readonly Point[], after: number): Point[] {
  const [a, b] = [points[after], points[(after + 1) % points.length]] as [Point, Point];
  return points.toSpliced(after + 1, 0, rounded([(a[0] + b[0]) / 2, (a[1] + b[1]) / 2]));
}

/** A name that none of these has: `zone-3`. */
export function freeId(prefix: string, things: readonly { id: string }[]): string {
  for (let n = things.length + 1; ; n++) if (things.every(({ id }) => id !== `${prefix}-${n}`)) return `${prefix}-${n}`;
}

/** What a new rule looks for until somebody says: never people. */
export const firstClass = (classes: readonly string[] | null): string => classes?.find((c) => c !== 'person') ?? 'stall';

/** As a person most often wants it; each is changed in the form. */
export function newRule(things: readonly { id: string }[], detects: string): Rule {
  return {
    id: freeId('rule', things),
    detects,
    raises: { event: '0501' },
    severity: 'normal',
    dwellS: 180,
    clearS: 60,
    confidenceMin: 0.4,
    stationaryM: 1,
  };
}

export function withShape(draft: Draft, list: 'zones' | 'exclude', polygon: Point[], detects: string): [Draft, ShapeKey] {
  if (list === 'exclude') return [{ ...draft, exclude: [...draft.exclude, polygon] }, `exclude.${draft.exclude.length}`];
  const zone: Zone = { id: freeId('zone', draft.zones), polygon, rules: [newRule([], detects)] };
  return [{ ...draft, zones: [...draft.zones, zone] }, `zones.${draft.zones.length}`];
}

export function splitKey(key: ShapeKey): ['zones' | 'exclude', number] {
  const [list, index] = key.split('.') as ['zones' | 'exclude', string];
  return [list, Number(index)];
}

export function withoutShape(draft: Draft, key: ShapeKey): Draft {
  const [list, index] = splitKey(key);
  return { ...draft, [list]: draft[list].toSpliced(index, 1) };
}

export function withPoints(draft: Draft, key: ShapeKey, points: Point[]): Draft {
  const [list, index] = splitKey(key);
  if (list === 'exclude') return { ...draft, exclude: draft.exclude.with(index, points) };
  const zone = draft.zones[index] as Zone;
  return { ...draft, zones: draft.zones.with(index, { ...zone, polygon: points }) };
}

export const RULE_KINDS = ['stands', 'crosses', 'count'] as const;
export type RuleKind = (typeof RULE_KINDS)[number];
export const kindOf = ({ crosses, count }: Rule): RuleKind => (crosses ? 'crosses' : count ? 'count' : 'stands');

/** The same rule as one of another kind: the line lies across the zone, and going over it takes no time. */
export function asKind(rule: Rule, kind: RuleKind, polygon: readonly Point[]): Rule {
  const { crosses, count, ...rest } = rule;
  if (kind === 'stands') return rest;
  if (kind === 'count') return { ...rest, count: count ?? { above: 3 } };
  const [xs, ys] = [polygon.map(([x]) => x), polygon.map(([, y]) => y)];
  const middle = (Math.min(...ys) + Math.max(...ys)) / 2;
  const line: [Point, Point] = [rounded([Math.min(...xs), middle]), rounded([Math.max(...xs), middle])];
  return { ...rest, dwellS: 0, crosses: crosses ?? { line, way: 'any' } };
}
