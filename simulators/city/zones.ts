import type { Raises, Severity, Zone, ZoneRule } from '#grid/mod.ts';
import type { IncidentClass } from '../cameras/mod.ts';
import type { CityCamera } from './types.ts';
import { type StreetView, streetView } from './view.ts';

/** The ground up to here is watched, metres: farther away a bin is as many pixels as a heap of rubbish. */
const WATCHED_M = 24;
/** A car's box ends a little outside the kerb that it stands at. */
const KERB_SLACK_M = 0.4;
const CLEAR_S = 60;
const STATIONARY_M = 1.5;
const COLUMNS = 8;
const EDGE_STEPS = 30;

type Corner = [number, number];

interface Terms {
  raises: Raises;
  severity: Severity;
  /** As proposed in the catalogue; open covers are not in it and take the shortest of these. */
  dwellS: number;
}

/** What the five classes of a camera become, and how long a thing must stand. Source: grid/catalogue, confirm times. */
export const CAMERA_TERMS: Readonly<Record<IncidentClass, Terms>> = {
  stall: { raises: { event: '0501' }, severity: 'normal', dwellS: 180 },
  garbage: { raises: { event: '0102' }, severity: 'normal', dwellS: 300 },
  ponding: { raises: { event: '0406' }, severity: 'high', dwellS: 300 },
  open_manhole: { raises: { fault: 'cover_open' }, severity: 'critical', dwellS: 180 },
  vehicle: { raises: { event: '0505' }, severity: 'normal', dwellS: 300 },
};

/** The rule by which a class becomes an event, with the catalogue's times; the edge's profile shortens them. */
export function cameraRule(detects: IncidentClass, confidenceMin: number): ZoneRule {
  const { raises, severity, dwellS } = CAMERA_TERMS[detects];
  const id = detects.replace('_', '-');
  return { id, detects, raises, severity, dwellS, clearS: CLEAR_S, confidenceMin, stationaryM: STATIONARY_M };
}

/** Days on which a market has its permit; empty until somebody grants one. */
export const MARKET_CALENDAR = 'night-market';

/**
 * Two zones: all the ground in view, and of it the road, where no vehicle may stop. Where markets may be held, stalls have zones
 * of their own: the pavement on the right, with the permit, and the rest.
 */
export function zonesOf(camera: CityCamera, confidenceMin: (detects: IncidentClass) => number): Zone[] {
  const view = streetView(camera.street, camera.pose);
  const ground = groundOf(view);
  const edgeM = camera.street.roadWidthM / 2 + KERB_SLACK_M;
  const road = [1, -1].reduce<Corner[]>((ring, side) => clip(ring, (c) => edgeM - side * acrossM(view, c)), ground);
  const rule = (detects: IncidentClass) => cameraRule(detects, confidenceMin(detects));
  const stalls = (): Zone[] => {
    const kerbM = camera.street.roadWidthM / 2;
    const permitted = [{ from: '00:00', to: '24:00', calendar: MARKET_CALENDAR }];
    return [
      { id: 'market', polygon: clip(ground, (c) => acrossM(view, c) - kerbM), rules: [{ ...rule('stall'), permitted }] },
      { id: 'off-market', polygon: clip(ground, (c) => kerbM - acrossM(view, c)), rules: [rule('stall')] },
    ];
  };
  const others = [rule('garbage'), rule('ponding'), rule('open_manhole')];
  return [
    { id: 'street', polygon: ground, rules: camera.market ? others : [rule('stall'), ...others] },
    ...(camera.market ? stalls() : []),
    { id: 'no-parking', polygon: road, rules: [rule('vehicle')] },
  ];
}

/** The picture below the line at which the ground is WATCHED_M away; fractions. */
export function groundOf(view: StreetView): Corner[] {
  const top = Array.from({ length: COLUMNS + 1 }, (_, k): Corner => {
    const x = 1 - k / COLUMNS;
    return [x, topOf(view, x)];
  });
  return [[0, 1], [1, 1], ...top];
}

/** In a column, the ground comes nearer with every row down: halving finds the row. */
function topOf(view: StreetView, x: number): number {
  let [above, below] = [0, 1];
  for (let step = 0; step < EDGE_STEPS; step++) {
    const y = (above + below) / 2;
    const place = view.placeAt(x * view.widthPx, y * view.heightPx);
    if (place === null || view.distanceM(place) > WATCHED_M) above = y;
    else below = y;
  }
  return below;
}

function acrossM(view: StreetView, [x, y]: Corner): number {
  return view.placeAt(x * view.widthPx, y * view.heightPx)?.acrossM ?? Number.POSITIVE_INFINITY;
}

/** The part of a ring where `inside` is not negative (Sutherland-Hodgman); a straight line on the ground is one in the picture. */
function clip(ring: readonly Corner[], inside: (c: Corner) => number): Corner[] {
  return ring.flatMap((to, i) => {
    const from = ring[(i + ring.length - 1) % ring.length] as Corner;
    const [a, b] = [inside(from) >= 0, inside(to) >= 0];
    const kept: Corner[] = b ? [to] : [];
    return a === b ? kept : [crossing(from, to, inside), ...kept];
  });
}

function crossing(from: Corner, to: Corner, inside: (c: Corner) => number): Corner {
  const at = (t: number): Corner => [from[0] + t * (to[0] - from[0]), from[1] + t * (to[1] - from[1])];
  const begins = inside(from) >= 0;
  let [low, high] = [0, 1];
  for (let step = 0; step < EDGE_STEPS; step++) {
    const t = (low + high) / 2;
    if (inside(at(t)) >= 0 === begins) low = t;
    else high = t;
  }
  return at(low);
}
