import { componentClass } from '../catalogue/mod.ts';
import { type CodeFault, divisionFault } from './division.ts';

/** A component (部件) code: division (6), major (2), minor (2), serial (6). */
export interface ComponentCode {
  code: string;
  division: string;
  /** Major + minor, four digits: the class in the catalogue. */
  class: string;
  serial: string;
}
export type Parsed<T> = { ok: true; value: T } | { ok: false; fault: CodeFault };

const MAJORS = new Set(['01', '02', '03', '04', '05', '06', '21']);

/**
 * `extensions` are the locally defined classes of major 21; none by default, until a city defines them.
 */
export function parseComponentCode(code: string, extensions: ReadonlySet<string> = new Set()): Parsed<ComponentCode> {
  if (!/^[0-9]{16}$/.test(code)) return { ok: false, fault: 'length/charset' };
  const division = code.slice(0, 6);
  const fault = divisionFault(division) ?? classFault(code.slice(6, 10), extensions);
  if (fault) return { ok: false, fault };
  const serial = code.slice(10);
  if (serial === '000000') return { ok: false, fault: 'serial' };
  return { ok: true, value: { code, division, class: code.slice(6, 10), serial } };
}

function classFault(code: string, extensions: ReadonlySet<string>): CodeFault | null {
  const major = code.slice(0, 2);
  if (!MAJORS.has(major)) return 'major';
  if (major === '21') return extensions.has(code) ? null : 'minor: extension not defined';
  return componentClass(code) ? null : 'minor';
}
