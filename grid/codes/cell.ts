import type { Parsed } from './component.ts';
import { divisionFault } from './division.ts';

/** A unit grid (万米单元网格) code: division (6), street (3), community (3), sequence (3). */
export interface CellCode {
  code: string;
  division: string;
  street: string;
  community: string;
  sequence: string;
}

/** Streets 001-399 by type of division, 400-599 enterprise units (GB/T 10114). */
const STREET_MAX = 599;

export function parseCellCode(code: string): Parsed<CellCode> {
  if (!/^[0-9]{15}$/.test(code)) return { ok: false, fault: 'length/charset' };
  const division = code.slice(0, 6);
  const [street, community, sequence] = [code.slice(6, 9), code.slice(9, 12), code.slice(12)];
  const fault = divisionFault(division);
  if (fault) return { ok: false, fault };
  if (street === '000' || Number(street) > STREET_MAX) return { ok: false, fault: 'street' };
  if (community === '000') return { ok: false, fault: 'community' };
  // 000 is the community itself, a roll-up and no cell.
  if (sequence === '000') return { ok: false, fault: 'sequence' };
  return { ok: true, value: { code, division, street, community, sequence } };
}
