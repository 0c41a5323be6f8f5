import { afterAll, beforeAll, expect, test } from 'vitest';
import type { City } from './fixture.ts';
import { looksSuite, type Pages } from './looks.suite.ts';
import { rightsSuite } from './rights.suite.ts';
import { GONE, startTroubledCity } from './troubled.ts';
import { workSuite } from './work.suite.ts';

/** One city for all that needs no more than covers that are off: what people do in it, what they may, and how its pages look. */
let city: City;
let end: () => Promise<void>;
beforeAll(async () => {
  ({ city, end } = await startTroubledCity());
}, 120_000);
afterAll(() => end?.());

const PAGES = {
  situation: '/',
  coverage: '/?by=coverage',
  events: '/events',
  precision: '/events?view=precision',
  hours: '/events?view=hours',
  cases: '/cases',
  devices: '/devices',
  device: `/devices/sensor/${GONE}`,
  edges: '/devices?of=edges',
  edge: '/devices/edge/edge-01',
  cameras: '/cameras',
  pipeline: '/pipeline',
  upkeep: '/devices?of=upkeep',
  notify: '/notify',
  duty: '/notify?view=settings',
  users: '/users',
  account: '/account',
};

/** And a case, which has an address of its own. */
async function pagesOf({ installation: { api } }: City): Promise<Pages> {
  const { items } = await api.get<{ items: { id: string }[] }>('/api/v1/cases?limit=1');
  return { ...PAGES, case: `/cases/${items[0]?.id}` };
}

const cityOf = () => city;
workSuite(cityOf);
looksSuite(cityOf, pagesOf);
// Last: a session is ended in it.
rightsSuite(cityOf);

test('no page complained: no error, no breach of the policy, no missing text', () => {
  expect(city.complaints).toEqual([]);
});
