import { expect, test } from 'vitest';
import { NotifySettings } from '#grid/api/mod.ts';
import { onDuty, quietUntil, settingsMistakes } from '#ingest/notify/duty.ts';
import { checkConfig } from '#service/mod.ts';

const person = (id: string, more: object = {}) => ({ id, name: id, to: [{ channel: 'hook' }], ...more });
const settings = checkConfig('test', NotifySettings, {
  calendars: { holidays: ['2026-10-01'] },
  people: [person('a'), person('b'), person('c', { quiet: [{ from: '22:00', to: '07:00' }] })],
  shifts: [
    { id: 'day', when: [{ days: [1, 2, 3, 4, 5], from: '08:00', to: '20:00', exceptCalendar: 'holidays' }], people: ['a', 'b'] },
    { id: 'night', when: [{ from: '20:00', to: '08:00' }], topics: ['edge-silent'], people: ['c', 'a'] },
    { id: 'feast', when: [{ from: '08:00', to: '20:00', calendar: 'holidays' }], people: ['b'] },
  ],
  fallback: ['c'],
});
const at = (local: string) => Date.parse(`${local}+08:00`);
const names = (topic: Parameters<typeof onDuty>[1], local: string) => onDuty(settings, topic, at(local)).map((p) => p.id);

test('who is on duty is told by weekday, hour, holiday and topic; the fallback where nobody is', () => {
  // A Monday, and the night that begins on it.
  expect(names('camera-fault', '2026-11-23T09:00')).toEqual(['a', 'b']);
  expect(names('edge-silent', '2026-11-23T23:00')).toEqual(['c', 'a']);
  expect(names('edge-silent', '2026-11-24T07:59')).toEqual(['c', 'a']);
  expect(names('camera-fault', '2026-11-23T23:00')).toEqual(['c']);
  // A Sunday, and a holiday on a Thursday.
  expect(names('edge-silent', '2026-11-22T12:00')).toEqual(['c']);
  expect(names('edge-silent', '2026-10-01T12:00')).toEqual(['b']);
});

test('quiet hours end where the windows do, also after midnight', () => {
  const c = settings.people[2];
  if (c === undefined) throw new Error('there is no c');
  expect(quietUntil(settings, c, at('2026-11-23T21:59'))).toBe(at('2026-11-23T21:59'));
  expect(quietUntil(settings, c, at('2026-11-23T23:30'))).toBe(at('2026-11-24T07:00'));
  expect(quietUntil(settings, c, at('2026-11-24T03:00:20'))).toBe(at('2026-11-24T07:00'));
});

test('settings that name what is not there are refused, mistake by mistake', () => {
  const channels = new Map([
    ['hook', { kind: 'webhook' }],
    ['mail', { kind: 'smtp' }],
  ]);
  expect(settingsMistakes(settings, channels)).toEqual([]);
  const bad = checkConfig('test', NotifySettings, {
    timeZone: 'Asia/Nowhere',
    people: [person('a', { to: [{ channel: 'fax' }, { channel: 'mail', address: 'a@b>,c@d' }] }), person('a')],
    shifts: [{ id: 's', when: [{ from: '08:00', to: '20:00', calendar: 'feasts' }], people: ['nobody'] }],
    fallback: ['ghost'],
  });
  expect(settingsMistakes(bad, channels).map((m) => m.key)).toEqual([
    'timeZone',
    'people.0.to.0.channel',
    'people.0.to.1.address',
    'people.1.id',
    'shifts.0.people.0',
    'shifts.0.when.0',
    'fallback.0',
  ]);
});
