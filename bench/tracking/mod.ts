import { scoresOf } from '#models/eval/mod.ts';
import { rounded } from '../rounds.ts';
import { type Bench, missed } from '../types.ts';
import { DrawnStreets } from './drawn.ts';
import { type Measured, measure } from './measure.ts';
import { busyViews } from './streets.ts';

const MODEL = 'models/street-drawn';
const RATES_FPS = [1, 2, 5] as const;
/** Kept clear of the cities that the model was trained on (1000-1039, 2000-2039) and of the demo's (7). */
const FIRST_CITY = 501;
const CITIES = 2;
const DURATION_MS = 90_000;
const DURATION_MS_SHORT = 12_000;
const WORKERS = 2;

export const trackingBench: Bench = {
  name: 'tracking',
  summary: 'tracks against the truth of busy drawn streets at 1, 2 and 5 pictures a second; yardstick: overlap alone',
  async run({ short, say }) {
    const streets = await DrawnStreets.open(MODEL, WORKERS);
    try {
      const durationMs = short ? DURATION_MS_SHORT : DURATION_MS;
      const seeds = Array.from({ length: short ? 1 : CITIES }, (_, n) => FIRST_CITY + n);
      const views = seeds.flatMap((seed) => busyViews(seed, durationMs)).slice(0, short ? 1 : undefined);
      const seen = await Promise.all(
        views.map(async (view) => ({ view, moments: await streets.look(view, timesOf(durationMs)) })),
      );
      say(`${views.length} cameras, ${seen.reduce((n, s) => n + s.moments.length, 0)} pictures looked at`);
      return resultOf(RATES_FPS.map((fps) => measure(streets.model.manifest, seen, fps)));
    } finally {
      await streets.close();
    }
  },
};

/** All that any of the rates looks at. */
function timesOf(durationMs: number): number[] {
  const times = RATES_FPS.flatMap((fps) =>
    Array.from({ length: Math.floor((durationMs * fps) / 1000) }, (_, k) => (k * 1000) / fps),
  );
  return [...new Set(times)].sort((a, b) => a - b);
}

function resultOf(measured: readonly Measured[]) {
  const figures = measured.flatMap(({ fps, ours, plain, cpuUsPerPicture }) => {
    const [our, theirs] = [scoresOf(ours), scoresOf(plain)];
    return Object.entries({
      idf1: rounded(our.idf1, 3),
      mota: rounded(our.mota, 3),
      recall: rounded(our.recall, 3),
      precision: rounded(our.precision, 3),
      switches: ours.switches,
      fragments: ours.fragments,
      things: ours.things,
      mostlyTracked: ours.mostlyTracked,
      mostlyLost: ours.mostlyLost,
      plainIdf1: rounded(theirs.idf1, 3),
      plainMota: rounded(theirs.mota, 3),
      plainSwitches: plain.switches,
      plainFragments: plain.fragments,
      cpuUsPerPicture: Math.round(cpuUsPerPicture),
    }).map(([name, value]): [string, number] => [`${name}At${fps}`, value]);
  });
  const conditions = measured.map(({ fps, ours, plain }): [string, boolean] => [
    `at ${fps} a second no better than overlap alone`,
    scoresOf(ours).idf1 > scoresOf(plain).idf1,
  ]);
  return { figures: Object.fromEntries(figures), missed: missed(Object.fromEntries(conditions)) };
}
