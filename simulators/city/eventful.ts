import {
  type Actor,
  type IncidentClass,
  type StreetPlace,
  type StreetScript,
  stageIncident,
  toStreetPlace,
} from '../cameras/mod.ts';
import { diceOf } from '../cameras/street/mod.ts';
import { throwSpot } from './spots.ts';
import type { CityCamera } from './types.ts';
import { apartM, streetView } from './view.ts';

/** What comes to a street, where there is room for it, that which needs most first; and to one of its covers, that it is taken away. */
const THINGS: readonly IncidentClass[] = ['garbage', 'garbage', 'stall', 'stall', 'ponding', 'vehicle', 'vehicle'];
const APART_M = 3.2;
/** A pavement full of umbrellas leaves little room. */
const THROWS_MAX = 500;
/** A camera knows its street by then. */
const COMES_MS = 150_000;
/** Longer than any dwell time of the catalogue. */
const STANDS_MS = 450_000;
/** All of them have stood for their time by then. */
export const EVENTFUL_MS = COMES_MS + STANDS_MS;

/** The same hour, to which things come that are to be reported, all at the same time, at places that the camera sees well. Pure. */
export function eventfulHour(camera: CityCamera, quiet: StreetScript, seed: number, hour: number): StreetScript {
  const { street, covers } = camera;
  const dice = diceOf(seed, hour, 98);
  const view = streetView(street, camera.pose);
  const taken = quiet.actors.flatMap((a) => ('stay' in a ? [toStreetPlace(street, a.stay.xM, a.stay.yM)] : []));
  const staged: Actor[] = [];
  const stage = (kind: IncidentClass, place: StreetPlace): void => {
    taken.push(place);
    const plan = { id: `thing-${staged.length + 1}`, class: kind, place, fromMs: COMES_MS, standsMs: STANDS_MS };
    staged.push(stageIncident(street, { ...plan, seed: dice.whole(1, 1e9) }));
  };
  for (const kind of THINGS)
    for (let throws = 0; throws < THROWS_MAX; throws++) {
      const free = (place: StreetPlace) => taken.every((t) => apartM(t, place) >= APART_M);
      const spot = throwSpot(view, camera, kind, dice, free);
      if (spot === null) continue;
      stage(kind, spot.place);
      break;
    }
  const [cover] = covers;
  if (cover === undefined) return { ...quiet, actors: [...quiet.actors, ...staged] };
  stage('open_manhole', cover.place);
  const actors = quiet.actors.map(
    (a): Actor => ('stay' in a && a.id === `cover-${cover.code}` ? { ...a, stay: { ...a.stay, toMs: COMES_MS } } : a),
  );
  return { ...quiet, actors: [...actors, ...staged] };
}
