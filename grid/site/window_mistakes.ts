import type { Calendars, TimeWindow, ZoneRule } from '../rules/mod.ts';
import type { SiteMistake } from './mistakes.ts';
import type { Site } from './site.ts';

/** Windows of a rule, at `key`, that name calendars which the site does not have. */
export function windowMistakes({ schedule = [], permitted = [] }: ZoneRule, key: string, calendars: Calendars): SiteMistake[] {
  const named = (list: string, windows: readonly TimeWindow[]) =>
    windows.flatMap((window, n) =>
      (['calendar', 'exceptCalendar'] as const).flatMap((part): SiteMistake[] => {
        const name = window[part];
        if (name === undefined || Object.hasOwn(calendars, name)) return [];
        return [{ key: `${key}.${list}.${n}.${part}`, value: name, message: 'the site has no such calendar' }];
      }),
    );
  return [...named('schedule', schedule), ...named('permitted', permitted)];
}

/** Days that no year has: a market would be let alone on none of them. */
export function calendarMistakes({ calendars = {} }: Site): SiteMistake[] {
  return Object.entries(calendars).flatMap(([name, days]) =>
    days.flatMap((day, n) =>
      isDay(day) ? [] : [{ key: `calendars.${name}.${n}`, value: day, message: 'there is no such day' }],
    ),
  );
}

function isDay(day: string): boolean {
  const found = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(found.getTime()) && found.toISOString().startsWith(day);
}
