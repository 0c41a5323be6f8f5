import { describe, expect, test } from 'vitest';
import { compareContent, compareEvents, type EventTold } from '#simulators/report/mod.ts';

describe('what was sent is what is stored', () => {
  const sent = new Map([
    [1, { ts: 1_000, fields: { tilt_deg: 1.5, opened: false } }],
    [2, { ts: 2_000, fields: { tilt_deg: 1.6, opened: false } }],
  ]);
  const point = (ts: number, seq: number, fields: Record<string, number | boolean>) => ({ ts, fields: { ...fields, seq } });

  test('value by value and in time', () => {
    const points = [point(1_000, 1, { tilt_deg: 1.5, opened: false }), point(2_000, 2, { tilt_deg: 1.6, opened: false })];
    expect(compareContent('d', sent, points)).toEqual({ compared: 2, altered: 0, examples: [] });
  });

  test('another value, another time, a value too many and one that is missing are named', () => {
    const points = [
      point(1_001, 1, { tilt_deg: 1.5, opened: true }),
      point(2_000, 2, { tilt_deg: 1.6, clock_skew: true, suppressed: 4 }),
      point(3_000, 3, { tilt_deg: 99 }),
    ];
    const of = (seq: number, ts: number, field: string, a: unknown, b: unknown) => ({
      device: 'd',
      seq,
      ts,
      field,
      sent: a,
      stored: b,
    });
    expect(compareContent('d', sent, points)).toEqual({
      compared: 2,
      altered: 2,
      examples: [
        of(1, 1_000, 'ts', 1_000, 1_001),
        of(1, 1_000, 'opened', false, true),
        of(2, 2_000, 'opened', false, null),
        of(2, 2_000, 'clock_skew', null, true),
      ],
    });
  });
});

describe('events by subject and revision', () => {
  const event = (subject: string, revision: number, over: Partial<EventTold['last']['data']> = {}): EventTold['last'] => ({
    subject,
    data: {
      revision,
      class: { flag: 1, code: '0134', fault: 'door_open' },
      place: { lon: 116, lat: 39, errorRadiusM: 2, cell: '110101001001001', component: '1101010134000001' },
      startedAt: 1_000,
      confirmedAt: 2_000,
      ...over,
    },
  });
  const told = (...all: [string, number, number[]][]) =>
    new Map(all.map(([subject, revision, acked]) => [subject, { last: event(subject, revision), acked: new Set(acked) }]));
  const seen = (record: EventTold['last'], receivedAt = 2_100) => ({ record, receivedAt });

  test('all there is nothing wrong, and a later revision stands for the one before it', () => {
    const stored = [seen(event('a', 2)), seen(event('b', 1))];
    expect(compareEvents(told(['a', 2, [2]], ['b', 1, []]), stored, 5_000)).toMatchObject({
      ...{ by: 'generator', sent: 3, acked: 1, stored: 3, lost: 0, duplicated: 0, unexpected: 0, late: 0, notes: [] },
    });
  });

  test('lost is what was acknowledged, not what is in doubt', () => {
    const counts = compareEvents(
      told(['a', 2, [1, 2]], ['b', 2, [1]], ['c', 1, [1]]),
      [seen(event('a', 1)), seen(event('b', 1))],
      5_000,
    );
    expect(counts).toMatchObject({ sent: 5, acked: 4, stored: 2, lost: 2 });
    expect(counts.notes).toEqual(['lost a of 1101010134000001: revision 2', 'lost c of 1101010134000001: revision 1']);
  });

  test('what is wrong is named one by one, and how many more there are', () => {
    const many = Array.from({ length: 1_200 }, (_, i): [string, number, number[]] => [`e${i}`, 1, [1]]);
    const { lost, notes } = compareEvents(told(...many), [], 5_000);
    expect([lost, notes.length, notes.at(-1)]).toEqual([1_200, 1_001, 'and 200 more']);
  });

  test('twice, late, never told and another content are told apart', () => {
    const stored = [
      seen(event('a', 1)),
      seen(event('a', 1)),
      seen(event('b', 1, { confirmedAt: 2_001 }), 9_000),
      seen(event('x', 1)),
      seen(event('c', 2)),
    ];
    const counts = compareEvents(told(['a', 1, [1]], ['b', 1, [1]], ['c', 1, [1]]), stored, 5_000);
    expect(counts).toMatchObject({ stored: 3, lost: 0, duplicated: 1, unexpected: 3, late: 1 });
    expect(counts.notes).toContain('unexpected b: confirmedAt sent 2000, stored 2001');
  });
});
