import { expect, test } from 'vitest';
import { LaneCursor, RoundTrip, type Rows, Window } from '#edge/uplink/mod.ts';

const LIMITS = { startFrames: 4, framesMax: 20 };

/** Full windows, each answered after `roundTripMs`; gives the time after `rounds`. */
function rounds(window: Window, { from = 0, count, roundTripMs, overdue = false }: Rounds): number {
  let now = from;
  for (let i = 0; i < count; i++) {
    const sentAt = now;
    now += roundTripMs;
    for (let k = window.frames; k > 0; k--) window.acked({ sentAt, roundTripMs, full: true, overdue }, now);
  }
  return now;
}
interface Rounds {
  from?: number;
  count: number;
  roundTripMs: number;
  overdue?: boolean;
}

test('the window grows by one a round trip while round trips stay short, up to its bound', () => {
  const window = new Window(LIMITS);
  rounds(window, { count: 6, roundTripMs: 50 });
  expect(window.frames).toBeGreaterThanOrEqual(8);
  expect(window.frames).toBeLessThanOrEqual(10);
  rounds(window, { from: 300, count: 100, roundTripMs: 50 });
  expect(window.frames).toBe(LIMITS.framesMax);
});

test('it does not grow when it was not used up, nor while an ack is overdue, nor on what was sent twice', () => {
  const window = new Window(LIMITS);
  rounds(window, { count: 50, roundTripMs: 20, overdue: true });
  for (let now = 1_000; now < 2_000; now += 20)
    window.acked({ sentAt: now - 20, roundTripMs: 20, full: false, overdue: false }, now);
  for (let now = 2_000; now < 3_000; now += 20)
    window.acked({ sentAt: now - 20, roundTripMs: null, full: true, overdue: false }, now);
  expect(window.frames).toBe(LIMITS.startFrames);
});

test('a queue on the way stops its growth, a long one makes it smaller, though never less than two', () => {
  const window = new Window(LIMITS);
  let now = rounds(window, { count: 8, roundTripMs: 20 });
  const grown = window.frames;
  now = rounds(window, { from: now, count: 20, roundTripMs: 150 });
  expect(window.frames).toBe(grown);
  rounds(window, { from: now, count: 40, roundTripMs: 600 });
  expect(window.frames).toBe(2);
});

test('an overdue ack halves it, once a round, down to one', () => {
  const window = new Window(LIMITS);
  let now = rounds(window, { count: 100, roundTripMs: 50 });
  for (const sentAt of [now - 500, now - 490, now - 480]) window.timedOut(sentAt, now);
  expect(window.frames).toBe(10);
  for (let i = 0; i < 10; i++) {
    now += 500;
    window.timedOut(now - 500, now);
  }
  expect(window.frames).toBe(1);
  window.reset(now);
  expect(window.frames).toBe(LIMITS.startFrames);
});

test('on a path that became longer, the shortest round trip is found anew, and the window grows again', () => {
  const window = new Window(LIMITS);
  let now = rounds(window, { count: 4, roundTripMs: 5 });
  now = rounds(window, { from: now, count: 5, roundTripMs: 300 });
  expect(window.frames).toBeLessThan(8);
  rounds(window, { from: now, count: 200, roundTripMs: 300 });
  expect(window.frames).toBe(LIMITS.framesMax);
});

test('on a path that became slower than the resend time, the resend time follows', () => {
  const rtt = new RoundTrip();
  for (let i = 0; i < 20; i++) rtt.measured(10);
  expect(rtt.resendAfterMs(1)).toBe(500);
  // No first sending is answered in time, so none is measured; the next frames wait longer all the same.
  rtt.timedOut(1);
  rtt.timedOut(2);
  expect(rtt.resendAfterMs(1)).toBe(2_000);
  rtt.measured(800);
  expect(rtt.resendAfterMs(1)).toBeGreaterThan(800);
});

test('rows whose taking spans a lost connection are backlog, and are given once', async () => {
  let lastSeq = 3;
  let answer: () => void = () => undefined;
  const outbox = {
    get stats() {
      return { readings: { lastSeq } };
    },
    take: (_lane: string, first: number, upTo: number) =>
      new Promise((resolve) => {
        answer = () => resolve({ first, last: upTo, count: upTo - first + 1, body: new Uint8Array() });
      }),
  } as unknown as Rows;
  const cursor = new LaneCursor('readings', outbox);
  lastSeq = 6;
  const live = cursor.nextLive(1e6, 10);
  // The connection is lost and found while the disk thinks.
  lastSeq = 8;
  cursor.fallBehind();
  answer();
  expect(await live).toMatchObject({ first: 4, last: 6 });
  const taken: number[][] = [];
  while (cursor.hasBacklog) {
    const next = cursor.nextBacklog(1e6, 10);
    answer();
    const chunk = await next;
    if (chunk) taken.push([chunk.first, chunk.last]);
  }
  expect(taken).toEqual([
    [1, 3],
    [7, 8],
  ]);
});
