import { type CameraPose, type Light, type Street, type StreetPlace, toEnu, toWgs84 } from '../cameras/mod.ts';
import { type Dice, diceOf } from '../cameras/street/mod.ts';
import { type Block, type CityLayout, columnsOf, roadM } from './cells.ts';
import type { CityFrame } from './frame.ts';
import type { Registrar } from './registrar.ts';
import type { Stretch } from './roads.ts';
import { throwSpot } from './spots.ts';
import type { CityCamera, CityCover } from './types.ts';
import { apartM, streetView } from './view.ts';

const PICTURE = { widthPx: 640, heightPx: 360, hfovDeg: 70 } as const;
/** The pole stands so far from the middle of its cell that what it sees lies around that middle. */
const BEFORE_MIDDLE_M = 15;
/** The lens hangs on a pole at the kerb. */
const BEHIND_KERB_M = 0.6;
/** Registered covers in view of each camera, and how far apart: a detection must not name the neighbour. */
const COVERS = 3;
const COVERS_APART_M = 5;
const THROWS_MAX = 3000;
/** What is so far ahead of the pole, or behind it, may be in the picture. */
const SEES_AHEAD_M = 40;
const SEES_BEHIND_M = 12;

export interface PlacedCamera {
  camera: CityCamera;
  /** What may be in its picture. */
  sees: Stretch;
}

/** So many different views has a district: cameras take turns with them, so that one drawn stream serves several. */
const VIEWS = 6;

/** The one of them on which a night market may be held. */
const MARKET_VIEW = 0;

interface Site {
  frame: CityFrame;
  layout: CityLayout;
  dice: Dice;
  registrar: Registrar;
  edgeId: string;
  /** Of the views that cameras share; each has its own where not given. */
  viewSeed?: number | undefined;
}

/** Puts cameras into a block, alternating between its rows, at most one a cell: no two ever see the same spot. */
export function placeCameras(site: Site, block: Block, ids: readonly string[]): PlacedCamera[] {
  if (ids.length > block.cells.length)
    throw new RangeError(`${ids.length} cameras in ${block.cells.length} cells: one a cell at most`);
  const rows = block.toRow - block.fromRow;
  const perRow = Math.ceil(ids.length / rows);
  return ids.map((id, n) => {
    const row = block.fromRow + (n % rows);
    const [from, to] = columnsOf(site.layout, block, row);
    const columns = to - from;
    const spread = Math.floor((Math.floor(n / rows) * columns) / perRow);
    // The rows' cameras stand in different columns where there is room.
    const shifted = perRow < columns ? spread + (n % rows) : spread;
    return placeCamera(site, id, row, from + (shifted % columns));
  });
}

function placeCamera(site: Site, id: string, row: number, column: number): PlacedCamera {
  const { frame, layout, registrar, edgeId, viewSeed } = site;
  const view = viewSeed === undefined ? null : (Number(id.replace(/\D/g, '')) - 1) % VIEWS;
  const dice = viewSeed === undefined || view === null ? site.dice : diceOf(viewSeed, view, 151);
  const market = view === MARKET_VIEW ? { market: true as const } : {};
  const looks = dice.pick([1, -1] as const);
  const poleM = roadM(layout, column) - looks * BEFORE_MIDDLE_M;
  const origin = frame.toPosition({ uM: poleM, vM: roadM(layout, row) });
  const street: Street = {
    seed: dice.whole(1, 2 ** 31 - 1),
    originLon: origin.lon,
    originLat: origin.lat,
    roadHeadingDeg: frame.alongDeg,
    roadWidthM: Math.round(dice.between(9, 10.5) * 10) / 10,
    pavementWidthM: Math.round(dice.between(4, 5) * 10) / 10,
    roadOffsetM: 0,
  };
  const pose = poseOn(street, dice, looks, dice.pick([1, -1] as const));
  const light: Light = {
    daylight: dice.between(0.9, 1),
    rain: 0,
    sunHeadingDeg: dice.between(100, 260),
    shadow: dice.between(0, 0.6),
  };
  const component = registrar.register('0136', pose).code;
  const covers = placeCovers(street, pose, looks, registrar, dice);
  const ends = looks === 1 ? [-SEES_BEHIND_M, SEES_AHEAD_M] : [-SEES_AHEAD_M, SEES_BEHIND_M];
  const sees: Stretch = { runs: 'row', line: row, fromM: poleM + (ends[0] as number), toM: poleM + (ends[1] as number) };
  return { camera: { id, edgeId, component, pose, street, light, looks, ...market, covers }, sees };
}

/** About 6 m up, looking along the road, turned inwards so that both pavements are in the picture. */
function poseOn(street: Street, dice: Dice, looks: 1 | -1, side: 1 | -1): CameraPose {
  const { xM, yM } = toEnu(street, { alongM: 0, acrossM: side * (street.roadWidthM / 2 + BEHIND_KERB_M) });
  const [lon, lat] = toWgs84(xM, yM, street.originLon, street.originLat);
  const inwardDeg = -looks * side * dice.between(22, 28);
  return {
    lon,
    lat,
    heightM: dice.between(5.8, 6.3),
    headingDeg: (street.roadHeadingDeg + (looks === 1 ? 0 : 180) + inwardDeg + 360) % 360,
    pitchDeg: dice.between(26, 28),
    ...PICTURE,
  };
}

function placeCovers(street: Street, pose: CameraPose, looks: 1 | -1, registrar: Registrar, dice: Dice): CityCover[] {
  const view = streetView(street, pose);
  const covers: CityCover[] = [];
  for (let throws = 0; covers.length < COVERS && throws < THROWS_MAX; throws++) {
    const free = (place: StreetPlace) => covers.every((c) => apartM(c.place, place) >= COVERS_APART_M);
    const spot = throwSpot(view, { street, looks }, 'open_manhole', dice, free);
    if (spot === null) continue;
    const { xM, yM } = toEnu(street, spot.place);
    const [lon, lat] = toWgs84(xM, yM, street.originLon, street.originLat);
    const component = registrar.register(dice.pick(['0101', '0102', '0103']), { lon, lat });
    covers.push({ ...component, place: spot.place });
  }
  return covers;
}
