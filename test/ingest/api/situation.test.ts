import { afterAll, beforeAll, expect, test } from 'vitest';
import { east, openCover, stall, TestCentre, tokenOf } from './fixture.ts';

let centre: TestCentre;
beforeAll(async () => {
  centre = await TestCentre.start();
});
afterAll(() => centre.stop());

test('many cases of one class at one time are one entry, the others stand by themselves', async () => {
  const edge = await centre.edge();
  const now = Date.now();
  const times = { startedAt: now, confirmedAt: now, lastSeenAt: now };
  const stalls = Array.from({ length: 12 }, (_, i) => stall(`s-${i}`, 1, { ...times, at: east(-150 + 25 * i) }));
  await edge.send('events', [...stalls, openCover('c-1', 1, times)]);
  const { body } = await centre.get('/api/v1/situation');
  expect(body.storms).toMatchObject([{ classKey: '2:0501', severity: 'normal', count: 12 }]);
  expect(body.urgent.map((c: { class: { code: string } }) => c.class.code)).toEqual(['0102']);
  // A grid has no zeros, an urgent case only what is shown of it.
  expect(body.cells[0].openCases).toEqual({ normal: 12, critical: 1 });
  expect(Object.keys(body.urgent[0]).sort()).toEqual(['class', 'id', 'lastSeenAt', 'place', 'severity', 'state']);
  const { body: list } = await centre.get(`/api/v1/cases?class=${body.storms[0].classKey}`);
  expect(list.items).toHaveLength(12);
  edge.mqtt.end(true);
});

test('what is long comes packed to who takes it, and is the same', async () => {
  const ask = (path: string, headers: object) =>
    centre.raw(path, { headers: { authorization: `Bearer ${tokenOf('viewer')}`, ...headers } });
  const [packed, plain] = [await ask('/api/v1/catalogue', {}), await ask('/api/v1/catalogue', { 'accept-encoding': 'identity' })];
  expect([packed, plain].map((r) => r.headers.get('content-encoding'))).toEqual(['gzip', null]);
  expect([packed, plain].map((r) => r.headers.get('vary'))).toEqual(['accept-encoding', 'accept-encoding']);
  expect(await packed.text()).toBe(await plain.text());
  // The token of a session is in an answer that is never packed.
  expect((await ask('/api/v1/session', {})).headers.get('content-encoding')).toBeNull();
});
