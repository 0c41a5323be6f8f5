import { caseNumber } from '#grid/mod.ts';
import { GewuError } from '#service/mod.ts';
import type { Queries } from '../database/mod.ts';

const SERIAL_MAX = 99_999;

/**
 * The next case number: division (6), day of filing (8), serial of that division and day (5): 19 digits.
 * Source: docs/domain/rules.md section 5. Issued inside the filing's transaction: a filing that fails leaves no gap.
 * Throws GEWU_TRANSITION_GUARD when the day's serials are used up.
 */
export async function nextCaseNumber(db: Queries, cell: string, at: number, timeZone: string): Promise<string> {
  const division = cell.slice(0, 6);
  const day = dayOf(at, timeZone);
  const { serial } = await db
    .insertInto('case_numbers')
    .values({ division, day, serial: 1 })
    .onConflict((c) => c.columns(['division', 'day']).doUpdateSet((eb) => ({ serial: eb('case_numbers.serial', '+', 1) })))
    .returning('serial')
    .executeTakeFirstOrThrow();
  if (serial > SERIAL_MAX) throw new GewuError('GEWU_TRANSITION_GUARD', `all case numbers of ${division} on ${day} are used`);
  return caseNumber(division, day, serial);
}

/** `20261123` in the city's own time. */
export function dayOf(at: number, timeZone: string): string {
  let format = formats.get(timeZone);
  if (!format) {
    format = new Intl.DateTimeFormat('en-CA', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' });
    formats.set(timeZone, format);
  }
  return format.format(at).replaceAll('-', '');
}
const formats = new Map<string, Intl.DateTimeFormat>();
