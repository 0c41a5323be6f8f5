import { type Codec, type Decoded, decodeJson, fault, type JsonObject } from './codec.ts';

/**
 * SenML in JSON (RFC 8428), resolved: base fields applied, times absolute. Records of one device and one time become one
 * object `{name, time, fields, units}`. `name` is the base name, or the whole name where there is none; `time` is UTC s;
 * `fields` go by the record's own name (`value` when it has none), and where two of them differ by unit only, the second
 * is `name@unit`. Other repetitions begin another object.
 */
export const senml: Codec = {
  name: 'senml',
  binary: false,
  decode(bytes, nowMs) {
    const json = decodeJson(bytes);
    return json.ok ? resolve(json.objects, nowMs / 1000) : json;
  },
};

/** Section 4.4: the version that this reads. */
const VERSION_MAX = 10;
/** Section 4.5.3: below it a time counts from now. */
const ABSOLUTE_FROM_S = 2 ** 28;
/** Section 4.5.1. */
const NAME_EXPRESSION = /^[A-Za-z0-9][A-Za-z0-9\-:./_]{0,255}$/;
const LABELS = new Set(['bn', 'bt', 'bu', 'bv', 'bs', 'bver', 'n', 'u', 'v', 'vs', 'vb', 'vd', 's', 't', 'ut']);
const NUMBERS = ['bt', 'bv', 'bs', 'bver', 'v', 's', 't', 'ut'] as const;
const TEXTS = ['bn', 'bu', 'n', 'u', 'vs', 'vd'] as const;
const VALUES = ['v', 'vs', 'vb', 'vd'] as const;

interface SenmlRecord {
  bn?: string;
  bt?: number;
  bu?: string;
  bv?: number;
  bs?: number;
  bver?: number;
  n?: string;
  u?: string;
  v?: number;
  vs?: string;
  vb?: boolean;
  vd?: string;
  s?: number;
  t?: number;
}

interface Base {
  name: string;
  time: number;
  unit: string;
  value: number;
  sum: number;
}

interface Resolved {
  readonly [name: string]: unknown;
  name: string;
  time: number;
  fields: Record<string, unknown>;
  units: Record<string, string>;
}

function resolve(records: readonly JsonObject[], nowS: number): Decoded {
  let base: Base = { name: '', time: 0, unit: '', value: 0, sum: 0 };
  const objects: Resolved[] = [];
  /** The object that records of a device and time go to. */
  const open = new Map<string, Resolved>();
  for (const [i, raw] of records.entries()) {
    const wrong = shapeFault(raw);
    if (wrong !== null) return fault(`record ${i}: ${wrong}`);
    const record = raw as SenmlRecord;
    base = {
      name: record.bn ?? base.name,
      time: record.bt ?? base.time,
      unit: record.bu ?? base.unit,
      value: record.bv ?? base.value,
      sum: record.bs ?? base.sum,
    };
    const value = recordValue(record, base);
    // A record of base fields only sets them for those that follow.
    if (value === undefined) continue;
    const name = base.name + (record.n ?? '');
    if (!NAME_EXPRESSION.test(name)) return fault(`record ${i}: the name ${JSON.stringify(name.slice(0, 80))}`);
    const device = base.name || name;
    const time = absolute(base.time + (record.t ?? 0), nowS);
    const unit = record.u ?? base.unit;
    const own = base.name === '' ? 'value' : record.n || 'value';
    const key = `${device} ${time}`;
    const present = open.get(key);
    if (present && put(present, own, value, unit)) continue;
    // Names come from outside: nothing of a prototype may be set or found.
    const object: Resolved = { name: device, time, fields: Object.create(null), units: Object.create(null) };
    put(object, own, value, unit);
    objects.push(object);
    open.set(key, object);
  }
  return objects.length === 0
    ? { ok: false, code: 'GEWU_PAYLOAD_EMPTY', reason: 'no record has a value' }
    : { ok: true, objects };
}

/** False when the object has such a field of this unit already. */
function put({ fields, units }: Resolved, own: string, value: unknown, unit: string): boolean {
  const field = own in fields && (units[own] ?? '') !== unit ? `${own}@${unit}` : own;
  if (field in fields) return false;
  fields[field] = value;
  if (unit !== '') units[field] = unit;
  return true;
}

function shapeFault(record: JsonObject): string | null {
  for (const label of Object.keys(record)) {
    // Section 4.4: what ends in an underscore must be understood.
    if (label.endsWith('_')) return `the label ${label.slice(0, 40)} must be understood, and is not`;
    if (!LABELS.has(label)) continue;
    const value = record[label];
    if ((NUMBERS as readonly string[]).includes(label) && !Number.isFinite(value)) return `${label}: a number is wanted`;
    if ((TEXTS as readonly string[]).includes(label) && typeof value !== 'string') return `${label}: a string is wanted`;
    if (label === 'vb' && typeof value !== 'boolean') return 'vb: a boolean is wanted';
  }
  const { bver } = record;
  if (typeof bver === 'number' && !(Number.isInteger(bver) && bver >= 1 && bver <= VERSION_MAX))
    return `version ${bver}, this reads up to ${VERSION_MAX}`;
  return VALUES.filter((label) => record[label] !== undefined).length > 1 ? 'more than one value' : null;
}

/** Section 4.2: the base value is added to a record that has a number; a sum may stand without a value. */
function recordValue({ v, vs, vb, vd, s }: SenmlRecord, base: Base): number | string | boolean | undefined {
  if (v !== undefined) return v + base.value;
  return vs ?? vb ?? vd ?? (s === undefined ? undefined : s + base.sum);
}

function absolute(time: number, nowS: number): number {
  return time < ABSOLUTE_FROM_S ? nowS + time : time;
}
