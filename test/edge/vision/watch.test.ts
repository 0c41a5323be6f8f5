import { expect, test } from 'vitest';
import { type Decision, type Track, ZoneWatch } from '#edge/vision/mod.ts';
import { wallClock, type Zone, type ZoneRule } from '#grid/mod.ts';
import { ManualClock } from '#service/mod.ts';
import { RULE } from './street.ts';

const FRAME_MS = 500;
const wall = wallClock('Asia/Shanghai');

function zone(rules: ZoneRule[] = [RULE], id = 'left'): Zone {
  return {
    id,
    polygon: [
      [0, 0],
      [0.5, 0],
      [0.5, 1],
      [0, 1],
    ],
    rules,
  };
}

function track(x: number, changes: Partial<Track> = {}): Track {
  return {
    id: 't-1',
    class: 'stall',
    box: [x, 0.4, x + 0.1, 0.6],
    score: 0.8,
    point: [x * 20, 15],
    errorRadiusM: 1,
    foot: [x + 0.05, 0.6],
    confirmed: true,
    seen: true,
    newFrom: null,
    ...changes,
  };
}

/** Steps a watch in frame times and collects what it decides. */
function harness(zones: Zone[] = [zone()], clock = new ManualClock()) {
  const watch = new ZoneWatch({ zones, frameMs: FRAME_MS });
  const decided: { kind: Decision['kind']; afterMs: number; incident: Decision['incident'] }[] = [];
  const beganMs = clock.monotonic();
  const step = (tracks: Track[], stepMs = FRAME_MS): void => {
    clock.advance(stepMs);
    const now = { at: clock.now(), ms: clock.monotonic(), wall: wall(clock.now()) };
    for (const d of watch.step(tracks, now)) decided.push({ ...d, afterMs: now.ms - beganMs });
  };
  const during = (ms: number, tracks: (n: number) => Track[]): void => {
    for (let n = 0; n < ms / FRAME_MS; n++) step(tracks(n));
  };
  return { watch, clock, decided, step, during };
}

test('a thing that stands for the dwell time is raised once, dated by its first sight', () => {
  const { decided, during, clock } = harness();
  const firstAt = clock.now() + FRAME_MS;
  during(20_000, () => [track(0.2)]);
  expect(decided).toHaveLength(1);
  expect(decided[0]).toMatchObject({ kind: 'raise', afterMs: 5500, incident: { startedAt: firstAt, state: 'active' } });
});

test('events of a thing that stood there in the picture before were dead letters: their times were no whole milliseconds', () => {
  const { watch, clock, decided } = harness();
  for (let n = 0, ms = clock.monotonic(); n < 20; n++, ms += FRAME_MS + 0.4) {
    clock.advance(FRAME_MS);
    const tracks = [track(0.2, n === 0 ? { confirmed: false } : { newFrom: n === 1 ? [4, 15] : null })];
    for (const d of watch.step(tracks, { at: clock.now(), ms, wall: wall(clock.now()) })) decided.push({ ...d, afterMs: ms });
  }
  expect(decided.map(({ incident }) => Number.isInteger(incident.startedAt))).toEqual([true]);
});

test('the picture that confirms a thing which stood there before counts from the one before; of one that came, from where it is', () => {
  const stood = harness();
  const sightedAt = stood.clock.now() + FRAME_MS;
  stood.step([track(0.2, { confirmed: false })]);
  stood.step([track(0.2, { newFrom: [4, 15] })]);
  stood.during(10_000, () => [track(0.2)]);
  expect(stood.decided[0]).toMatchObject({ kind: 'raise', afterMs: 5500, incident: { startedAt: sightedAt } });
  const came = harness();
  came.step([track(0.1, { confirmed: false })]);
  came.step([track(0.2, { newFrom: [2, 15] })]);
  came.during(10_000, () => [track(0.2)]);
  expect(came.decided[0]).toMatchObject({ kind: 'raise', afterMs: 6000, incident: { startedAt: sightedAt + FRAME_MS } });
});

test('a picture that comes a little early does not make an event wait for the next one', () => {
  const { decided, step, during } = harness();
  during(5000, () => [track(0.2)]);
  step([track(0.2)], FRAME_MS - 40);
  expect(decided[0]).toMatchObject({ kind: 'raise', afterMs: 5460 });
});

test('presence: 70 % of the time is enough, half of it is not', () => {
  const most = harness();
  most.during(12_000, (n) => (n % 4 === 3 ? [] : [track(0.2)]));
  expect(most.decided.map((d) => d.kind)).toEqual(['raise']);
  const half = harness();
  half.during(12_000, (n) => (n % 2 === 1 ? [] : [track(0.2)]));
  expect(half.decided).toEqual([]);
});

test('a thing that moves begins anew wherever it stops', () => {
  const { decided, during } = harness();
  during(4000, () => [track(0.1)]);
  during(4000, () => [track(0.3)]);
  expect(decided).toEqual([]);
  during(2000, () => [track(0.3)]);
  expect(decided).toHaveLength(1);
});

test('outside of the polygon, under the confidence and of another class nothing is raised', () => {
  const { decided, during } = harness();
  during(10_000, () => [track(0.6)]);
  during(10_000, () => [track(0.2, { score: 0.2 })]);
  during(10_000, () => [track(0.2, { class: 'garbage' })]);
  during(10_000, () => [track(0.2, { point: null })]);
  expect(decided).toEqual([]);
});

test('seen: an update a minute; gone: one clear after the time of the rule, and a new thing is a new event', () => {
  const { decided, during } = harness();
  during(130_000, () => [track(0.2)]);
  expect(decided.map((d) => d.kind)).toEqual(['raise', 'update', 'update']);
  during(9500, () => []);
  expect(decided).toHaveLength(3);
  during(1000, () => []);
  expect(decided.map((d) => d.kind)).toEqual(['raise', 'update', 'update', 'clear']);
  during(10_000, () => [track(0.2, { id: 't-2' })]);
  expect(decided.filter((d) => d.kind === 'raise')).toHaveLength(2);
});

test('a new track at the place of an active event takes it over', () => {
  const { decided, during } = harness();
  during(6000, () => [track(0.2)]);
  during(5000, () => []);
  during(20_000, () => [track(0.24, { id: 't-2' })]);
  expect(decided.map((d) => d.kind)).toEqual(['raise']);
});

test('two things side by side, seen together, are two events', () => {
  const { decided, during } = harness();
  during(7000, () => [track(0.2), track(0.31, { id: 't-2' })]);
  expect(decided.map((d) => d.kind)).toEqual(['raise', 'raise']);
});

test('one thing in two overlapping zones is one event', () => {
  const { decided, during } = harness([zone(), zone([RULE], 'again')]);
  during(10_000, () => [track(0.2)]);
  expect(decided).toHaveLength(1);
});

test('a thing that walks away from its event lets it clear and becomes another where it stops', () => {
  const { decided, during } = harness();
  during(6000, () => [track(0.05)]);
  during(11_000, () => [track(0.4)]);
  expect(decided.map((d) => d.kind)).toEqual(['raise', 'raise', 'clear']);
});

test('what stood there before an outage of an hour and stands there after it was confirmed hours late', () => {
  const { clock, decided, during } = harness();
  const firstAt = clock.now() + FRAME_MS;
  during(3_000, () => [track(0.2)]);
  clock.advance(3_600_000);
  during(4_000, () => [track(0.2, { id: 't-2' })]);
  expect(decided).toMatchObject([{ kind: 'raise', incident: { startedAt: firstAt } }]);
});

test('a camera that shows nothing neither confirms nor clears', () => {
  const { decided, step, during } = harness();
  step([track(0.2)]);
  step([track(0.2)]);
  step([track(0.2)], 60_000);
  expect(decided).toEqual([]);
  during(6000, () => [track(0.2)]);
  const raised = harness();
  raised.during(6000, () => [track(0.2)]);
  raised.step([], 60_000);
  expect(raised.decided.map((d) => d.kind)).toEqual(['raise']);
});

test('outside of its schedule a rule sees nothing; what stands on when it ends clears', () => {
  const evening: ZoneRule = { ...RULE, schedule: [{ from: '18:00', to: '22:00' }] };
  // 21:59:50 in Shanghai.
  const { decided, during } = harness([zone([evening])], new ManualClock(Date.parse('2026-11-23T13:59:50Z')));
  during(9000, () => [track(0.2)]);
  expect(decided.map((d) => d.kind)).toEqual(['raise']);
  during(12_000, () => [track(0.2)]);
  expect(decided.map((d) => d.kind)).toEqual(['raise', 'clear']);
  during(60_000, () => [track(0.2)]);
  expect(decided).toHaveLength(2);
});

test('what is smaller than a rule wants is not looked at', () => {
  const large: ZoneRule = { ...RULE, areaMin: 0.03 };
  const { decided, during } = harness([zone([large])]);
  // A tenth of the width by a fifth of the height is 0.02.
  during(20_000, () => [track(0.2)]);
  expect(decided).toEqual([]);
  during(20_000, () => [track(0.2, { box: [0.2, 0.3, 0.3, 0.62] })]);
  expect(decided.map((d) => d.kind)).toEqual(['raise']);
});

test('an open case keeps its place silent; a closed one re-arms it', () => {
  const { watch, decided, during } = harness();
  during(6000, () => [track(0.2)]);
  const incident = decided[0]?.incident;
  if (incident === undefined) throw new Error('not raised');
  incident.subject = 'event-1';
  during(11_000, () => []);
  watch.silence(incident);
  during(30_000, () => [track(0.2, { id: 't-2' })]);
  expect(decided.map((d) => d.kind)).toEqual(['raise', 'clear']);
  expect(watch.rearm('event-1')).toBe(incident);
  during(4000, () => [track(0.2, { id: 't-2' })]);
  expect(decided).toHaveLength(2);
  during(2000, () => [track(0.2, { id: 't-2' })]);
  expect(decided.map((d) => d.kind)).toEqual(['raise', 'clear', 'raise']);
});

test('a clock that jumps changes the dates, not the dwell time', () => {
  const { decided, during, clock } = harness();
  during(2000, () => [track(0.2)]);
  clock.jump(3_600_000);
  during(2000, () => [track(0.2)]);
  expect(decided).toEqual([]);
  during(2000, () => [track(0.2)]);
  expect(decided).toHaveLength(1);
});
