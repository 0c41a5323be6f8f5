import { afterAll, beforeAll, expect, test } from 'vitest';
import type { City } from './fixture.ts';
import { looksSuite } from './looks.suite.ts';
import { rightsSuite } from './rights.suite.ts';
import { startTroubledCity } from './troubled.ts';
import { workSuite } from './work.suite.ts';

/** One city for all that needs no more than covers that are off: what people do in it, what they may, and how its pages look. */
let city: City;
let end: () => Promise<void>;
beforeAll(async () => {
  ({ city, end } = await startTroubledCity());
}, 120_000);
afterAll(() => end?.());

const cityOf = () => city;
workSuite(cityOf);
looksSuite(cityOf);
// Last: a session is ended in it.
rightsSuite(cityOf);

test('no page complained: no error, no breach of the policy, no missing text', () => {
  expect(city.complaints).toEqual([]);
});
