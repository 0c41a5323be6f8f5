import type { Bucket, Stats } from '../aggregate.ts';

/** A list of fields with their types, as stored once in `shape`. */
export interface Shape {
  id: number;
  fields: readonly ShapeField[];
}
export interface ShapeField {
  name: string;
  boolean: boolean;
}

/** `tilt_deg:n,opened:b` */
export function parseShape(id: number, text: string): Shape {
  return { id, fields: text.split(',').map((f) => ({ name: f.slice(0, -2), boolean: f.endsWith(':b') })) };
}

export function shapeText(fields: readonly ShapeField[]): string {
  return fields.map((f) => `${f.name}:${f.boolean ? 'b' : 'n'}`).join(',');
}

/** `2.5,f` by its shape. */
export function decodeValues(shape: Shape, text: string): Record<string, number | boolean> {
  const values = text.split(',');
  const fields: Record<string, number | boolean> = {};
  shape.fields.forEach((f, i) => {
    const value = values[i] as string;
    fields[f.name] = f.boolean ? value === 't' : Number(value);
  });
  return fields;
}

export function encodeValues(fields: Record<string, number | boolean>): { shape: ShapeField[]; text: string } {
  const entries = Object.entries(fields);
  return {
    shape: entries.map(([name, value]) => ({ name, boolean: typeof value === 'boolean' })),
    text: entries.map(([, value]) => (typeof value === 'boolean' ? (value ? 't' : 'f') : String(value))).join(','),
  };
}

/**
 * A roll-up row: per field of its shape `count:sum:min:max:last:lastTs`, or only `last:lastTs` of a single sample, which
 * is most of what devices with slow reports have. `lastTs` counts from the start of the bucket.
 */
export function encodeStats(start: number, bucket: Bucket): { shape: ShapeField[]; text: string } {
  const shape: ShapeField[] = [];
  const parts: string[] = [];
  for (const [name, s] of [...bucket].sort(byName)) {
    shape.push({ name, boolean: typeof s.last === 'boolean' });
    const tail = `${Number(s.last)}:${s.lastTs - start}`;
    parts.push(s.count === 1 ? tail : `${s.count}:${s.sum}:${s.min}:${s.max}:${tail}`);
  }
  return { shape, text: parts.join(',') };
}

export function* decodeStats(start: number, shape: Shape, text: string): Generator<[string, Stats]> {
  let i = 0;
  for (const part of text.split(',')) {
    const f = shape.fields[i++] as ShapeField;
    const n = part.split(':').map(Number);
    const at = n.length === 2 ? 0 : 4;
    const x = n[at] as number;
    const last = f.boolean ? x === 1 : x;
    const lastTs = start + (n[at + 1] as number);
    yield at === 0
      ? [f.name, { count: 1, sum: x, min: x, max: x, last, lastTs }]
      : [f.name, { count: n[0] as number, sum: n[1] as number, min: n[2] as number, max: n[3] as number, last, lastTs }];
  }
}

/** One order for one set of fields, so that a set is one shape. */
function byName(a: [string, Stats], b: [string, Stats]): number {
  return a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0;
}
