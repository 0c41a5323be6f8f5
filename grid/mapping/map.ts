import {
  CODECS,
  type Codec,
  type CodecFaultCode,
  type Decoded,
  decodeJson,
  isObject,
  type JsonObject,
  OBJECTS_MAX,
  type Refused,
} from '../codecs/mod.ts';
import { FIRMWARE_PATTERN } from '../firmware.ts';
import { toBytes, toMs, toNumber, toValue } from './convert.ts';
import type { MappedField, Mapping } from './mapping.ts';
import { type Path, parsePath, valueAt } from './path.ts';
import { topicExpression } from './topic.ts';

/** A sample in our own format, as a device would have sent it: `ts`, `seq` and fields. */
export interface MappedSample {
  device: string;
  object: Record<string, number | boolean>;
  /** Where the payload says it. */
  firmware?: string;
  /** Fields left out because what stands there is no value of them. */
  unusable: readonly string[];
}

/** A sample that could not be mapped, beside others that could. */
export interface MappingFault {
  /** '' when not even that is known. */
  device: string;
  code: CodecFaultCode | 'GEWU_MAPPING_FAULT';
  reason: string;
  /** What of the payload it is about; all of it when not set. */
  object?: JsonObject;
}
export interface Mapped {
  samples: MappedSample[];
  faults: MappingFault[];
  /** Names of the payload that nothing in the mapping uses, the first ones. */
  unnamed: readonly string[];
}

/** One sample's parts of a payload, the innermost first. */
type Scopes = readonly [JsonObject, ...JsonObject[]];
/** A sample, or why there is none. */
type Found = { scopes: Scopes } | { fault: MappingFault };

interface ReadyField {
  name: string;
  field: MappedField;
  path: Path;
  unitPath: Path | null;
}

const DEVICE_EXPRESSION = /^[A-Za-z0-9_-]{1,64}$/;
const FIRMWARE_EXPRESSION = new RegExp(FIRMWARE_PATTERN);
const UNNAMED_MAX = 32;

/** A mapping made ready. Pure; throws nothing on any payload. */
export class Mapper {
  readonly mapping: Mapping;
  readonly #codec: Codec;
  readonly #topic: RegExp | null;
  readonly #fields: readonly ReadyField[];
  readonly #paths: Readonly<Record<'device' | 'time' | 'seq' | 'firmware' | 'frame' | 'each', Path | null>>;
  /** First names of all paths. */
  readonly #used: ReadonlySet<string>;

  /** `mapping` was checked by its schema and `mappingMistakes`. */
  constructor(mapping: Mapping) {
    this.mapping = mapping;
    this.#codec = CODECS.find((c) => c.name === mapping.codec) as Codec;
    this.#topic = mapping.from.topic === undefined ? null : topicExpression(mapping.from.topic);
    const ready = (path: string | undefined) => (path === undefined ? null : parsePath(path));
    const { device, time, seq, firmware, frame, each, fields } = mapping;
    this.#paths = {
      device: ready(device.path),
      time: ready(time?.path),
      seq: ready(seq?.path),
      firmware: ready(firmware?.path),
      frame: ready(frame?.path),
      each: ready(each),
    };
    this.#fields = Object.entries(fields).map(([name, field]) => {
      return { name, field, path: parsePath(field.path), unitPath: ready(field.unit?.path) };
    });
    const paths = [...Object.values(this.#paths), ...this.#fields.flatMap((f) => [f.path, f.unitPath])];
    this.#used = new Set(paths.flatMap((p) => p?.[0] ?? []));
  }

  /** The placeholders of a topic that is this mapping's, else null. */
  match(topic: string): Record<string, string> | null {
    const found = this.#topic?.exec(topic);
    return found ? { ...found.groups } : null;
  }

  /** `nowMs` is UTC ms, for formats with relative times. */
  map(
    payload: Uint8Array,
    { placeholders = {}, nowMs }: { placeholders?: Readonly<Record<string, string>>; nowMs: number },
  ): Mapped {
    const decoded = this.#decode(payload, nowMs);
    if (!decoded.ok) return nothing(decoded.code, decoded.reason);
    const found = decoded.objects.flatMap((scopes) => this.#elements(scopes));
    if (found.length > OBJECTS_MAX) return nothing('GEWU_PAYLOAD_TOO_LARGE', `${found.length} samples, at most ${OBJECTS_MAX}`);
    const unnamed = new Map<JsonObject, readonly string[]>();
    const mapped: Mapped = { samples: [], faults: [...decoded.refused], unnamed: [] };
    for (const item of found) {
      const result = 'fault' in item ? item.fault : this.#sample(item.scopes, placeholders, unnamed);
      if ('reason' in result) mapped.faults.push(result);
      else mapped.samples.push(result);
    }
    if (mapped.samples.length + mapped.faults.length === 0) return nothing('GEWU_PAYLOAD_EMPTY', 'no sample');
    return { ...mapped, unnamed: [...new Set([...unnamed.values()].flat())].slice(0, UNNAMED_MAX) };
  }

  /** With an envelope, its own names and what the frame says stand side by side; the frame's come first. */
  #decode(
    payload: Uint8Array,
    nowMs: number,
  ): { ok: true; objects: Scopes[]; refused: readonly Refused[] } | (Decoded & { ok: false }) {
    const { frame } = this.mapping;
    const outside = frame === undefined ? this.#codec.decode(payload, nowMs) : decodeJson(payload);
    if (!outside.ok) return outside;
    const refused: Refused[] = [...(outside.refused ?? [])];
    if (frame === undefined) return { ok: true, objects: outside.objects.map((o): Scopes => [o]), refused };
    const objects: Scopes[] = [];
    for (const outer of outside.objects) {
      const bytes = toBytes(valueAt([outer], this.#paths.frame as Path), frame.encoding);
      const inner = bytes === null ? noFrame(frame) : this.#codec.decode(bytes, nowMs);
      if (inner.ok) objects.push(...inner.objects.map((o): Scopes => [o, outer]));
      else refused.push({ device: '', code: inner.code, reason: inner.reason, object: outer });
    }
    return { ok: true, objects, refused };
  }

  /** What stands around an array belongs to each of its elements. */
  #elements(scopes: Scopes): Found[] {
    const { each } = this.#paths;
    if (each === null) return [{ scopes }];
    const fault = (reason: string, object: JsonObject): Found => ({
      fault: { device: '', code: 'GEWU_MAPPING_FAULT', reason, object },
    });
    const list = valueAt(scopes, each);
    if (!Array.isArray(list)) return [fault(`${this.mapping.each}: an array is wanted`, scopes[0])];
    return list.map((element) =>
      isObject(element) ? { scopes: [element, ...scopes] } : fault('an element is no object', scopes[0]),
    );
  }

  #sample(
    scopes: Scopes,
    placeholders: Readonly<Record<string, string>>,
    unnamed: Map<JsonObject, readonly string[]>,
  ): MappedSample | MappingFault {
    const device = this.#device(scopes, placeholders);
    const fault = (reason: string): MappingFault => {
      return { device: device ?? '', code: 'GEWU_MAPPING_FAULT', reason, object: scopes[0] };
    };
    if (device === null) return fault('no usable device id');
    const read = this.#read(scopes);
    if ('reason' in read) return fault(read.reason);
    const rest = this.#unnamed(scopes, unnamed);
    if (this.mapping.strict && rest.length > 0) return fault(`nothing names ${rest.slice(0, 8).join(', ').slice(0, 200)}`);
    const ts = this.#time(scopes);
    const seq = this.#seq(scopes);
    const firmware = this.#firmware(scopes);
    if (ts === null) return fault(`the time at ${this.mapping.time?.path}`);
    if (seq === null) return fault(`seq: ${this.mapping.seq?.path} is no whole number`);
    return {
      device,
      object: {
        ...this.mapping.constants,
        ...read.values,
        ...(ts === undefined ? {} : { ts }),
        ...(seq === undefined ? {} : { seq }),
      },
      ...(typeof firmware === 'string' ? { firmware } : {}),
      unusable: firmware === null ? [...read.unusable, 'firmware'] : read.unusable,
    };
  }

  #device(scopes: Scopes, placeholders: Readonly<Record<string, string>>): string | null {
    const { placeholder, table, strip, prefix = '' } = this.mapping.device;
    const said = placeholder === undefined ? valueAt(scopes, this.#paths.device as Path) : placeholders[placeholder];
    // A number beyond 2^53 is no longer the one that was sent, and could be another device's.
    const theirs = Number.isSafeInteger(said) ? String(said) : said;
    if (typeof theirs !== 'string') return null;
    const ours = table && Object.hasOwn(table, theirs) ? (table[theirs] as string) : prefix + stripped(theirs, strip);
    return DEVICE_EXPRESSION.test(ours) ? ours : null;
  }

  #read(scopes: Scopes): { values: Record<string, number | boolean>; unusable: string[] } | { reason: string } {
    const values: Record<string, number | boolean> = {};
    const unusable: string[] = [];
    for (const { name, field, path, unitPath } of this.#fields) {
      const said = valueAt(scopes, path);
      const absent = said === undefined || said === null;
      const value = absent ? undefined : toValue(said, field);
      if (value === undefined && field.required)
        return { reason: `${name}: ${field.path} is ${absent ? 'missing' : 'no value'}` };
      if (absent) continue;
      if (value === undefined) {
        unusable.push(name);
        continue;
      }
      const unit = unitPath && valueAt(scopes, unitPath);
      if (unitPath && unit !== field.unit?.is)
        return { reason: `${name}: the unit at ${field.unit?.path} is not ${field.unit?.is}` };
      values[name] = value;
    }
    return Object.keys(values).length > 0 ? { values, unusable } : { reason: 'none of the fields has a value' };
  }

  /** Each part of the payload is looked at once, however many samples it belongs to. */
  #unnamed(scopes: Scopes, seen: Map<JsonObject, readonly string[]>): readonly string[] {
    return scopes.flatMap((scope) => {
      const known = seen.get(scope);
      if (known) return known;
      const names: string[] = [];
      for (const name of Object.keys(scope)) {
        if (!this.#used.has(name)) names.push(name.slice(0, 64));
        if (names.length === UNNAMED_MAX) break;
      }
      seen.set(scope, names);
      return names;
    });
  }

  /** UTC ms; undefined when the mapping or the payload has none, null when it is no time. */
  #time(scopes: Scopes): number | undefined | null {
    const value = this.#paths.time && valueAt(scopes, this.#paths.time);
    return value === undefined || value === null ? undefined : toMs(value, this.mapping.time as NonNullable<Mapping['time']>);
  }

  #seq(scopes: Scopes): number | undefined | null {
    const value = this.#paths.seq && valueAt(scopes, this.#paths.seq);
    if (value === undefined || value === null) return undefined;
    const seq = toNumber(value);
    return seq !== undefined && Number.isSafeInteger(seq) && seq >= 0 ? seq : null;
  }

  /** Undefined when the mapping or the payload has none, null when what stands there is none. */
  #firmware(scopes: Scopes): string | undefined | null {
    const value = this.#paths.firmware && valueAt(scopes, this.#paths.firmware);
    if (value === undefined || value === null) return undefined;
    const text = typeof value === 'number' ? String(value) : value;
    return typeof text === 'string' && FIRMWARE_EXPRESSION.test(text) ? text : null;
  }
}

function nothing(code: MappingFault['code'], reason: string): Mapped {
  return { samples: [], faults: [{ device: '', code, reason }], unnamed: [] };
}

function noFrame({ path, encoding }: NonNullable<Mapping['frame']>): Decoded & { ok: false } {
  return { ok: false, code: 'GEWU_CODEC_FAULT', reason: `${path}: ${encoding} is wanted` };
}

/** Without what the maker puts around the id, where it is there. */
function stripped(theirs: string, { start = '', end = '' }: { start?: string; end?: string } = {}): string {
  const head = theirs.startsWith(start) ? theirs.slice(start.length) : theirs;
  return end !== '' && head.endsWith(end) ? head.slice(0, -end.length) : head;
}
