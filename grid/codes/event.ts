import { eventClass } from '../catalogue/mod.ts';
import type { Parsed } from './component.ts';
import { divisionFault } from './division.ts';

/** An event class: four digits, or ten with the division in front. */
export interface EventClassCode {
  division: string | null;
  class: string;
}

export function parseEventClassCode(code: string): Parsed<EventClassCode> {
  if (!/^([0-9]{4}|[0-9]{10})$/.test(code)) return { ok: false, fault: 'length/charset' };
  const division = code.length === 10 ? code.slice(0, 6) : null;
  const fault = division === null ? null : divisionFault(division);
  if (fault) return { ok: false, fault };
  const four = code.slice(-4);
  return eventClass(four) ? { ok: true, value: { division, class: four } } : { ok: false, fault: 'event class' };
}
