import data from './catalogue.json' with { type: 'json' };
import { fault } from './faults.ts';

export * from './faults.ts';

/** A class of the catalogue (CJ/T 214 majors and minors), component or event. */
export interface CatalogueClass {
  /** Major + minor, four digits. */
  code: string;
  nameZh: string;
  nameEn: string;
  majorZh: string;
  majorEn: string;
}

interface RawMinor {
  code: string;
  name_zh: string;
  name_en: string;
}
interface RawMajor {
  major: string;
  name_zh: string;
  name_en: string;
  minors: readonly RawMinor[];
}

function flatten(majors: readonly RawMajor[]): ReadonlyMap<string, CatalogueClass> {
  const rows = majors.flatMap((major) =>
    major.minors.map((m): [string, CatalogueClass] => [
      m.code,
      { code: m.code, nameZh: m.name_zh, nameEn: m.name_en, majorZh: major.name_zh, majorEn: major.name_en },
    ]),
  );
  return new Map(rows);
}

/** Majors 01-06. The extension classes (21xx) of the catalogue are examples of other cities and off until a city defines its own. */
export const COMPONENT_CLASSES = flatten(data.component_classes.filter((m) => m.major !== '21') as readonly RawMajor[]);
export const EVENT_CLASSES = flatten(data.event_classes as readonly RawMajor[]);

export const componentClass = (code: string): CatalogueClass | undefined => COMPONENT_CLASSES.get(code);
export const eventClass = (code: string): CatalogueClass | undefined => EVENT_CLASSES.get(code);

/** What a person reads for the class of an event or case. An unknown code is shown as it is. */
export function className(c: { flag: 1 | 2; code: string; fault?: string | undefined }): { zh: string; en: string } {
  const entry = c.flag === 1 ? componentClass(c.code) : eventClass(c.code);
  const what = c.fault === undefined ? undefined : fault(c.fault);
  if (what) return { zh: what.nameZh, en: what.nameEn };
  return { zh: entry?.nameZh ?? c.code, en: entry?.nameEn ?? c.code };
}
