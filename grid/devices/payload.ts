import type { DeviceKind } from './kind.ts';

/** What a device said in one JSON object, checked against its kind. */
export interface Payload {
  fields: Record<string, number | boolean>;
  /** Device time, UTC ms, when it gave one. */
  ts?: number;
  /** The device's own count, uint32. */
  seq?: number;
  /** Fields outside the range of their kind: kept, but no rule runs on them. */
  implausible: readonly string[];
}

/** Codes of service/errors.ts, named here because the domain may not import it. */
export type PayloadFaultCode =
  | 'GEWU_READING_TYPE'
  | 'GEWU_READING_FIELD_UNKNOWN'
  | 'GEWU_READING_NOT_FINITE'
  | 'GEWU_PAYLOAD_TOO_DEEP'
  | 'GEWU_PAYLOAD_EMPTY';
export type PayloadResult = { ok: true; value: Payload } | { ok: false; code: PayloadFaultCode; reason: string };

/** `seq` is a uint32; `ts` is UTC ms and whole. `device_id` repeats what the topic says and is not stored. */
const SEQ_MAX = 0xffff_ffff;
const NONE: readonly string[] = [];

const refuse = (code: PayloadFaultCode, reason: string): PayloadResult => ({ ok: false, code, reason });

/** Runs on every message: one pass, no allocation beyond the result. */
export function validatePayload(kind: DeviceKind, input: unknown): PayloadResult {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) return refuse('GEWU_READING_TYPE', 'not an object');
  const fields: Record<string, number | boolean> = {};
  const payload: Payload = { fields, implausible: NONE };
  let implausible: string[] | undefined;
  let count = 0;
  // An object that was JSON inherits nothing enumerable; entries would be an array a field.
  for (const name in input) {
    const value = (input as Record<string, unknown>)[name];
    if (name === 'device_id') continue;
    if (name === 'ts' || name === 'seq') {
      const max = name === 'ts' ? Number.MAX_SAFE_INTEGER : SEQ_MAX;
      if (!Number.isInteger(value) || (value as number) < 0 || (value as number) > max)
        return refuse('GEWU_READING_TYPE', `${name}: a whole number from 0 to ${max} is wanted`);
      payload[name] = value as number;
      continue;
    }
    if (typeof value === 'object' && value !== null) return refuse('GEWU_PAYLOAD_TOO_DEEP', `${name.slice(0, 64)}: nested`);
    const spec = Object.hasOwn(kind.fields, name) ? kind.fields[name] : undefined;
    if (spec === undefined) return refuse('GEWU_READING_FIELD_UNKNOWN', `${name.slice(0, 64)}: ${kind.kind} has no such field`);
    if (typeof value !== spec.type) return refuse('GEWU_READING_TYPE', `${name}: ${spec.type} is wanted`);
    if (typeof value === 'number') {
      if (!Number.isFinite(value)) return refuse('GEWU_READING_NOT_FINITE', name);
      if ((spec.min !== undefined && value < spec.min) || (spec.max !== undefined && value > spec.max)) {
        implausible ??= [];
        implausible.push(name);
        payload.implausible = implausible;
      }
    }
    fields[name] = value as number | boolean;
    count++;
  }
  if (count === 0) return refuse('GEWU_PAYLOAD_EMPTY', 'no field');
  return { ok: true, value: payload };
}
