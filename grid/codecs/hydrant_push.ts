import { localToUtcMs } from '../time.ts';
import { type Codec, type Decoded, decodeJson, type JsonObject, type Refused } from './codec.ts';

/**
 * The push interface of a hydrant platform: an array of samples, or one. Numbers may come as text, times as local time
 * of China without a zone. Names stay as they are; `TACQ` and `UploadDate` become UTC ms, and `CapOpen` says whether
 * `ValvStatus` or `SeparationStatus` is not 0. Source: docs/domain/sensors.md.
 */
export const hydrantPush: Codec = {
  name: 'hydrant-push',
  binary: false,
  decode(bytes) {
    const json = decodeJson(bytes);
    return json.ok ? convertAll(json.objects) : json;
  },
};

const TIMES = ['TACQ', 'UploadDate'];
const NUMBERS = [
  'Status',
  'WaterStatus',
  'ValvStatus',
  'KnockDownStatus',
  'KnockStatus',
  'SeparationStatus',
  'Voltage',
  'Temperature',
  'Water',
  'Signal',
  'SendNumber',
];
const TIME_ZONE = 'Asia/Shanghai';

/** One hydrant's broken sample does not cost the other ones theirs. */
function convertAll(objects: readonly JsonObject[]): Decoded {
  const converted: JsonObject[] = [];
  const refused: Refused[] = [];
  for (const object of objects) {
    const result = convert(object);
    if (typeof result !== 'string') converted.push(result);
    else refused.push({ device: idOf(object) ?? '', code: 'GEWU_CODEC_FAULT', reason: result, object });
  }
  return { ok: true, objects: converted, refused };
}

function idOf({ DeviceId }: JsonObject): string | null {
  const id = Number.isSafeInteger(DeviceId) ? String(DeviceId) : DeviceId;
  return typeof id === 'string' && id !== '' && id.length <= 64 ? id : null;
}

/** The sample, or what is wrong with it. */
function convert(object: JsonObject): JsonObject | string {
  const id = idOf(object);
  if (id === null) return 'DeviceId: text of 1 to 64 characters is wanted';
  const converted: Record<string, unknown> = { ...object, DeviceId: id };
  for (const name of NUMBERS) {
    const value = present(object[name]);
    if (value === undefined) {
      delete converted[name];
      continue;
    }
    const number = typeof value === 'string' ? Number(value) : value;
    if (typeof number !== 'number' || !Number.isFinite(number)) return `${name}: a number is wanted`;
    converted[name] = number;
  }
  for (const name of TIMES) {
    const value = present(object[name]);
    if (value === undefined) {
      delete converted[name];
      continue;
    }
    const ms = typeof value === 'string' ? localToUtcMs(value, TIME_ZONE) : value;
    if (typeof ms !== 'number' || !Number.isSafeInteger(ms)) return `${name}: YYYY-MM-DD HH:mm:ss is wanted`;
    converted[name] = ms;
  }
  const caps = [converted.ValvStatus, converted.SeparationStatus].filter((status) => status !== undefined);
  if (caps.length > 0) converted.CapOpen = caps.some((status) => status !== 0);
  return converted;
}

/** What was not measured comes as null or as empty text. */
function present(value: unknown): unknown {
  return value === null || (typeof value === 'string' && value.trim() === '') ? undefined : value;
}
