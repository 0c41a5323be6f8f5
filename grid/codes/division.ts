/**
 * Administrative division codes, six digits (GB/T 2260): province, prefecture, county.
 * Ranges explain a refusal; a loaded division table would decide. Source: docs/domain/rules.md section 1.
 */

/** Why a code is refused. */
export type CodeFault =
  | 'length/charset'
  | 'division: province'
  | 'division: prefecture'
  | 'division: county'
  | 'division: not county level'
  | 'major'
  | 'minor'
  | 'minor: extension not defined'
  | 'serial'
  | 'street'
  | 'community'
  | 'sequence'
  | 'event class';

const PROVINCES = new Set(
  '11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 65 71 81 82'.split(' '),
);

/** Null when the six digits may be a county-level division. */
export function divisionFault(code: string): CodeFault | null {
  if (!/^[0-9]{6}$/.test(code)) return 'length/charset';
  if (!PROVINCES.has(code.slice(0, 2))) return 'division: province';
  const prefecture = Number(code.slice(2, 4));
  const county = Number(code.slice(4, 6));
  if (prefecture === 0 || county === 0) return 'division: not county level';
  // 90 stands for counties directly under the province (429004).
  if (prefecture > 70 && prefecture !== 90) return 'division: prefecture';
  return null;
}
