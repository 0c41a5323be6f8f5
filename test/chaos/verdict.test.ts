import { expect, test } from 'vitest';
import { type ChaosVerdict, compareAlarms, shortfalls } from '#cli/chaos/verdict.ts';
import type { Case } from '#grid/mod.ts';

const OPEN_COVER = { flag: 1, code: '0102', fault: 'cover_open' };
const event = (subject: string, component: string, more: object = {}) => ({
  record: { subject, data: { class: OPEN_COVER, place: { component }, ...more } },
  case: null,
});
const filed = (id: string, component: string, of: object = OPEN_COVER) =>
  ({ id, place: { component }, class: of }) as unknown as Case;
const staged = (device: string, more: object = {}) => ({
  device,
  component: `component-of-${device}`,
  certain: true,
  closes: false,
  cleared: false,
  ...more,
});
const compare = (truth: ReturnType<typeof staged>[], events: ReturnType<typeof event>[], cases: Case[]) => {
  const { lost, duplicated, unexpected } = compareAlarms(truth, { events: events as never, cases });
  return { lost, duplicated, unexpected };
};
const NOTHING = { lost: 0, duplicated: 0, unexpected: 0 };

test('one event and one case for each alarm is right', () => {
  const over = event('e2', 'component-of-b', { clearedAt: 5 });
  const truth = [staged('a'), staged('b', { closes: true, cleared: true }), staged('c', { certain: false })];
  const cases = [filed('1', 'component-of-a'), filed('2', 'component-of-b')];
  expect(compare(truth, [event('e1', 'component-of-a'), over], cases)).toEqual(NOTHING);
});

test('missing, double and foreign ones are counted', () => {
  const one = [event('e1', 'component-of-a')];
  const its = [filed('1', 'component-of-a')];
  expect(compare([staged('a')], [], [])).toEqual({ ...NOTHING, lost: 2 });
  expect(compare([staged('a')], [...one, ...one], [...its, ...its])).toEqual({ ...NOTHING, duplicated: 2 });
  expect(compare([], one, its)).toEqual({ ...NOTHING, unexpected: 2 });
  expect(compare([staged('a')], one, [...its, filed('2', 'component-of-a', { flag: 2, code: '0404' })])).toEqual({
    ...NOTHING,
    duplicated: 1,
    unexpected: 1,
  });
});

test('an end that did not arrive is lost, an end that nobody made is unexpected', () => {
  const its = [filed('1', 'component-of-a')];
  expect(compare([staged('a', { closes: true, cleared: true })], [event('e', 'component-of-a')], its)).toEqual({
    ...NOTHING,
    lost: 1,
  });
  expect(compare([staged('a')], [event('e', 'component-of-a', { clearedAt: 5 })], its)).toEqual({ ...NOTHING, unexpected: 1 });
});

test('a run passes only without any loss, repeat, surprise or crash, with all kills and the rate', () => {
  const passed = { kills: 5, lost: 0, duplicated: 0, unexpected: 0, crashes: 0, ackedPerS: 2000 } as ChaosVerdict;
  expect(shortfalls(passed, { killsWanted: 5 })).toEqual([]);
  for (const worse of [{ kills: 4 }, { lost: 1 }, { duplicated: 1 }, { unexpected: 1 }, { crashes: 1 }, { ackedPerS: 1999 }])
    expect(shortfalls({ ...passed, ...worse }, { killsWanted: 5 })).toHaveLength(1);
});
