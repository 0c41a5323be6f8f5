import type { Reading } from '../readings/mod.ts';

/**
 * InfluxDB line protocol in a canonical subset: measurement = kind, tags `cell,device,edge` in that order,
 * fields are floats or booleans in the device's order, time in us. Kinds, ids and field names are
 * `[A-Za-z0-9_-]`, cells are digits: nothing ever needs escaping, so nothing can be injected.
 *
 *   manhole_cover,cell=110101001001017,device=mc-001,edge=edge-01 tilt_deg=2.5,opened=false,seq=12 1736889600000012
 */
export function toLine(r: Reading): string {
  return `${lineHead(r)} ${lineFields(r.fields)} ${r.ts}${String(r.us).padStart(3, '0')}`;
}

/** Measurement and tags: what never changes of a device's lines. */
export function lineHead({ kind, cell, device, edge }: Pick<Reading, 'kind' | 'cell' | 'device' | 'edge'>): string {
  return `${kind},cell=${cell},device=${device},edge=${edge}`;
}

export function lineFields(fields: Reading['fields']): string {
  let text = '';
  for (const name in fields) text += `${text === '' ? '' : ','}${name}=${fields[name]}`;
  return text;
}

const lineExpression =
  /^([A-Za-z0-9_-]{1,64}),cell=(\d{15}),device=([A-Za-z0-9_-]{1,64}),edge=([A-Za-z0-9_-]{1,64}) ([A-Za-z0-9_=,.+-]{3,4096}) (\d{1,13})(\d{3})$/;
const fieldExpression = /^([A-Za-z0-9_-]{1,64})=(true|false|-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)$/;

/** One canonical line back to a reading, or why it is none. */
export function parseLine(line: string): Reading | { fault: string } {
  const m = lineExpression.exec(line);
  if (!m) return { fault: 'not a canonical line' };
  const fields: Record<string, number | boolean> = {};
  for (const part of (m[5] as string).split(',')) {
    const f = fieldExpression.exec(part);
    if (!f) return { fault: `field ${part.slice(0, 80)}` };
    const text = f[2] as string;
    const value = text === 'true' ? true : text === 'false' ? false : Number(text);
    if (typeof value === 'number' && !Number.isFinite(value)) return { fault: `field ${part.slice(0, 80)} is not finite` };
    fields[f[1] as string] = value;
  }
  return {
    kind: m[1] as string,
    cell: m[2] as string,
    device: m[3] as string,
    edge: m[4] as string,
    ts: Number(m[6]),
    us: Number(m[7]),
    fields,
  };
}
