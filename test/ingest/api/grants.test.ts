import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TestCentre, type Who } from './fixture.ts';

let centre: TestCentre;
beforeAll(async () => {
  centre = await TestCentre.start();
});
afterAll(() => centre?.stop());

const wanted = { kind: 'raw-view', subject: { of: 'camera', id: 'cam-1' }, purpose: 'a lens out of focus', minutes: 10 };
const ask = (who: Who, body: object = wanted) => centre.post('/api/v1/grants', who, body);

describe('who may ask', () => {
  test.each<[Who, number]>([
    ['viewer', 403],
    ['department', 403],
    ['supervisor', 403],
    ['machine', 403],
    ['leader', 403],
    ['ops', 201],
    ['administrator', 201],
    ['supervision', 201],
    ['command', 201],
  ])('a raw view: %s -> %i', async (who, status) => expect((await ask(who)).status).toBe(status));

  test.each<[Who, number]>([
    ['viewer', 403],
    ['ops', 403],
    ['administrator', 403],
    ['command', 404],
    ['leader', 404],
  ])('an original of an event that is not there: %s -> %i', async (who, status) => {
    expect((await ask(who, { ...wanted, kind: 'original', subject: { of: 'event', id: 'ev-9' } })).status).toBe(status);
  });

  test('without a purpose or an end there is none', async () => {
    for (const change of [
      { purpose: 'short' },
      { purpose: ' '.repeat(20) },
      { minutes: 61 },
      { minutes: 0 },
      { minutes: undefined },
    ])
      expect((await ask('ops', { ...wanted, ...change })).status).toBe(400);
  });
});

test('each sees and ends his own, an administrator all; the trail has every step', async () => {
  const { body: grant } = await ask('command');
  const path = `/api/v1/grants/${grant.id}`;
  expect((await centre.get(path, 'command')).body).toEqual(grant);
  expect((await centre.get(path, 'supervision')).status).toBe(403);
  expect((await centre.get(path, 'viewer')).status).toBe(403);
  expect((await centre.get(path, 'administrator')).status).toBe(200);
  const own = await centre.get('/api/v1/grants?holder=the-command', 'supervision');
  expect(own.body.items.every((g: { holder: string }) => g.holder === 'the-supervision')).toBe(true);
  const all = await centre.get('/api/v1/grants?holder=the-command&active=true', 'administrator');
  expect(all.body.items[0].id).toBe(grant.id);
  expect((await centre.post(`${path}/end`, 'supervision')).status).toBe(403);
  expect((await centre.post(`${path}/end`, 'command')).body).toMatchObject({ state: 'over', endedBy: 'the-command' });

  const trail = await centre.get('/api/v1/audit?actor=the-command&limit=2', 'administrator');
  expect(trail.body.items.map((e: { action: string }) => e.action)).toEqual(['grant-ended', 'grant-created']);
  expect(trail.body.items[1]).toMatchObject({ roles: ['command'], subject: 'camera:cam-1', purpose: wanted.purpose });
  expect((await centre.get('/api/v1/audit/chain', 'administrator')).body.brokenAt).toBeNull();
  for (const who of ['viewer', 'ops', 'leader'] as const) expect((await centre.get('/api/v1/audit', who)).status).toBe(403);
});
