import { afterAll, beforeAll, expect, test } from 'vitest';
import { hashPassword } from '../../../ingest/sessions/mod.ts';
import { fileOf, TestCentre, tokenOf } from './fixture.ts';

/** What keeps a browser that has signed in from being used by somebody else's page. */

const PASSWORD = 'quiet-river-42-lamps';
const FOREIGN = 'http://elsewhere.example';
/** Without a session: what signs in, and what the code of a message alone lets in. A page that is not ours may not sign a browser in either. */
const OPEN = ['post /api/v1/session', 'post /api/v1/session/link', 'post /api/v1/notify/acknowledge'];

let centre: TestCentre;
let cookie: string;
let csrf: string;
beforeAll(async () => {
  const { api } = fileOf() as { api: object };
  const firstAdministrator = { name: 'admin', passwordHash: await hashPassword(PASSWORD) };
  centre = await TestCentre.start({ api: { ...api, sessions: { firstAdministrator } } });
  const body = JSON.stringify({ name: 'admin', password: PASSWORD });
  const signed = await centre.raw('/api/v1/session', { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  cookie = (signed.headers.get('set-cookie') ?? '').split(';', 1)[0] ?? '';
  ({ csrf } = (await signed.json()) as { csrf: string });
});
afterAll(() => centre.stop());

interface Operation {
  name: string;
  method: string;
  path: string;
}

/** Every documented route, with something in the place of each parameter. */
async function operations(): Promise<Operation[]> {
  const { paths } = await centre.document();
  return Object.entries(paths).flatMap(([template, methods]) => {
    const path = template.replace('{sha256}', '0'.repeat(64)).replaceAll(/\{[^}]+\}/g, 'x');
    return Object.keys(methods).map((method) => ({ name: `${method} ${template}`, method: method.toUpperCase(), path }));
  });
}

const ask = ({ method, path }: Operation, headers: Record<string, string>) =>
  centre.raw(path, {
    method,
    headers: { cookie, 'content-type': 'application/json', ...headers },
    ...(method === 'GET' ? {} : { body: '{}' }),
  });

test('every route that changes something is refused without the token of the session, and to a foreign page that has it', async () => {
  const changing = (await operations()).filter(({ method, name }) => method !== 'GET' && !OPEN.includes(name));
  expect(changing.length).toBeGreaterThan(40);
  const letIn: string[] = [];
  for (const operation of changing)
    for (const [what, headers] of Object.entries({
      'no token': {},
      'a wrong token': { 'x-gewu-csrf': '0'.repeat(csrf.length) },
      'a foreign origin': { 'x-gewu-csrf': csrf, origin: FOREIGN },
      'a foreign site': { 'x-gewu-csrf': csrf, 'sec-fetch-site': 'cross-site' },
      'a neighbour on the host': { 'x-gewu-csrf': csrf, 'sec-fetch-site': 'same-site' },
    })) {
      const { status } = await ask(operation, headers as Record<string, string>);
      if (status !== 403) letIn.push(`${operation.name} with ${what}: ${status}`);
    }
  expect(letIn).toEqual([]);
});

test('with the token, from a page of ours, the same routes get as far as their own checks', async () => {
  const own = { 'x-gewu-csrf': csrf, origin: centre.centre.apiUrl, 'sec-fetch-site': 'same-origin' };
  const users = (await operations()).filter(({ name }) => /^(post|patch|delete) \/api\/v1\/users/.test(name));
  expect(users.length).toBeGreaterThan(3);
  for (const operation of users) expect((await ask(operation, own)).status).not.toBe(403);
});

test('nothing is read by a foreign page either: answers, the live stream, files', async () => {
  const reading = (await operations()).filter(({ method, path }) => method === 'GET' && path.startsWith('/api/'));
  const letIn: string[] = [];
  for (const operation of reading) {
    const { status } = await ask(operation, { origin: FOREIGN, 'sec-fetch-site': 'cross-site' });
    if (status !== 403) letIn.push(`${operation.name}: ${status}`);
  }
  expect(letIn).toEqual([]);
  expect(reading.map(({ path }) => path)).toContain('/api/v1/stream');
});

test('no answer allows another site: no CORS header anywhere, not for a preflight', async () => {
  for (const path of ['/', '/api/v1/cases', '/api/v1/session', '/nowhere'])
    for (const method of ['GET', 'OPTIONS']) {
      const { headers } = await centre.raw(path, { method, headers: { cookie, origin: FOREIGN } });
      expect([...headers.keys()].filter((name) => name.startsWith('access-control-'))).toEqual([]);
    }
});

test('every answer has a strict policy: no script but files of our own, none evaluated, none in the page', async () => {
  const answers = [
    ...['/', '/cases/x', '/sign-in', '/favicon.svg', '/nowhere', '/docs/', '/docs/json', '/healthz'],
    ...(await operations()).filter(({ method, path }) => method === 'GET' && path !== '/api/v1/stream').map(({ path }) => path),
  ];
  for (const path of answers) {
    const authorization = `Bearer ${tokenOf('administrator')}`;
    for (const headers of [{ cookie }, { authorization }, {}] as Record<string, string>[]) {
      const response = await centre.raw(path, { headers });
      await response.body?.cancel();
      const policy = response.headers.get('content-security-policy') ?? '';
      const scripts = /script-src ([^;]+)/.exec(policy)?.[1] ?? /default-src ([^;]+)/.exec(policy)?.[1];
      expect([path, ["'self'", "'none'"].includes(scripts ?? '')]).toEqual([path, true]);
      expect([path, policy.includes('unsafe-eval'), policy.includes("frame-ancestors 'none'")]).toEqual([path, false, true]);
      expect([path, response.headers.get('x-content-type-options')]).toEqual([path, 'nosniff']);
    }
  }
});

test('the page holds no script and no handler, only the name of its file; styles that are made later carry its nonce', async () => {
  const [first, second] = [await centre.raw('/'), await centre.raw('/')];
  const html = await first.text();
  for (const [, attributes, inside] of html.matchAll(/<script([^>]*)>([^<]*)<\/script>/g))
    expect([attributes?.includes('src="/assets/'), inside]).toEqual([true, '']);
  expect(html).not.toMatch(/\son[a-z]+=|javascript:|<style/i);
  const nonceOf = (response: Response) => /'nonce-([^']+)'/.exec(response.headers.get('content-security-policy') ?? '')?.[1];
  expect(html).toContain(nonceOf(first));
  expect(nonceOf(second)).not.toBe(nonceOf(first));
  const policy = first.headers.get('content-security-policy') ?? '';
  expect(policy.split('; ').filter((d) => d.includes('unsafe'))).toEqual(["style-src-attr 'unsafe-inline'"]);
});
