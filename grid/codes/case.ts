const SERIAL_MAX = 99_999;

/**
 * A case number: division (6), date of filing (8, yyyymmdd), serial of that division and day (5): 19 digits, a string.
 * Throws RangeError on exhaustion: a number never wraps.
 */
export function caseNumber(division: string, yyyymmdd: string, serial: number): string {
  if (!/^[0-9]{6}$/.test(division) || !/^[0-9]{8}$/.test(yyyymmdd))
    throw new RangeError(`not a division and date: ${division} ${yyyymmdd}`);
  if (!Number.isInteger(serial) || serial < 1 || serial > SERIAL_MAX)
    throw new RangeError(`case serial ${serial} of ${division} on ${yyyymmdd}`);
  return `${division}${yyyymmdd}${String(serial).padStart(5, '0')}`;
}
