import { expect, test } from 'vitest';
import { type Decision, type Track, ZoneWatch } from '#edge/vision/mod.ts';
import { type Calendars, inForce, wallClock, type Zone, type ZoneRule } from '#grid/mod.ts';
import { ManualClock } from '#service/mod.ts';
import { RULE } from './street.ts';

const FRAME_MS = 500;
const wall = wallClock('Asia/Shanghai');
const WHOLE: Zone['polygon'] = [
  [0, 0],
  [1, 0],
  [1, 1],
  [0, 1],
];

function track(id: string, x: number, y: number, changes: Partial<Track> = {}): Track {
  const box = [x - 0.05, y - 0.2, x + 0.05, y] as const;
  return {
    id,
    class: 'stall',
    box,
    score: 0.8,
    point: [x * 20, (1 - y) * 40],
    errorRadiusM: 1,
    foot: [x, y],
    confirmed: true,
    seen: true,
    newFrom: null,
    ...changes,
  };
}

function watching(
  rule: Partial<ZoneRule>,
  { polygon = WHOLE, calendars }: { polygon?: Zone['polygon']; calendars?: Calendars } = {},
) {
  const clock = new ManualClock();
  const watch = new ZoneWatch({ zones: [{ id: 'z', polygon, rules: [{ ...RULE, ...rule }] }], frameMs: FRAME_MS, calendars });
  const decided: Decision[] = [];
  const step = (...tracks: Track[]): void => {
    clock.advance(FRAME_MS);
    decided.push(...watch.step(tracks, { at: clock.now(), ms: clock.monotonic(), wall: wall(clock.now()) }));
  };
  const kinds = () => decided.map((d) => d.kind);
  return { step, decided, kinds, clock };
}

test('n of m pictures: a thing that blinks is there, and one that is seen now and then is not', () => {
  const patient = watching({ pictures: { seen: 2, of: 5 } });
  for (let n = 0; n < 14; n++) patient.step(...(n % 5 < 2 ? [track('a', 0.5, 0.5)] : []));
  expect(patient.kinds()).toEqual(['raise']);
  const strict = watching({ pictures: { seen: 4, of: 5 } });
  for (let n = 0; n < 40; n++) strict.step(...(n % 5 < 3 ? [track('a', 0.5, 0.5)] : []));
  expect(strict.kinds()).toEqual([]);
});

test('n of m pictures: the end, too, waits until it is seen in fewer', () => {
  const { step, kinds } = watching({ pictures: { seen: 1, of: 10 }, clearS: 4 });
  for (let n = 0; n < 14; n++) step(track('a', 0.5, 0.5));
  // One false sight in nine pictures would keep it for ever; none in ten begins the clear time.
  for (let n = 0; n < 9; n++) step();
  step(track('a', 0.5, 0.5));
  for (let n = 0; n < 16; n++) step();
  expect(kinds()).toEqual(['raise']);
  for (let n = 0; n < 3; n++) step();
  expect(kinds()).toEqual(['raise', 'clear']);
});

const LINE: [[number, number], [number, number]] = [
  [0.2, 0.5],
  [0.8, 0.5],
];

test.for([
  ['any', true, true],
  ['to-the-right', true, false],
  ['to-the-left', false, true],
] as const)('over a line, %s: down %s, up %s', ([way, down, up]) => {
  const crosses = { line: LINE, way };
  const path = (ys: readonly number[]) => {
    const { step, decided } = watching({ crosses, dwellS: 0 });
    for (const y of ys) step(track('a', 0.5, y));
    return decided.length === 1;
  };
  // Who looks from the left end to the right one has the lower part of the picture at his right hand.
  expect(path([0.4, 0.48, 0.55, 0.6])).toBe(down);
  expect(path([0.6, 0.55, 0.48, 0.4])).toBe(up);
});

test('over a line: once a thing, beside the line and outside of the zone nothing, and it clears', () => {
  const crosses = { line: LINE, way: 'any' } as const;
  const { step, kinds } = watching({ crosses, dwellS: 0, clearS: 3 });
  for (const y of [0.4, 0.6, 0.4, 0.6]) step(track('a', 0.5, y));
  expect(kinds()).toEqual(['raise']);
  step(track('b', 0.9, 0.4));
  step(track('b', 0.9, 0.6));
  for (let n = 0; n < 6; n++) step(track('a', 0.5, 0.7));
  expect(kinds()).toEqual(['raise', 'clear']);
  const elsewhere = watching(
    { crosses, dwellS: 0 },
    {
      polygon: [
        [0, 0],
        [0.3, 0],
        [0.3, 1],
        [0, 1],
      ],
    },
  );
  elsewhere.step(track('a', 0.5, 0.4));
  elsewhere.step(track('a', 0.5, 0.6));
  expect(elsewhere.kinds()).toEqual([]);
});

test('over a line: one that is hidden while it crosses has crossed, one that ends on the line not yet', () => {
  const { step, kinds } = watching({ crosses: { line: LINE, way: 'any' }, dwellS: 0 });
  step(track('a', 0.5, 0.4));
  step(track('a', 0.5, 0.45, { seen: false }));
  step(track('a', 0.5, 0.5));
  expect(kinds()).toEqual([]);
  step(track('a', 0.5, 0.55));
  expect(kinds()).toEqual(['raise']);
});

test('count: more than may be, for the dwell time, is one event around all of them; one fewer ends it', () => {
  const { step, decided, kinds } = watching({ count: { above: 2 }, clearS: 2 });
  const [a, b, c] = [track('a', 0.2, 0.5), track('b', 0.5, 0.5), track('c', 0.8, 0.5, { score: 0.9 })];
  for (let n = 0; n < 20; n++) step(a, b);
  for (let n = 0; n < 6; n++) step(a, b, c);
  expect(kinds()).toEqual([]);
  for (let n = 0; n < 8; n++) step(a, b, c);
  expect(kinds()).toEqual(['raise']);
  const { incident } = decided[0] as Decision;
  expect(incident).toMatchObject({ count: 3, trackId: 'c' });
  for (const [k, edge] of [0.15, 0.3, 0.85, 0.5].entries()) expect(incident.box[k]).toBeCloseTo(edge);
  expect(incident.point[0]).toBeCloseTo(10);
  // From the middle to the outer ones are six metres, and theirs is known to one.
  expect(incident.errorRadiusM).toBeCloseTo(7);
  for (let n = 0; n < 6; n++) step(a, b);
  expect(kinds()).toEqual(['raise', 'clear']);
});

test('a holiday of the calendar of the site, and every day but those', () => {
  const calendars = { holidays: ['2027-02-17'] };
  const at = (local: string) => wall(Date.parse(`${local}+08:00`));
  const only = { schedule: [{ calendar: 'holidays', from: '22:00', to: '02:00' }] };
  expect(inForce(only, at('2027-02-17T23:00'), calendars)).toBe(true);
  expect(inForce(only, at('2027-02-18T01:00'), calendars)).toBe(true);
  expect(inForce(only, at('2027-02-17T01:00'), calendars)).toBe(false);
  const workdays = { schedule: [{ days: [1, 2, 3, 4, 5], exceptCalendar: 'holidays', from: '08:00', to: '18:00' }] };
  expect(inForce(workdays, at('2027-02-16T12:00'), calendars)).toBe(true);
  expect(inForce(workdays, at('2027-02-17T12:00'), calendars)).toBe(false);
  expect(inForce({ permitted: [{ calendar: 'holidays', from: '00:00', to: '24:00' }] }, at('2027-02-17T12:00'), calendars)).toBe(
    false,
  );
  // A rule with a name that is nobody's is found by `gewu validate`; here it is never its day.
  expect(inForce({ schedule: [{ calendar: 'other', from: '00:00', to: '24:00' }] }, at('2027-02-17T12:00'), calendars)).toBe(
    false,
  );
});

test('dwell time is of the rule: two classes in one zone have their own', () => {
  const clock = new ManualClock();
  const rules: ZoneRule[] = [
    { ...RULE, dwellS: 3 },
    { ...RULE, id: 'garbage', detects: 'garbage', raises: { event: '0102' }, dwellS: 8 },
  ];
  const watch = new ZoneWatch({ zones: [{ id: 'z', polygon: WHOLE, rules }], frameMs: FRAME_MS });
  const raisedAfterMs = new Map<string, number>();
  for (let n = 0; n < 30; n++) {
    clock.advance(FRAME_MS);
    const tracks = [track('a', 0.3, 0.5), track('b', 0.7, 0.5, { class: 'garbage' })];
    for (const { incident } of watch.step(tracks, { at: clock.now(), ms: clock.monotonic(), wall: wall(clock.now()) }))
      raisedAfterMs.set(incident.rule.id, n * FRAME_MS);
  }
  expect(Object.fromEntries(raisedAfterMs)).toEqual({ stall: 3000, garbage: 8000 });
});

test('behind a motion gate, which opens for what comes, a dwell time is over half a picture sooner, and not half a look', () => {
  const zones: Zone[] = [{ id: 'z', polygon: WHOLE, rules: [RULE] }];
  const watch = new ZoneWatch({ zones, frameMs: 4 * FRAME_MS, pictureMs: FRAME_MS });
  const clock = new ManualClock();
  const pictures = Array.from({ length: 20 }, () => {
    clock.advance(FRAME_MS);
    return watch.step([track('a', 0.5, 0.5)], { at: clock.now(), ms: clock.monotonic(), wall: wall(clock.now()) });
  });
  // The first one begins it.
  expect(pictures.findIndex((decided) => decided.length > 0)).toBe((RULE.dwellS * 1000) / FRAME_MS);
});
