import { expect, test } from 'vitest';
import { CameraMemory, type Decision, groundOf, type Track, ZoneWatch } from '#edge/vision/mod.ts';
import { toEventRecord, wallClock, type ZoneRule } from '#grid/mod.ts';
import { ManualClock, silentLog } from '#service/mod.ts';
import { tempDir } from '../../support/temp.ts';
import { RULE, siteCamera } from './street.ts';

const LOOK_MS = 5_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** As in the catalogue. */
const DWELL_S = 180;
const wall = wallClock('Asia/Shanghai');
const { zones } = siteCamera();
const polygon = zones[0]?.polygon ?? [];

/** A thing that the detector says is there. */
interface Thing {
  class: string;
  score: number;
  box: readonly [number, number, number, number];
}
const TERRACE: Thing = { class: 'stall', score: 0.6, box: [0.2, 0.4, 0.3, 0.6] };
const STALL: Thing = { class: 'stall', score: 0.6, box: [0.6, 0.4, 0.7, 0.6] };

/** One camera, look by look; a thing is one track all the time. */
function looking(rules: ZoneRule[] = [{ ...RULE, dwellS: DWELL_S, confidenceMin: 0.5 }]) {
  const clock = new ManualClock();
  const watch = new ZoneWatch({ zones: [{ id: 'z', polygon, rules }], frameMs: LOOK_MS });
  const decided: Decision[] = [];
  const trackOf = ({ class: className, score, box }: Thing): Track => ({
    id: `${className} ${Math.round(box[0] * 5)}`,
    class: className,
    box,
    score,
    point: [box[0] * 20, 15],
    errorRadiusM: 1,
    foot: [(box[0] + box[2]) / 2, box[3]],
    confirmed: true,
    seen: true,
    newFrom: null,
  });
  return {
    watch,
    raised: () => decided.filter((d) => d.kind === 'raise').map((d) => d.incident.box[0]),
    quiet: () => decided.filter((d) => d.kind === 'quiet').map((d) => d.incident.box[0]),
    /** The camera shows nothing. */
    away: (ms: number) => clock.advance(ms),
    during(ms: number, things: (lookN: number) => readonly Thing[]): void {
      for (let n = 0; n < ms / LOOK_MS; n++) {
        clock.advance(LOOK_MS);
        const now = { at: clock.now(), ms: clock.monotonic(), wall: wall(clock.now()) };
        const made = watch.step(things(n).map(trackOf), now, things(n));
        for (const d of made) if (d.kind === 'quiet') d.fixture.event = `event of ${d.fixture.box[0]}`;
        decided.push(...made);
      }
    },
  };
}

test('what stood there before the camera looked is no event, what comes is one at the same score', () => {
  const { during, raised } = looking();
  during(10 * MINUTE_MS, () => [TERRACE]);
  during(HOUR_MS, () => [TERRACE, STALL]);
  expect(raised()).toEqual([STALL.box[0]]);
});

test('what is kept quiet is told once, and is raised when somebody says that it is one', () => {
  const { watch, during, raised, quiet } = looking();
  during(10 * MINUTE_MS, () => [TERRACE, STALL, { ...TERRACE, score: 0.4, box: [0.4, 0.4, 0.5, 0.6] }]);
  expect(quiet()).toEqual([TERRACE.box[0], STALL.box[0]]);
  watch.tellFixture(`event of ${STALL.box[0]}`);
  during(LOOK_MS, () => [TERRACE, STALL]);
  expect([quiet().length, raised()]).toEqual([2, [STALL.box[0]]]);
});

test('one of which the detector becomes much surer is one; a score that strays, or a part that is seen alone for a moment, makes none', () => {
  const { during, raised } = looking();
  during(10 * MINUTE_MS, (n) => [{ ...TERRACE, score: 0.55 + (n % 3) * 0.1 }]);
  during(10 * MINUTE_MS, (n) => [n % 20 === 10 ? { ...TERRACE, box: [0.2, 0.4, 0.24, 0.6] } : TERRACE]);
  expect(raised()).toEqual([]);
  during(10 * MINUTE_MS, () => [{ ...TERRACE, score: 0.9 }]);
  expect(raised()).toEqual([TERRACE.box[0]]);
});

test('its score follows the light over hours', () => {
  const { during, raised } = looking();
  during(3 * HOUR_MS, (n) => [{ ...TERRACE, score: 0.4 + (0.5 * n * LOOK_MS) / (3 * HOUR_MS) }]);
  expect(raised()).toEqual([]);
});

test('what passed in the first minute, or a dwell time that is over within it, changes nothing', () => {
  const passing = looking();
  passing.during(MINUTE_MS, (n) => (n < 4 ? [TERRACE] : []));
  passing.during(5 * MINUTE_MS, () => [TERRACE]);
  expect(passing.raised()).toHaveLength(1);
  const short = looking([{ ...RULE, dwellS: 10, confidenceMin: 0.5 }]);
  short.during(5 * MINUTE_MS, () => [TERRACE]);
  expect(short.raised()).toHaveLength(1);
});

test('a stall that was there is gone after two hours without it, and what stands there then has come', () => {
  const { during, raised } = looking();
  during(10 * MINUTE_MS, () => [TERRACE]);
  during(HOUR_MS, () => []);
  during(10 * MINUTE_MS, () => [TERRACE]);
  expect(raised()).toEqual([]);
  during(2 * HOUR_MS + LOOK_MS, () => []);
  during(10 * MINUTE_MS, () => [TERRACE]);
  expect(raised()).toHaveLength(1);
});

test('a camera that was turned learns what is there anew, and its memory knows nothing of it until then', () => {
  const { watch, during, raised } = looking();
  during(2 * MINUTE_MS, () => [TERRACE]);
  watch.fixtures.learnAnew();
  expect([watch.fixtures.all, watch.fixtures.takeNews()]).toEqual([null, true]);
  during(10 * MINUTE_MS, () => [STALL]);
  expect(raised()).toEqual([]);
  during(5 * MINUTE_MS, () => [STALL, TERRACE]);
  expect(raised()).toEqual([TERRACE.box[0]]);
});

test('what is critical is told however long it has been there', () => {
  const { during, raised } = looking([{ ...RULE, severity: 'critical', dwellS: DWELL_S, confidenceMin: 0.5 }]);
  during(10 * MINUTE_MS, () => [TERRACE]);
  expect(raised()).toEqual([TERRACE.box[0]]);
});

test('what stands in the place of one when a camera comes back after an hour is an event by its score all the same', () => {
  const { away, during, raised } = looking();
  during(10 * MINUTE_MS, () => [TERRACE]);
  away(HOUR_MS);
  during(10 * MINUTE_MS, () => [{ ...TERRACE, score: 0.9 }]);
  expect(raised()).toHaveLength(1);
});

test('what drives is none of them: another car at the place of one that was there is an event', () => {
  const { during, raised } = looking([{ ...RULE, detects: 'vehicle', dwellS: DWELL_S, confidenceMin: 0.5 }]);
  const car: Thing = { class: 'vehicle', score: 0.85, box: [0.2, 0.4, 0.4, 0.6] };
  during(2 * MINUTE_MS, () => [car]);
  during(MINUTE_MS, () => []);
  during(5 * MINUTE_MS, () => [car]);
  expect(raised()).toHaveLength(1);
});

test('one that was an event is none of them: it is raised again when its case is closed and it still stands', () => {
  const { watch, during, raised } = looking();
  during(10 * MINUTE_MS, () => [TERRACE]);
  during(10 * MINUTE_MS, () => [{ ...TERRACE, score: 0.9 }]);
  const [incident] = watch.incidents;
  if (incident === undefined) throw new Error('nothing was raised');
  incident.subject = 'event-1';
  watch.rearm('event-1');
  during(10 * MINUTE_MS, () => [TERRACE]);
  expect(raised()).toHaveLength(2);
});

test('a restart knows them, so that what came meanwhile is an event; another view or model learns them anew', async () => {
  const dir = await tempDir();
  const camera = siteCamera();
  const ground = groundOf(camera);
  const memory = (view: string) => new CameraMemory({ dir, camera: camera.id, view, log: silentLog });
  const first = looking();
  first.during(MINUTE_MS - LOOK_MS, () => [TERRACE]);
  expect([first.watch.fixtures.all, first.watch.fixtures.takeNews()]).toEqual([null, false]);
  first.during(2 * LOOK_MS, () => [TERRACE]);
  expect([first.watch.fixtures.takeNews(), first.watch.fixtures.takeNews()]).toEqual([true, false]);
  await memory('a').save({ incidents: [], ended: [], offline: null, fixtures: first.watch.fixtures.all, quiet: [] }, ground);
  expect((await memory('b').load(camera, ground, 0)).fixtures).toBeNull();
  const { fixtures } = await memory('a').load(camera, ground, 0);
  const second = looking();
  second.watch.fixtures.restore(fixtures ?? [], 0);
  second.during(10 * MINUTE_MS, () => [TERRACE, STALL]);
  expect(second.raised()).toEqual([STALL.box[0]]);
});

test('the event of what is kept quiet ends with its rule, with another view, and with its camera; its fixture is told anew', async () => {
  const dir = await tempDir();
  const camera = siteCamera();
  const ground = groundOf(camera);
  const memory = (view: string) => new CameraMemory({ dir, camera: camera.id, view, log: silentLog });
  const origin = { by: 'camera', camera: camera.id, zone: 'all', track: 't', model: 'm@1', simulated: true } as const;
  const place = { lon: camera.lon, lat: camera.lat, errorRadiusM: 1, cell: '110101001001017' };
  const record = toEventRecord('event-1', 'gewu.event.raised', 5, {
    ...{ revision: 1, edge: 'edge-01', class: { flag: 2, code: '0501' }, severity: 'normal', confidence: 0.6, place },
    ...{ origin: { ...origin, provenance: 'drawn-scenes' }, startedAt: 1, confirmedAt: 2, lastSeenAt: 3, evidence: [] },
    suppressed: 'fixture',
  });
  const fixtures = [{ ...TERRACE, event: 'event-1' }];
  await memory('a').save({ incidents: [], ended: [], offline: null, fixtures, quiet: [record] }, ground);
  const found = async (view: string, zones = camera.zones) => {
    const { fixtures: known, quiet, orphans } = await memory(view).load({ zones }, ground, 0);
    return [known?.map((f) => f.event) ?? null, quiet.length, orphans.length];
  };
  expect(await found('a')).toEqual([['event-1'], 1, 0]);
  expect(await found('a', [])).toEqual([[null], 0, 1]);
  expect(await found('b')).toEqual([null, 0, 1]);
  expect(await memory('b').uncleared()).toEqual([record]);
});
