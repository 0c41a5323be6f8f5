/** Value of a decoded payload; what paths of a mapping walk through. */
export type JsonObject = { readonly [name: string]: unknown };

/** Codes of service/errors.ts, named here because the domain may not import it. */
export type CodecFaultCode = 'GEWU_PAYLOAD_NOT_JSON' | 'GEWU_PAYLOAD_EMPTY' | 'GEWU_PAYLOAD_TOO_LARGE' | 'GEWU_CODEC_FAULT';
/** An object of a payload that cannot be used, where the others beside it can. */
export interface Refused {
  /** '' when not even that is known. */
  device: string;
  code: CodecFaultCode;
  reason: string;
  object: JsonObject;
}
export type Decoded =
  | { ok: true; objects: JsonObject[]; refused?: readonly Refused[] }
  | { ok: false; code: CodecFaultCode; reason: string };

/** Bytes of a vendor's payload to plain objects. Pure; never throws. `nowMs` is UTC ms, for formats with relative times. */
export interface Codec {
  name: string;
  /** The bytes are binary: in a JSON envelope they come as hex or base64. */
  binary: boolean;
  decode(bytes: Uint8Array, nowMs: number): Decoded;
}

/** Objects in one payload, at most. */
export const OBJECTS_MAX = 500;

export const fault = (reason: string): Decoded & { ok: false } => ({ ok: false, code: 'GEWU_CODEC_FAULT', reason });

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** An object, or an array of objects. */
export function decodeJson(bytes: Uint8Array): Decoded {
  let value: unknown;
  try {
    value = JSON.parse(utf8.decode(bytes));
  } catch (error) {
    return { ok: false, code: 'GEWU_PAYLOAD_NOT_JSON', reason: (error as Error).message };
  }
  const objects: unknown[] = Array.isArray(value) ? value : [value];
  if (objects.length === 0) return { ok: false, code: 'GEWU_PAYLOAD_EMPTY', reason: 'an empty array' };
  if (objects.length > OBJECTS_MAX)
    return { ok: false, code: 'GEWU_PAYLOAD_TOO_LARGE', reason: `${objects.length} objects, at most ${OBJECTS_MAX}` };
  return objects.every(isObject) ? { ok: true, objects } : fault('every element must be an object');
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
