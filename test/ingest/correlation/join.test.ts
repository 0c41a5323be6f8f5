import { describe, expect, it } from 'vitest';
import type { EventData } from '#grid/mod.ts';
import { type Candidate, join } from '#ingest/correlation/mod.ts';
import { CELL, COVER, east, HERE, stall, T0 } from '../cases/fixture.ts';

const HOUR = 3600 * 1000;
const event = (over: Partial<EventData> = {}, m = 0, errorRadiusM = 5): EventData => {
  const { data } = stall('e', 1, { ...over, at: east(m), place: { errorRadiusM, ...over.place } } as never);
  return { ...data, startedAt: T0, lastSeenAt: T0, ...over, place: { ...data.place, ...over.place } };
};
const candidate = (over: Partial<Candidate> = {}): Candidate => ({
  id: 'c1',
  place: { ...HERE, errorRadiusM: 5, cell: CELL },
  startedAt: T0 - HOUR,
  lastSeenAt: T0,
  closedAt: null,
  ...over,
});
const fresh = { to: 'new', recurrenceOf: null };

describe('joining', () => {
  it('joins within both error radii, and one metre further not', () => {
    expect(join(event({}, 9.9), [candidate()])).toEqual({ to: 'case', id: 'c1' });
    expect(join(event({}, 11), [candidate()])).toEqual(fresh);
    expect(join(event({}, 40, 20), [candidate({ place: { ...HERE, errorRadiusM: 20.1, cell: CELL } })])).toEqual({
      to: 'case',
      id: 'c1',
    });
  });

  it('takes the nearest, and among equals the last seen', () => {
    const at = (id: string, m: number, lastSeenAt = T0) =>
      candidate({ id, lastSeenAt, place: { ...east(m), errorRadiusM: 5, cell: CELL } });
    expect(join(event(), [at('far', 8), at('near', 2), at('middle', 5)])).toEqual({ to: 'case', id: 'near' });
    expect(join(event(), [at('a', 3, T0 - 1), at('b', 3)])).toEqual({ to: 'case', id: 'b' });
  });

  it('does not join two components by their position, but a component and something that names none', () => {
    const cover = (component: string) => ({ ...HERE, errorRadiusM: 5, cell: CELL, component });
    expect(join(event({ place: cover(COVER) }), [candidate({ place: cover('2102830102000099') })])).toEqual(fresh);
    expect(join(event(), [candidate({ place: cover(COVER) })])).toEqual({ to: 'case', id: 'c1' });
    expect(join(event({ place: cover(COVER) }), [candidate()])).toEqual({ to: 'case', id: 'c1' });
  });

  it('the component wins over a nearer place', () => {
    const place = { ...east(500), errorRadiusM: 5, cell: CELL, component: COVER };
    const open = [candidate({ id: 'near' }), candidate({ id: 'same', place })];
    expect(join(event({ place: { ...HERE, errorRadiusM: 5, cell: CELL, component: COVER } }), open)).toEqual({
      to: 'case',
      id: 'same',
    });
  });

  it('what went and came again is the same while its case is open, in whatever order they are told', () => {
    const over = candidate({ startedAt: T0 - 2 * HOUR, lastSeenAt: T0 - HOUR });
    expect(join(event(), [over])).toEqual({ to: 'case', id: 'c1' });
    const later = candidate({ startedAt: T0 + HOUR, lastSeenAt: T0 + HOUR });
    expect(join(event({ clearedAt: T0 + 1 }), [later])).toEqual({ to: 'case', id: 'c1' });
  });

  it('what is told late of a time before the closing belongs to what was closed', () => {
    const closed = candidate({ id: 'old', closedAt: T0 + HOUR });
    // A camera whose case is closed looks anew at what stands there: its last sight decides.
    expect(join(event({ lastSeenAt: T0 + HOUR }, 3), [closed])).toEqual({ to: 'past', id: 'old' });
    expect(join(event({ lastSeenAt: T0 + HOUR + 1 }, 3), [closed])).toEqual({ to: 'new', recurrenceOf: 'old' });
    expect(join(event({ lastSeenAt: T0 }, 12), [closed])).toEqual(fresh);
    // A sensor's alarm stands until it clears.
    const sensor = { by: 'sensor', device: 'd', kind: 'k', rule: 'r', field: 'f', value: true } as const;
    expect(join(event({ origin: sensor }), [closed])).toEqual({ to: 'new', recurrenceOf: 'old' });
    expect(join(event({ origin: sensor, clearedAt: T0 + 5 }), [closed])).toEqual({ to: 'past', id: 'old' });
    expect(join(event(), [closed, candidate({ id: 'open' })])).toEqual({ to: 'case', id: 'open' });
  });

  it('forgets by position after 24 hours', () => {
    expect(join(event(), [candidate({ lastSeenAt: T0 - 24 * HOUR + 1 })])).toEqual({ to: 'case', id: 'c1' });
    expect(join(event(), [candidate({ lastSeenAt: T0 - 24 * HOUR })])).toEqual(fresh);
  });

  it('links to what was closed within 24 hours, and prefers what is open', () => {
    const closed = candidate({ id: 'old', closedAt: T0 - 24 * HOUR + 1 });
    expect(join(event(), [closed])).toEqual({ to: 'new', recurrenceOf: 'old' });
    expect(join(event(), [closed, candidate()])).toEqual({ to: 'case', id: 'c1' });
    expect(join(event(), [candidate({ closedAt: T0 - 24 * HOUR })])).toEqual(fresh);
  });
});
