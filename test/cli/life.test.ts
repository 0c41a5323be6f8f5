import { afterAll, beforeAll, expect, test } from 'vitest';
import { CityLife } from '#cli/demo/life.ts';
import { ApiClient } from '#simulators/target/mod.ts';
import { type EdgeClient, east, openCover, TestCentre, tokenOf } from '../ingest/api/fixture.ts';

/** The demo's city beside its incidents. */
const CASES = 12;
let centre: TestCentre;
let edge: EdgeClient;
beforeAll(async () => {
  centre = await TestCentre.start();
  edge = await centre.edge();
  const component = (i: number) => `21028301020000${String(i + 10)}`;
  const covers = Array.from({ length: CASES }, (_, i) =>
    openCover(`ev-${i}`, 1, { at: east(10 * i), place: { component: component(i) } }),
  );
  await edge.send('events', covers);
});
afterAll(async () => {
  await edge?.close();
  await centre?.stop();
});

test('officers work the cases to several stages, a camera and sensors fail, one of them under maintenance, and it ends when told', async () => {
  const failed: { cameras: readonly string[]; devices: readonly string[] }[] = [];
  const api = new ApiClient(centre.centre.apiUrl, tokenOf('administrator'));
  const life = new CityLife({ api, fail: (what) => failed.push(what), stepMs: 5, wellMs: 50 });
  life.start();
  const cases = async () => (await centre.get('/api/v1/cases?limit=100')).body.items as { id: string; state: string }[];
  await expect.poll(async () => new Set((await cases()).map((c) => c.state)).size, { timeout: 20_000 }).toBeGreaterThanOrEqual(3);
  await expect.poll(() => failed.length, { timeout: 10_000 }).toBe(1);
  // The last camera; of the sensors the two before the last.
  expect(failed).toEqual([{ cameras: ['cam-1'], devices: ['mh-1', 'mh-2'] }]);
  await expect
    .poll(async () => (await centre.get('/api/v1/upkeep/maintenance')).body.items)
    .toMatchObject([{ subject: { of: 'device', id: 'mh-1' }, active: true }]);
  await life.stop();
  // Each step by who may, and by nobody twice over: the centre would have refused it.
  const by = new Set<string>();
  for (const { id } of await cases())
    for (const line of (await centre.get(`/api/v1/cases/${id}/timeline`)).body.items) by.add(line.actor);
  for (const name of ['demo-supervision', 'demo-command'])
    expect([name, [...by].some((actor) => actor.includes(name))]).toEqual([name, true]);
  const states = (await cases()).map((c) => `${c.id} ${c.state}`).sort();
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect((await cases()).map((c) => `${c.id} ${c.state}`).sort()).toEqual(states);
});
