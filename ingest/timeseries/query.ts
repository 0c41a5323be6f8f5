import { isId } from '#grid/mod.ts';
import { GewuError } from '#service/mod.ts';
import { TS_MAX } from '../lines/mod.ts';
import type { CheckedRange } from './plan.ts';
import { POINTS_DEFAULT, POINTS_MAX, type RangeQuery, RESOLUTIONS } from './store.ts';

const FIELDS_MAX = 64;
const DEVICES_MAX = 10_000;

const refuse = (what: string): never => {
  throw new GewuError('GEWU_REQUEST_INVALID', what);
};

/** Refuses whatever is no id, no time and no number: injection ends here. Throws GEWU_REQUEST_INVALID. */
export function checkRange(query: RangeQuery): CheckedRange {
  const { device, fields, from, to, resolution = 'auto', limit = POINTS_DEFAULT } = query;
  if (!isId(device)) refuse('device: not an id');
  if (fields !== undefined && (fields.length > FIELDS_MAX || !fields.every(isId))) refuse('fields: not names of fields');
  checkTimes(from, to);
  if (!RESOLUTIONS.includes(resolution)) refuse(`resolution: one of ${RESOLUTIONS.join(', ')}`);
  if (!Number.isInteger(limit) || limit < 1 || limit > POINTS_MAX) refuse(`limit: 1 to ${POINTS_MAX}`);
  return { device, fields: fields && fields.length > 0 ? [...fields] : null, from, to, resolution, limit };
}

export function checkCount(query: { from: number; to: number; device?: string }): void {
  if (query.device !== undefined && !isId(query.device)) refuse('device: not an id');
  checkTimes(query.from, query.to);
}

export function checkDevices(devices: readonly string[]): string[] {
  if (devices.length > DEVICES_MAX || !devices.every(isId)) refuse('devices: not ids');
  return [...new Set(devices)];
}

function checkTimes(from: number, to: number): void {
  if (!Number.isSafeInteger(from) || !Number.isSafeInteger(to) || from < 0 || to > TS_MAX || to < from)
    refuse('from, to: UTC ms, from <= to');
}
