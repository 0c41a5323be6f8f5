import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hashPassword } from '../../../ingest/sessions/mod.ts';
import { fileOf, TestCentre, tokenOf } from './fixture.ts';

const PASSWORD = 'quiet-river-42-lamps';
let centre: TestCentre;
beforeAll(async () => {
  centre = await withAdministrator();
});
afterAll(() => centre.stop());

async function withAdministrator(sessions: object = {}): Promise<TestCentre> {
  const { api } = fileOf() as { api: object };
  const firstAdministrator = { name: 'admin', passwordHash: await hashPassword(PASSWORD) };
  return TestCentre.start({ api: { ...api, sessions: { ...sessions, firstAdministrator } } });
}

interface Signed {
  cookie: string;
  csrf: string;
}

/** A browser's request from one of our pages. */
function ask(at: TestCentre, method: string, path: string, body?: unknown, signed?: Partial<Signed>, more: object = {}) {
  const headers: Record<string, string> = { origin: at.centre.apiUrl, 'sec-fetch-site': 'same-origin', ...more };
  if (signed?.cookie !== undefined) headers.cookie = signed.cookie;
  if (signed?.csrf !== undefined) headers['x-gewu-csrf'] = signed.csrf;
  if (body !== undefined) headers['content-type'] = 'application/json';
  return at.raw(path, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
}

async function signIn(at: TestCentre, body: object, path = '/api/v1/session'): Promise<Signed & { set: string }> {
  const response = await ask(at, 'POST', path, body);
  expect(response.status).toBe(200);
  const set = response.headers.get('set-cookie') ?? '';
  return { set, cookie: set.split(';', 1)[0] ?? '', csrf: ((await response.json()) as Signed).csrf };
}
const admin = () => signIn(centre, { name: 'admin', password: PASSWORD });

test('the first administrator signs in; the cookie is out of reach of scripts and foreign pages', async () => {
  const signed = await admin();
  expect(signed.set).toMatch(/; Path=\/; HttpOnly; SameSite=Strict; Max-Age=\d+$/);
  const me = await ask(centre, 'GET', '/api/v1/session', undefined, signed);
  expect(await me.json()).toMatchObject({ name: 'admin', roles: ['administrator', 'ops', 'viewer'], csrf: signed.csrf });
  expect((await ask(centre, 'GET', '/api/v1/cases', undefined, signed)).status).toBe(200);
});

test('a wrong password, an unknown name and a made-up cookie are the same 401', async () => {
  for (const body of [
    { name: 'admin', password: 'not-the-password' },
    { name: 'nobody', password: PASSWORD },
  ]) {
    const response = await ask(centre, 'POST', '/api/v1/session', body);
    expect(await response.json()).toMatchObject({
      error: { code: 'GEWU_UNAUTHORIZED', message: 'name or password is not right' },
    });
  }
  const made = { cookie: `gewu_session=${'A'.repeat(43)}` };
  expect((await ask(centre, 'GET', '/api/v1/cases', undefined, made)).status).toBe(401);
});

describe('a changing request', () => {
  const create = (signed: Partial<Signed>, more: object = {}) =>
    ask(centre, 'POST', '/api/v1/users', { name: 'guest', roles: ['viewer'] }, signed, more);

  test('needs the token of the session beside the cookie', async () => {
    const { cookie } = await admin();
    expect((await create({ cookie })).status).toBe(403);
    expect((await create({ cookie, csrf: '0'.repeat(32) })).status).toBe(403);
  });

  test('and a page of ours, as the browser says', async () => {
    const signed = await admin();
    expect((await create(signed, { origin: 'http://elsewhere.example' })).status).toBe(403);
    expect((await create(signed, { 'sec-fetch-site': 'cross-site' })).status).toBe(403);
    expect((await create(signed, { origin: 'null' })).status).toBe(403);
    expect((await create(signed)).status).toBe(201);
  });

  test('signing in is one too: nobody is signed in from a foreign page', async () => {
    const body = { name: 'admin', password: PASSWORD };
    expect((await ask(centre, 'POST', '/api/v1/session', body, {}, { origin: 'http://elsewhere.example' })).status).toBe(403);
  });
});

test('a new user comes in by a link, once, and sets a password, which ends the other sessions', async () => {
  const boss = await admin();
  const made = await ask(centre, 'POST', '/api/v1/users', { name: 'li-wei', roles: ['viewer', 'supervision'] }, boss);
  expect(await made.json()).toMatchObject({ name: 'li-wei', hasPassword: false, signedInAt: null });
  const link = async () =>
    (await (await ask(centre, 'POST', '/api/v1/users/li-wei/sign-in-link', undefined, boss)).json()) as { code: string };
  const { code } = await link();
  const first = await signIn(centre, { code }, '/api/v1/session/link');
  expect((await ask(centre, 'POST', '/api/v1/session/link', { code })).status).toBe(401);
  const other = await signIn(centre, { code: (await link()).code }, '/api/v1/session/link');
  const set = (password: string, old?: string) =>
    ask(centre, 'PUT', '/api/v1/session/password', { password, ...(old === undefined ? {} : { old }) }, first);
  expect((await set('short')).status).toBe(400);
  expect((await set('my-name-is-li-wei-ok')).status).toBe(400);
  expect((await set('nine-bridges-over-it')).status).toBe(204);
  expect((await ask(centre, 'GET', '/api/v1/session', undefined, other)).status).toBe(401);
  expect((await ask(centre, 'GET', '/api/v1/session', undefined, first)).status).toBe(200);
  expect((await set('another-good-phrase', 'wrong')).status).toBe(400);
  await signIn(centre, { name: 'li-wei', password: 'nine-bridges-over-it' });
});

test('out is out: here, everywhere, and at once when an administrator disables the user', async () => {
  const boss = await admin();
  await ask(centre, 'POST', '/api/v1/users', { name: 'wang', roles: ['viewer'], password: 'seven-green-doors' }, boss);
  const wang = () => signIn(centre, { name: 'wang', password: 'seven-green-doors' });
  const alive = async (s: Signed) => (await ask(centre, 'GET', '/api/v1/cases', undefined, s)).status === 200;
  const [a, b] = [await wang(), await wang()];
  expect([await alive(a), await alive(b)]).toEqual([true, true]);
  await ask(centre, 'DELETE', '/api/v1/session', undefined, a);
  expect([await alive(a), await alive(b)]).toEqual([false, true]);
  const c = await wang();
  await ask(centre, 'DELETE', '/api/v1/session?everywhere=true', undefined, c);
  expect([await alive(b), await alive(c)]).toEqual([false, false]);
  const d = await wang();
  expect((await ask(centre, 'PATCH', '/api/v1/users/wang', { disabled: true }, boss)).status).toBe(200);
  expect(await alive(d)).toBe(false);
  expect((await ask(centre, 'POST', '/api/v1/session', { name: 'wang', password: 'seven-green-doors' })).status).toBe(401);
});

test('no account files and dispatches, be it by a user and a token', async () => {
  const boss = await admin();
  const create = (body: object) => ask(centre, 'POST', '/api/v1/users', body, boss);
  expect((await create({ name: 'zhou', roles: ['supervision', 'command'] })).status).toBe(400);
  // The account is one of the configuration's.
  expect((await create({ name: 'the-supervision', roles: ['command'] })).status).toBe(400);
  expect((await create({ name: 'wu', roles: ['supervision'] })).status).toBe(201);
  expect((await ask(centre, 'PATCH', '/api/v1/users/wu', { roles: ['supervision', 'department'] }, boss)).status).toBe(400);
  const token = await centre.post('/api/v1/tokens', 'administrator', { name: 'wu', roles: ['command'] });
  expect([token.status, token.body.error.code]).toEqual([400, 'GEWU_REQUEST_INVALID']);
});

test('only an administrator sees users', async () => {
  for (const who of ['viewer', 'ops', 'supervision'] as const) expect((await centre.get('/api/v1/users', who)).status).toBe(403);
  const { status, body } = await centre.get('/api/v1/users', 'administrator');
  expect([status, body.items[0].name, JSON.stringify(body).includes('argon2')]).toEqual([200, 'admin', false]);
});

test('tokens go on beside sessions, and need no page', async () => {
  const response = await centre.raw('/api/v1/session', { headers: { authorization: `Bearer ${tokenOf('viewer')}` } });
  expect(await response.json()).toMatchObject({ name: 'the-viewer', csrf: null });
});

test('guessing a password is slowed down by name, whoever asks', async () => {
  const own = await withAdministrator();
  try {
    const statuses: number[] = [];
    for (let i = 0; i < 22; i++)
      statuses.push((await ask(own, 'POST', '/api/v1/session', { name: 'admin', password: `guess-${i}` })).status);
    expect(statuses.slice(0, 20).every((s) => s === 401)).toBe(true);
    expect(statuses.slice(20)).toEqual([429, 429]);
  } finally {
    await own.stop();
  }
});

test('the first administrator is made once: later the database decides', async () => {
  const own = await withAdministrator();
  const boss = await signIn(own, { name: 'admin', password: PASSWORD });
  const change = { old: PASSWORD, password: 'eleven-blue-kites' };
  expect((await ask(own, 'PUT', '/api/v1/session/password', change, boss)).status).toBe(204);
  await own.stop({ keep: true });
  const { api } = fileOf() as { api: object };
  const firstAdministrator = { name: 'admin', passwordHash: await hashPassword(PASSWORD) };
  const again = await TestCentre.start({ api: { ...api, sessions: { firstAdministrator } } }, own.dir);
  try {
    expect((await ask(again, 'POST', '/api/v1/session', { name: 'admin', password: PASSWORD })).status).toBe(401);
    // The session of before the restart goes on.
    expect((await ask(again, 'GET', '/api/v1/session', undefined, boss)).status).toBe(200);
  } finally {
    await again.stop();
  }
});
