import type { Lane } from '#grid/wire/mod.ts';

export const EDGE = 'edge-01';
/** 2026-01-01, where every schedule begins. UTC ms. */
export const EPOCH = Date.UTC(2026, 0, 1);

/** Record number `n` of a lane, as the edge would write it, and the identity by which a store keeps it. */
export function record(lane: Lane, n: number): { id: string; body: Buffer } {
  if (lane === 'readings') {
    const line = `hydrant,cell=110101001001001,device=d-1,edge=${EDGE} pressure_mpa=0.3,seq=${n} ${EPOCH + n}000`;
    return { id: line, body: Buffer.from(line) };
  }
  if (lane === 'health') {
    const state = { ts: EPOCH + n, edge: EDGE, of: 'device', id: `h-${n}`, state: 'online', reason: 'connected', since: EPOCH };
    return { id: state.id, body: Buffer.from(JSON.stringify(state)) };
  }
  const event = {
    specversion: '1.0',
    id: `e-${n}.1`,
    source: `/edges/${EDGE}`,
    type: 'gewu.event.raised',
    time: new Date(EPOCH + n).toISOString(),
    subject: `e-${n}`,
    datacontenttype: 'application/json',
    data: {
      revision: 1,
      edge: EDGE,
      class: { flag: 2, code: '0501' },
      severity: 'normal',
      confidence: 0.9,
      place: { lon: 116.4, lat: 39.9, errorRadiusM: 3, cell: '110101001001001' },
      origin: { by: 'sensor', device: 'd-1', kind: 'hydrant', rule: 'r', field: 'pressure_mpa', value: 0.1 },
      startedAt: EPOCH + n,
      confirmedAt: EPOCH + n,
      lastSeenAt: EPOCH + n,
      evidence: [],
    },
  };
  return { id: event.id, body: Buffer.from(JSON.stringify(event)) };
}

/** The identity of a row of the outbox. */
export function idOf(lane: Lane, body: Buffer): string {
  return lane === 'readings' ? body.toString() : (JSON.parse(body.toString()) as { id: string }).id;
}
