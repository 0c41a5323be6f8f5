import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EDGE, EDGE_PASSWORD, TestCentre, tokenOf, type Who } from './fixture.ts';

let centre: TestCentre;
beforeAll(async () => {
  centre = await TestCentre.start();
});
afterAll(() => centre.stop());

const basic = (user: string, password: string) => `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
const get = (path: string, authorization?: string) =>
  centre.raw(path, { headers: authorization === undefined ? {} : { authorization } });

/** Open to all: probes, the ways to sign in and the link of a message, which answer a bad request as such. */
const OPEN: Record<string, number> = {
  'get /healthz': 200,
  'get /readyz': 200,
  'post /api/v1/session': 400,
  'post /api/v1/session/link': 400,
  'post /api/v1/notify/acknowledge': 400,
};

test('every documented route but the open ones wants a token', async () => {
  const { paths } = await centre.document();
  for (const [template, operations] of Object.entries(paths)) {
    const path = template.replace('{sha256}', '0'.repeat(64)).replaceAll(/\{[^}]+\}/g, 'x');
    for (const method of Object.keys(operations)) {
      const { status, body } = await centre.call(null, method.toUpperCase(), path);
      const open = OPEN[`${method} ${template}`];
      if (open !== undefined) expect([template, status]).toEqual([template, open]);
      else expect([template, method, status, body.error.code]).toEqual([template, method, 401, 'GEWU_UNAUTHORIZED']);
    }
  }
});

test('an unknown token, a malformed header and an edge password where no edge may are refused', async () => {
  const wrong = [
    'Bearer unknown-token-unknown-token',
    'Bearer',
    'Bearer a b',
    'Token x',
    basic(EDGE, EDGE_PASSWORD),
    `Bearer ${'x'.repeat(5000)}`,
  ];
  for (const header of wrong) {
    const response = await get('/api/v1/cases', header);
    expect([header.slice(0, 40), response.status]).toEqual([header.slice(0, 40), 401]);
    expect(response.headers.get('www-authenticate')).toContain('Bearer');
  }
});

test('the documentation lets a browser in with a token as the password, the API does not', async () => {
  const header = basic('token', tokenOf('viewer'));
  expect((await get('/docs/', header)).status).toBe(200);
  expect((await get('/docs/json', header)).status).toBe(200);
  expect((await get('/api/v1/cases', header)).status).toBe(401);
  const refused = await get('/docs/');
  expect([refused.status, refused.headers.get('www-authenticate')?.startsWith('Basic')]).toEqual([401, true]);
});

describe('roles', () => {
  const cases: [Who, string, string, number][] = [
    ['viewer', 'GET', '/api/v1/cases', 200],
    ['supervision', 'GET', '/api/v1/devices', 200],
    ['viewer', 'GET', '/api/v1/dead-letters', 403],
    ['ops', 'GET', '/api/v1/dead-letters', 200],
    ['administrator', 'GET', '/api/v1/dead-letters', 200],
    ['ops', 'GET', '/api/v1/tokens', 403],
    ['leader', 'GET', '/api/v1/tokens', 403],
    ['administrator', 'GET', '/api/v1/tokens', 200],
    ['viewer', 'GET', '/metrics', 200],
    // A technical role counts for nothing in the case cycle.
    ['administrator', 'POST', '/api/v1/cases/x/transitions/close', 403],
    // The dispatcher never closes, the one that files never dispatches, a machine does neither.
    ['command', 'POST', '/api/v1/cases/x/transitions/close', 403],
    ['supervision', 'POST', '/api/v1/cases/x/transitions/dispatch', 403],
    ['machine', 'POST', '/api/v1/cases/x/transitions/close', 403],
    ['department', 'POST', '/api/v1/cases/x/transitions/check-pass', 403],
  ];
  test.each(cases)('%s %s %s -> %i', async (who, method, path, status) => {
    const response = await centre.raw(path, { method, headers: { authorization: `Bearer ${tokenOf(who)}` } });
    expect(response.status).toBe(status);
    if (status === 403) expect(((await response.json()) as { error: { code: string } }).error.code).toBe('GEWU_FORBIDDEN');
  });

  test('nobody but an administrator sets the filing policy', async () => {
    const { body } = await centre.get('/api/v1/policy');
    for (const who of ['viewer', 'ops', 'supervision', 'leader'] as const)
      expect((await centre.call(who, 'PUT', '/api/v1/policy', { ...body, version: body.version + 1 })).status).toBe(403);
  });
});

describe('tokens of the database', () => {
  const create = (body: object, who: Who = 'administrator') => centre.post('/api/v1/tokens', who, body);

  test('one is made, used, listed without itself, and revoked', async () => {
    const { status, body } = await create({ name: 'li-wei', roles: ['supervision'] });
    expect(status).toBe(201);
    const use = () => get('/api/v1/cases', `Bearer ${body.token}`);
    expect((await use()).status).toBe(200);
    const list = await centre.get('/api/v1/tokens', 'administrator');
    expect(list.body.items.map((t: { name: string }) => t.name)).toEqual(['li-wei']);
    expect(JSON.stringify(list.body)).not.toContain(body.token);
    expect((await centre.call('administrator', 'DELETE', `/api/v1/tokens/${body.sha256}`)).status).toBe(204);
    expect((await use()).status).toBe(401);
    expect((await centre.call('administrator', 'DELETE', `/api/v1/tokens/${body.sha256}`)).status).toBe(404);
  });

  test('one account never holds filing and dispatch, not even by two tokens', async () => {
    const refused = await create({ name: 'zhou', roles: ['supervision', 'command'] });
    expect([refused.status, refused.body.error.code]).toEqual([400, 'GEWU_REQUEST_INVALID']);
    expect((await create({ name: 'wu', roles: ['supervision'] })).status).toBe(201);
    expect((await create({ name: 'wu', roles: ['command'] })).status).toBe(400);
    // The account is one of the configuration's.
    expect((await create({ name: 'the-supervision', roles: ['command'] })).status).toBe(400);
    expect((await create({ name: 'robot', roles: ['machine', 'supervision'] })).status).toBe(400);
  });

  test('an expired token is none, and none is made expired', async () => {
    const soon = await create({ name: 'guest', roles: ['viewer'], expiresAt: Date.now() + 400 });
    const use = () => get('/api/v1/cases', `Bearer ${soon.body.token}`);
    expect((await use()).status).toBe(200);
    await expect.poll(async () => (await use()).status, { interval: 50, timeout: 3000 }).toBe(401);
    expect((await create({ name: 'guest', roles: ['viewer'], expiresAt: 1 })).status).toBe(400);
  });
});

test('guessing is slowed down by address, and a credential that was right goes on', async () => {
  const own = await TestCentre.start();
  try {
    const ask = (token: string) => own.raw('/api/v1/edges', { headers: { authorization: `Bearer ${token}` } });
    expect((await ask(tokenOf('viewer'))).status).toBe(200);
    const statuses: number[] = [];
    for (let i = 0; i < 25; i++) statuses.push((await ask(`guess-number-${i}-of-many`)).status);
    expect(statuses.filter((s) => s === 401)).toHaveLength(20);
    expect(statuses.at(-1)).toBe(429);
    expect((await ask(tokenOf('viewer'))).status).toBe(200);
    // Right, but not known to be right before the storm.
    expect((await ask(tokenOf('ops'))).status).toBe(429);
  } finally {
    await own.stop();
  }
});

test('every answer carries the security headers, refusals too', async () => {
  for (const path of ['/healthz', '/api/v1/cases', '/nowhere', '/api/v1/cases/%ZZ']) {
    const { headers } = await get(path);
    expect([path, headers.get('x-content-type-options'), headers.get('x-frame-options')]).toEqual([path, 'nosniff', 'DENY']);
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
  }
});
