import { caseNumber } from '#grid/mod.ts';
import { GewuError } from '#service/mod.ts';
import type { Queries } from '../database/mod.ts';

const SERIAL_MAX = 99_999;

/** How many of a division and day one transaction has issued: `serial` is the last. */
interface Issued {
  division: string;
  day: string;
  serial: number;
  unwritten: boolean;
}

/**
 * Case numbers of one transaction: division (6), day of filing (8), serial of that division and day (5): 19 digits.
 * Source: docs/domain/rules.md section 5. A filing that fails leaves no gap. The first of a division locks its row, so that
 * the further ones need no statement each: `write` says the last.
 */
export class CaseNumbers {
  readonly #db: Queries;
  readonly #at: number;
  readonly #timeZone: string;
  readonly #issued = new Map<string, Issued>();

  /** `at`: UTC ms of the filing. */
  constructor({ db, at, timeZone }: { db: Queries; at: number; timeZone: string }) {
    this.#db = db;
    this.#at = at;
    this.#timeZone = timeZone;
  }

  /** Throws GEWU_TRANSITION_GUARD when the day's serials are used up. */
  async next(cell: string): Promise<string> {
    const division = cell.slice(0, 6);
    const day = dayOf(this.#at, this.#timeZone);
    const issued = this.#issued.get(division);
    const serial = issued === undefined ? await this.#first(division, day) : ++issued.serial;
    if (issued) issued.unwritten = true;
    if (serial > SERIAL_MAX) throw new GewuError('GEWU_TRANSITION_GUARD', `all case numbers of ${division} on ${day} are used`);
    return caseNumber(division, day, serial);
  }

  async write(): Promise<void> {
    for (const { division, day, serial, unwritten } of this.#issued.values()) {
      if (!unwritten) continue;
      const last = Math.min(serial, SERIAL_MAX);
      await this.#db
        .updateTable('case_numbers')
        .set({ serial: last })
        .where('division', '=', division)
        .where('day', '=', day)
        .execute();
    }
  }

  async #first(division: string, day: string): Promise<number> {
    const { serial } = await this.#db
      .insertInto('case_numbers')
      .values({ division, day, serial: 1 })
      .onConflict((c) => c.columns(['division', 'day']).doUpdateSet((eb) => ({ serial: eb('case_numbers.serial', '+', 1) })))
      .returning('serial')
      .executeTakeFirstOrThrow();
    this.#issued.set(division, { division, day, serial, unwritten: false });
    return serial;
  }
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
