import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { createCameraPipeline } from '#edge/cameras/mod.ts';
import { evidenceAlone } from '#edge/evidence/mod.ts';
import type { EventRecord, Site } from '#grid/mod.ts';
import { loadManifest, type ModelManifest } from '#models/mod.ts';
import { createMetrics, silentLog, systemClock } from '#service/mod.ts';
import { calibrationPoints, createStreetRenderer, RtspServer, SimulatedCamera } from '#simulators/cameras/mod.ts';
import { buildDemoCity, type City, createStaging, type Staging, siteOf } from '#simulators/city/mod.ts';
import {
  cameraTruth,
  matchIncidents,
  type Pair,
  type SeenCase,
  type StagedTruth,
  summarizeLatency,
} from '#simulators/report/mod.ts';
import { parseFlags, parseInteger, print, say } from '../command.ts';
import { SHIPPED_MODEL, zoneConfidence } from '../installation/mod.ts';
import { ensurePrograms } from '../programs.ts';

/** A city that nothing was trained, tuned or tried on. */
const SEED = 4001;
const DWELL_MS = 10_000;
/** Gone for so long, a thing is gone; what comes to the same spot later is another. */
const CLEAR_S = 15;
const FPS = 2;
const CAMERA_FPS = 5;
const PRECISION_MIN = 0.95;
const RECALL_MIN = 0.95;
const DELAY_P95_MS_MAX = 2_000;
/** Beyond the dwell time, before the end of the run: what is seen late must fit. */
const TAIL_MS = 10_000;
/** Pictures are analysed from here on before the script begins to count: models open, streams come up. */
const RUN_UP_MS = 4_000;

export const STREET_USAGE = `gewu models street [--model DIR] [--minutes 30] [--cameras 2] [--seed ${SEED}] [--json]
  A staged street in real time: simulated cameras over RTSP, the edge's own pipeline at ${FPS} pictures a second, a dwell time of ${DWELL_MS / 1000} s. Holds the events
  against what was staged: precision and recall (at least ${PRECISION_MIN}), delay beyond the dwell time (p95 at most ${DELAY_P95_MS_MAX / 1000} s). About 4 incidents a
  minute and camera.`;

interface Spread {
  p50: number | null;
  p95: number | null;
}

/** The line that a run ends with. */
export interface StreetFigures {
  minutes: number;
  cameras: number;
  incidents: number;
  events: number;
  precision: number;
  recall: number;
  /** Beyond the dwell time; and the two that it is made of: until a thing was seen to stand, and from its dwell time on. */
  delayMs: Spread;
  unseenMs: Spread;
  untoldMs: Spread;
  perClass: Record<string, { incidents: number; found: number; falseAlarms: number }>;
  analysedFps: number;
  droppedFrames: number;
}

export async function street(args: readonly string[]): Promise<number> {
  const { values } = parseFlags(args, {
    model: { type: 'string', default: SHIPPED_MODEL },
    minutes: { type: 'string', default: '30' },
    cameras: { type: 'string', default: '2' },
    seed: { type: 'string', default: String(SEED) },
    json: { type: 'boolean', default: false },
  });
  await ensurePrograms(['ffmpeg']);
  const figures = await runStreet({
    model: values.model,
    durationMs: parseInteger('minutes', values.minutes, 1, 600) * 60_000,
    dwellMs: DWELL_MS,
    cameras: parseInteger('cameras', values.cameras, 1, 8),
    seed: parseInteger('seed', values.seed, 0, 2 ** 31),
  });
  print(values.json ? JSON.stringify(figures) : JSON.stringify(figures, null, 2));
  const missed = shortfalls(figures);
  for (const what of missed) say(`gewu models street: missed: ${what}`);
  return missed.length === 0 ? 0 : 1;
}

function shortfalls({ precision, recall, delayMs, incidents }: StreetFigures): string[] {
  const missed: string[] = [];
  if (incidents === 0) missed.push('nothing was staged');
  if (precision < PRECISION_MIN) missed.push(`precision ${precision}`);
  if (recall < RECALL_MIN) missed.push(`recall ${recall}`);
  if (delayMs.p95 === null || delayMs.p95 > DELAY_P95_MS_MAX) missed.push(`delay p95 ${delayMs.p95} ms`);
  return missed;
}

export interface StreetPlan {
  model: string;
  durationMs: number;
  dwellMs: number;
  cameras: number;
  seed: number;
}

export async function runStreet({ model, durationMs, dwellMs, cameras, seed }: StreetPlan): Promise<StreetFigures> {
  const { manifest } = await loadManifest(model);
  const city = buildDemoCity({ seed, edges: 1, sensors: 0, cameras });
  const staging = createStaging(city, { seed });
  const { cameras: staged } = staging.advance(durationMs, durationMs - dwellMs - TAIL_MS);
  const dataDir = await mkdtemp(join(tmpdir(), 'gewu-street-'));
  const server = new RtspServer({ config: { port: 0 }, log: silentLog, clock: systemClock });
  await server.start();
  const startsAt = systemClock.now() + RUN_UP_MS;
  const films = filmsOf(city, staging, server, startsAt);
  const seen: { event: EventRecord; at: number }[] = [];
  const emit = async (event: EventRecord) => {
    if (event.type === 'gewu.event.raised' && event.data.suppressed !== 'fixture') seen.push({ event, at: systemClock.now() });
  };
  const common = { clock: systemClock, log: silentLog, dataDir, edgeId: 'edge-01' };
  const evidence = evidenceAlone(common);
  const pipeline = createCameraPipeline({
    site: siteFor(city, films, manifest, dwellMs),
    // The zones carry the dwell time already.
    profile: 'default',
    vision: { model, workers: 1, filesDir: null },
    events: { emit },
    health: { report: async () => {} },
    caseStates: { stateOf: () => 'unknown' },
    ...common,
    metrics: createMetrics(),
    evidence,
  });
  try {
    for (const { film } of films) await film.start();
    await evidence.start();
    await pipeline.start();
    await pause(startsAt + durationMs - systemClock.now());
    const stats = pipeline.stats();
    const truth = cameraTruth(
      staged.map((i) => ({ ...i, dwellMs, repeats: false })),
      startsAt,
    );
    return { ...figuresOf(truth, seen, durationMs), cameras, analysedFps: stats.analysedFps, droppedFrames: stats.droppedFrames };
  } finally {
    await pipeline.stop();
    await evidence.stop();
    for (const { film } of films) await film.stop();
    await server.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}

const ACCESS = { username: 'edge', password: 'street' } as const;

interface Film {
  id: string;
  film: SimulatedCamera;
}

function filmsOf(city: City, { scripts }: Staging, server: RtspServer, scriptStartsAt: number): Film[] {
  return city.edges
    .flatMap((e) => e.cameras)
    .map(({ id, pose, street: road, light }) => {
      const script = scripts.get(id) ?? { street: road, light, actors: [] };
      const config = { id, pose, script, fps: CAMERA_FPS, mount: `/${id}`, ...ACCESS, scriptStartsAt };
      const deps = { config, server, createRenderer: createStreetRenderer, log: silentLog, clock: systemClock };
      return { id, film: new SimulatedCamera(deps) };
    });
}

/** The demo's zones, with one dwell time for all classes. */
function siteFor(city: City, films: readonly Film[], manifest: ModelManifest, dwellMs: number): Site {
  const site = siteOf(city, 'edge-01', {
    access: ({ id, pose, street: road }) => ({
      url: films.find((f) => f.id === id)?.film.url ?? '',
      ...ACCESS,
      calibration: { points: calibrationPoints(pose, createStreetRenderer(road, pose)) },
    }),
    confidenceMin: (detects) => zoneConfidence(manifest, detects),
    looks: { fps: FPS },
  });
  const rule = { dwellS: dwellMs / 1000, clearS: CLEAR_S };
  const cameras = site.cameras.map((camera) => ({
    ...camera,
    zones: camera.zones.map((zone) => ({ ...zone, rules: zone.rules.map((r) => ({ ...r, ...rule })) })),
  }));
  return { ...site, cameras };
}

function figuresOf(truth: readonly StagedTruth[], seen: readonly { event: EventRecord; at: number }[], durationMs: number) {
  const cases = seen.map(({ event, at }): SeenCase => {
    const { class: eventClass, place, startedAt, confirmedAt } = event.data;
    return {
      case: { id: event.subject, source: 'camera', class: eventClass, place, startedAt, confirmedAt },
      readableAt: at,
    };
  });
  const { pairs, missing, unfounded } = matchIncidents(truth, cases);
  const spread = (of: (p: Pair) => number): Spread => {
    const { p50, p95 } = summarizeLatency(pairs.map(of));
    return { p50, p95 };
  };
  const perClass: StreetFigures['perClass'] = {};
  const of = (what: { class: StagedTruth['class'] }) =>
    (perClass[what.class.fault ?? what.class.code] ??= { incidents: 0, found: 0, falseAlarms: 0 });
  for (const { staged } of pairs) {
    of(staged).found++;
    of(staged).incidents++;
  }
  for (const staged of missing) of(staged).incidents++;
  for (const { case: c } of unfounded) of(c).falseAlarms++;
  const share = (part: number, whole: number) => (whole === 0 ? 1 : Math.round((part / whole) * 1000) / 1000);
  return {
    minutes: durationMs / 60_000,
    incidents: truth.length,
    events: seen.length,
    precision: share(pairs.length, seen.length),
    recall: share(pairs.length, truth.length),
    delayMs: spread((p) => p.latencyMs),
    unseenMs: spread((p) => Math.max(0, p.seen.case.startedAt - p.staged.standsFrom)),
    untoldMs: spread((p) => p.seen.readableAt - p.seen.case.startedAt - p.staged.confirmMs),
    perClass,
  };
}
