import { toLine } from '#grid/wire/mod.ts';

/** One canonical line, short to write in a test. */
export function line(
  device: string,
  ts: number,
  fields: Record<string, number | boolean>,
  { kind = 'manhole_cover', edge = 'edge-01' } = {},
): string {
  return toLine({ kind, device, cell: '110101001001017', edge, ts, fields });
}
