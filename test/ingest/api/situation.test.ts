import { afterAll, beforeAll, expect, test } from 'vitest';
import { east, openCover, stall, TestCentre } from './fixture.ts';

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
  const { body: list } = await centre.get(`/api/v1/cases?class=${body.storms[0].classKey}`);
  expect(list.items).toHaveLength(12);
  edge.mqtt.end(true);
});
