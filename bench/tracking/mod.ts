import { scoresOf } from '#models/eval/mod.ts';
import { quantile, rounded } from '../rounds.ts';
import { type Bench, missed } from '../types.ts';
import { DrawnStreets } from './drawn.ts';
import { countEvents, type EventCounts } from './events.ts';
import { type Measured, measure } from './measure.ts';
import { type FoundPlace, foundPlaces, placeFigures } from './places.ts';
import { busyViews, stagedViews } from './streets.ts';

export { cameraOfView, type DrawnMoment, DrawnStreets, type DrawnView, momentOf } from './drawn.ts';

const MODEL = 'models/street-drawn';
const RATES_FPS = [1, 2, 5] as const;
/** Kept clear of the cities that the model was trained on (1000-1039, 2000-2039) and of the demo's (7). */
const FIRST_CITY = 503;
const CITIES = 2;
const DURATION_MS = 90_000;
const DURATION_MS_SHORT = 8_000;
const WORKERS = 2;
/** Of the events: what the project asks of tracks and zones at this rate and dwell time. */
const EVENTS_FPS = 2;
const EVENTS_MS = 240_000;
const EVENTS_MS_SHORT = 34_000;
const DWELL_S = 10;
const EVENT_PRECISION = 0.95;
const EVENT_DELAY_MS_P95 = 2000;
/** The radius that the edge tells holds the true place so often. */
const PLACE_COVERED = 0.95;

export const trackingBench: Bench = {
  name: 'tracking',
  summary: 'tracks and events against the truth of drawn streets, 1, 2 and 5 pictures/s; yardstick: overlap alone',
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
      const tracks = RATES_FPS.map((fps) => measure(streets.model.manifest, seen, fps));
      const places = seen.flatMap((one) => foundPlaces(streets.model.manifest, one));
      return resultOf(tracks, await events(streets, short), places);
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

async function events(streets: DrawnStreets, short: boolean): Promise<EventCounts[]> {
  const { manifest } = streets.model;
  const durationMs = short ? EVENTS_MS_SHORT : EVENTS_MS;
  const times = Array.from({ length: (durationMs * EVENTS_FPS) / 1000 }, (_, k) => (k * 1000) / EVENTS_FPS);
  const confidenceMin = (detects: string): number => manifest.thresholds[detects] ?? 1;
  const views = stagedViews(FIRST_CITY, durationMs, { dwellS: DWELL_S, confidenceMin }).slice(0, short ? 1 : undefined);
  return Promise.all(
    views.map(async (view) => {
      const moments = await streets.look(view, times);
      return countEvents(manifest, { view, moments }, { fps: EVENTS_FPS, dwellS: DWELL_S });
    }),
  );
}

function eventFigures(counts: readonly EventCounts[]) {
  const sum = (of: (c: EventCounts) => number): number => counts.reduce((n, c) => n + of(c), 0);
  const [staged, found, falseAlarms] = [sum((c) => c.staged), sum((c) => c.found), sum((c) => c.falseAlarms)];
  const delaysMs = counts.flatMap((c) => c.delaysMs);
  return {
    eventsStaged: staged,
    eventPrecision: rounded(found / (found + falseAlarms)),
    eventRecall: rounded(found / staged),
    eventDelayMsP95: delaysMs.length === 0 ? null : Math.round(quantile(delaysMs, 0.95)),
  };
}

function resultOf(measured: readonly Measured[], counts: readonly EventCounts[], places: readonly FoundPlace[]) {
  const ofEvents = eventFigures(counts);
  const ofPlaces = placeFigures(places);
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
    `at ${fps} a second worse than overlap alone`,
    scoresOf(ours).idf1 >= scoresOf(plain).idf1,
  ]);
  const wanted = {
    [`event precision below ${EVENT_PRECISION}`]: ofEvents.eventPrecision >= EVENT_PRECISION,
    [`event recall below ${EVENT_PRECISION}`]: ofEvents.eventRecall >= EVENT_PRECISION,
    [`places within their radius below ${PLACE_COVERED}`]: (ofPlaces.placeCovered ?? 1) >= PLACE_COVERED,
    [`event delay over ${EVENT_DELAY_MS_P95} ms`]: (ofEvents.eventDelayMsP95 ?? 0) <= EVENT_DELAY_MS_P95,
  };
  return {
    figures: { ...Object.fromEntries(figures), ...ofPlaces, ...ofEvents },
    missed: missed({ ...Object.fromEntries(conditions), ...wanted }),
  };
}
