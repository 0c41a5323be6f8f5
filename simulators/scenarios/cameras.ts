import { applyZoneProfile, createCellIndex, type Profile } from '#grid/mod.ts';
import {
  type Actor,
  type IncidentClass,
  type Light,
  PICTURE_FAULTS,
  type PictureFault,
  type StreetPlace,
  stageIncident,
} from '../cameras/mod.ts';
import { type Dice, diceOf } from '../cameras/street/mod.ts';
import { CameraDirector, type CityCamera, cameraRule, type PlayedCity, type Spot, streetView, throwSpot } from '../city/mod.ts';
import type { StagedTruth } from '../report/mod.ts';
import type { World } from '../world/mod.ts';
import { truthsOf } from './camera_truths.ts';
import type { Scenario } from './schema.ts';
import type { Shown, ShownView, StagedCameraFault, StagedView } from './staged_view.ts';

export interface StagedCameras {
  views: StagedView[];
  faults: StagedCameraFault[];
  /** Of what is drawn; a longer run sees it again from its beginning. */
  reelMs: number;
  /** Edges on which a market has to have its permit. */
  marketEdges: string[];
  /** Of a run that began at `startsAt` and ended at `endsAt`, UTC ms: what the centre must know of, and what it may. */
  truths(startsAt: number, endsAt: number): { due: StagedTruth[]; possible: StagedTruth[] };
}

interface Terms {
  scenario: Scenario;
  city: PlayedCity;
  world: World;
  /** Edges whose cameras are played. */
  edges: ReadonlySet<string>;
  seed: number;
  durationS: number;
  profile: Profile;
}

/** The cameras of a view are up to so far apart in time. */
const PHASE_STEP_MS = 1_700;
const PHASE_MS_MAX = 7_000;
/** Drawn beyond the run, for what of it is a little late. */
const AHEAD_MS = 1_000;
/** Drawing more would take longer than anybody waits, and more memory than a small machine has. */
const REEL_MS_MAX = 1_800_000;
/** The first thing comes at this share of the run, and not later than so; those of the next view a little later. */
const FIRST_SHARE = 0.05;
const FIRST_MS_MAX = 8_000;
const VIEW_STEP_SHARE = 0.01;
/** After its dwell time a thing stands for so long before the end, or it is not staged. */
const TAIL_MS = 5_000;
/** A pond is seen from the first number on, mm of water that the drains did not take, and complete at the second. */
const POND_MM = [2, 8] as const;
/** So long a vendor unpacks: a stall may be seen, and is not due, before it is complete. */
const UNPACKS_MS = 3_000;
const LOOKS = 600;
/** Rain in which one sees least. */
const RAIN_MM_PER_H_FULL = 60;
const LUX_FULL = 8_000;
/** What the cameras of a run will show, from its seed. Pure. Throws RangeError where there are fewer cameras than faults. */
export function stageCameras(terms: Terms): StagedCameras {
  const { scenario, city, edges, seed, durationS } = terms;
  const cameras = city.edges.flatMap((e) => (edges.has(e.id) ? e.cameras : []));
  if (scenario.cameras === undefined || cameras.length === 0)
    return { views: [], faults: [], reelMs: 0, marketEdges: [], truths: () => ({ due: [], possible: [] }) };
  const dice = diceOf(seed, 161);
  const faults = stageFaults(cameras, scenario.cameras.faults, durationS, dice);
  const reelMs = Math.min(REEL_MS_MAX, durationS * 1000 + PHASE_MS_MAX + AHEAD_MS);
  const shown = [...Map.groupBy(cameras, viewKey).values()].map((same, v) => stageView(same, v, reelMs, terms));
  const markets = scenario.cameras.market === undefined ? [] : cameras.filter((c) => c.market);
  const marketEdges = [...new Set(markets.map((c) => c.edgeId))];
  return {
    views: shown.map((s) => s.view),
    faults,
    reelMs,
    marketEdges,
    truths: (from, to) => truthsOf(shown, faults, { startsAt: from, endsAt: to, reelMs }),
  };
}

/** Cameras with the same street, pose and light see the same; only where is different. */
function viewKey({ street, pose, light, looks, covers }: CityCamera): string {
  const { originLon: _a, originLat: _b, ...drawn } = street;
  const { lon: _c, lat: _d, ...looked } = pose;
  return JSON.stringify([drawn, looked, light, looks, covers.map((c) => c.place)]);
}

function stageView(cameras: readonly CityCamera[], number: number, reelMs: number, terms: Terms): ShownView {
  const { scenario, seed, profile, durationS, world } = terms;
  const [lead] = cameras as [CityCamera];
  const durationMs = durationS * 1000;
  const shownMs = Math.min(reelMs, durationMs);
  const hours = (atMs: number) => (Math.min(durationMs, Math.max(0, atMs)) / durationMs) * scenario.world.hours;
  const ponds = pondOn(lead, cameras, hours, terms);
  const stalls = marketOn(lead, terms);
  const firstMs = Math.min(FIRST_MS_MAX, FIRST_SHARE * durationMs) + number * VIEW_STEP_SHARE * durationMs;
  const director = new CameraDirector(lead, {
    number,
    seed,
    profile,
    classes: scenario.cameras?.shows ?? [],
    everyMs: (scenario.cameras?.everyS ?? 60) * 1000,
    firstMs,
    unpacksMs: UNPACKS_MS,
    reserved: [...ponds, ...stalls].map((p) => p.spot),
  });
  const dwellMsMax = Math.max(0, ...(scenario.cameras?.shows ?? []).map((c) => dwellMs(c, profile)));
  const { actors, incidents } = director.advance(shownMs, shownMs - dwellMsMax - TAIL_MS);
  const phaseMsMax = Math.min(PHASE_MS_MAX, firstMs);
  const shared = cameras.map((camera, k) => ({ camera, phaseMs: (k * PHASE_STEP_MS) % Math.max(1, phaseMsMax) }));
  const light = (atMs: number): Light => ({
    ...lead.light,
    daylight: Math.min(1, Math.sqrt(world.lux(hours(atMs)) / LUX_FULL)),
    rain: Math.min(1, world.rainMmPerH(hours(atMs)) / RAIN_MM_PER_H_FULL),
    shadow: world.rainMmPerH(hours(atMs)) > 0 ? 0 : lead.light.shadow,
  });
  return {
    view: {
      lead,
      actors: [...director.fixed, ...[...ponds, ...stalls].map((p) => p.actor), ...actors],
      lightAt: light,
      cameras: shared,
    },
    shown: [
      ...ponds.map((p) => p.shown),
      ...incidents
        // Where a market has its permit, any stall has it.
        .filter((i) => !(stalls.length > 0 && i.detects === 'stall' && isOnMarket(lead)(i.place)))
        .map(
          (i): Shown => ({
            id: i.id,
            detects: i.detects,
            place: i.place,
            cover: i.component === undefined ? null : lead.covers.findIndex((c) => c.code === i.component),
            fromMs: i.standsFromMs,
            toMs: i.standsToMs,
            confirmMs: i.dwellMs,
            repeats: i.repeats,
          }),
        ),
    ],
  };
}

/** Where the rain stays: on every street of a view alike, by the mean of the basins that its cameras look at. */
function pondOn(lead: CityCamera, cameras: readonly CityCamera[], hours: (atMs: number) => number, terms: Terms) {
  const { world, durationS, seed, profile } = terms;
  const basins = basinsOf(cameras, terms);
  const mm = (atMs: number) => basins.reduce((sum, b) => sum + world.standingMm(b, hours(atMs)), 0) / Math.max(1, basins.length);
  const looks = Array.from({ length: LOOKS + 1 }, (_, n) => (n / LOOKS) * durationS * 1000);
  const [seen, full] = POND_MM;
  const fromMs = looks.find((at) => mm(at) >= seen);
  const fullMs = looks.find((at) => mm(at) >= full);
  if (fromMs === undefined || fullMs === undefined) return [];
  const toMs = looks.find((at) => at > fullMs && mm(at) < seen) ?? durationS * 1000 * 2;
  const dice = diceOf(seed, 162, lead.street.seed);
  const spot = spotOn(lead, 'ponding', dice, []);
  if (spot === null) return [];
  const id = `pond-${lead.id}`;
  const plan = { id, class: 'ponding' as const, place: spot.place, fromMs, standsMs: toMs - fromMs, seed: dice.whole(1, 1e9) };
  const actor = { ...stageIncident(lead.street, plan), grows: { fromMs, toMs: Math.max(fullMs, fromMs + 1) } };
  const confirmMs = fullMs - fromMs + dwellMs('ponding', profile);
  return [
    {
      spot,
      actor,
      shown: { id, detects: 'ponding' as const, place: spot.place, cover: null, fromMs, toMs, confirmMs, repeats: false },
    },
  ];
}

const THROWS_MAX = 400;
const CLEAR_OF_COVERS_M = 3;

/** Stalls of a market that has its permit: no incidents. */
function marketOn(lead: CityCamera, { scenario, durationS, seed }: Terms) {
  const market = scenario.cameras?.market;
  if (market === undefined || lead.market !== true) return [];
  const [fromMs, toMs] = [market.from * durationS * 1000, market.to * durationS * 1000];
  const dice = diceOf(seed, 163, lead.street.seed);
  const stalls: { spot: Spot; actor: Actor }[] = [];
  for (let n = 1; n <= MARKET_STALLS; n++) {
    const spot = spotOn(
      lead,
      'stall',
      dice,
      stalls.map((s) => s.spot),
      isOnMarket(lead),
    );
    if (spot === null) break;
    const plan = {
      id: `market-${n}`,
      class: 'stall' as const,
      place: spot.place,
      fromMs,
      standsMs: toMs - fromMs,
      unpacksMs: UNPACKS_MS,
    };
    stalls.push({ spot, actor: stageIncident(lead.street, { ...plan, seed: dice.whole(1, 1e9) }) });
  }
  return stalls;
}

/** Well on the pavement to the right: what stands there has its permit. */
function isOnMarket({ street }: CityCamera) {
  return ({ acrossM }: StreetPlace) => acrossM > street.roadWidthM / 2;
}

const MARKET_STALLS = 2;
const STALLS_APART_M = 4;

function spotOn(
  lead: CityCamera,
  kind: IncidentClass,
  dice: Dice,
  taken: readonly Spot[],
  accept: (place: StreetPlace) => boolean = () => true,
): Spot | null {
  const view = streetView(lead.street, lead.pose);
  const apart = (a: StreetPlace, b: StreetPlace) => Math.hypot(a.alongM - b.alongM, a.acrossM - b.acrossM);
  const clear = (place: StreetPlace) =>
    accept(place) &&
    lead.covers.every((c) => apart(c.place, place) >= CLEAR_OF_COVERS_M) &&
    taken.every((t) => apart(t.place, place) >= STALLS_APART_M);
  for (let n = 0; n < THROWS_MAX; n++) {
    const spot = throwSpot(view, lead, kind, dice, clear);
    if (spot !== null) return spot;
  }
  return null;
}

function basinsOf(cameras: readonly CityCamera[], { world, city }: Terms): number[] {
  const index = createCellIndex(city.cells);
  return cameras.flatMap((c) => {
    const cell = index.cellAt({ lon: c.pose.lon, lat: c.pose.lat });
    const basin = cell === null ? -1 : world.table.basins.indexOf(cell.slice(0, 12));
    return basin < 0 ? [] : [basin];
  });
}

function dwellMs(detects: IncidentClass, profile: Profile): number {
  return (applyZoneProfile([cameraRule(detects, 0)], profile)[0]?.dwellS ?? 0) * 1000;
}

type ScenarioFaults = NonNullable<Scenario['cameras']>['faults'];

function stageFaults(cameras: readonly CityCamera[], faults: ScenarioFaults, durationS: number, dice: Dice): StagedCameraFault[] {
  const left = [...cameras];
  return faults.flatMap(({ what, count, from = 0, to = 1, probability }) =>
    Array.from({ length: count }, (): StagedCameraFault => {
      const [camera] = left.splice(dice.whole(0, Math.max(0, left.length - 1)), 1);
      if (camera === undefined) throw new RangeError(`there are too few cameras for the fault ${what}`);
      const often = probability === undefined ? {} : { probability };
      return { what, camera, fromMs: from * durationS * 1000, toMs: to * durationS * 1000, ...often };
    }),
  );
}

export function isPictureFault(what: StagedCameraFault['what']): what is PictureFault {
  return (PICTURE_FAULTS as readonly string[]).includes(what);
}
