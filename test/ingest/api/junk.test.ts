import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { startPostgres } from '#cli/servers/mod.ts';
import { CASE_ROLES } from '#grid/mod.ts';
import { tempDir } from '../../support/temp.ts';
import { CELL, HERE, openCover, TestCentre, tokenOf, type Who } from './fixture.ts';

/** Whatever is asked, the answer is one of the catalogue's and never "our fault". */

const words = [
  'ev-1',
  'mh-1',
  CELL,
  '',
  '0',
  '-1',
  '1e999',
  'NaN',
  'null',
  '../..',
  '%00',
  '%',
  '%F0%28',
  'a\u0000b',
  '💩',
  "' or 1=1 --",
  'x'.repeat(200),
];
const junkText = fc.oneof(fc.constantFrom(...words), fc.string({ unit: 'binary', maxLength: 40 }));
const queryKeys = [
  'limit',
  'cursor',
  'since',
  'from',
  'to',
  'device',
  'devices',
  'fields',
  'edge',
  'cell',
  'class',
  'state',
  'of',
  '__proto__',
  'constructor',
];
const query = fc.array(fc.tuple(fc.oneof(fc.constantFrom(...queryKeys), junkText), junkText), { maxLength: 4 });
const near = fc.record(
  {
    class: fc.oneof(fc.constant({ flag: 2, code: '0501' }), fc.anything()),
    place: fc.oneof(
      fc.constant({ ...HERE, errorRadiusM: 5 }),
      fc.record({ lon: fc.double(), lat: fc.double(), errorRadiusM: fc.double() }),
    ),
    severity: fc.oneof(fc.constant('normal'), junkText),
    source: fc.oneof(fc.constantFrom('supervisor', 'sensor'), junkText),
    seenAt: fc.oneof(fc.integer(), fc.double(), fc.constantFrom(1e300, 2 ** 60, 2 ** 53 - 1)),
    note: junkText,
    reason: junkText,
    text: junkText,
    department: junkText,
    evidence: fc.oneof(fc.constant([]), fc.array(fc.anything(), { maxLength: 3 })),
    name: junkText,
    roles: fc.array(fc.oneof(fc.constantFrom(...CASE_ROLES), junkText), { maxLength: 3 }),
    version: fc.oneof(fc.constant(2), fc.integer()),
    rules: fc.array(fc.anything(), { maxLength: 2 }),
    master: junkText,
  },
  { requiredKeys: [] },
);
const body = fc.oneof(
  near.map((b) => JSON.stringify(b)),
  fc.json({ maxDepth: 4 }),
  fc.string({ maxLength: 60 }),
  fc.constant('['.repeat(10_000)),
);
const request = fc.record({
  operation: fc.nat(),
  parameter: fc.oneof(fc.constant('ev-1'), junkText.map(encodeURIComponent), fc.constantFrom('%', '%00', '0'.repeat(64))),
  query,
  body,
  contentType: fc.constantFrom(
    'application/json',
    'application/json; charset=utf-16',
    'text/plain',
    'image/jpeg',
    '',
    'multipart/form-data',
  ),
  who: fc.constantFrom<Who>('administrator', 'supervision', 'command', 'department', 'supervisor', 'machine'),
});

async function assertNoFault(centre: TestCentre, numRuns: number): Promise<void> {
  const edge = await centre.edge();
  await edge.send('events', [openCover('ev-1')]);
  await edge.close();
  const { paths } = await centre.document();
  const operations = Object.entries(paths)
    // The stream does not end by itself.
    .filter(([template]) => template !== '/api/v1/stream')
    .flatMap(([template, methods]) => Object.keys(methods).map((m): [string, string] => [m.toUpperCase(), template]));
  const { id } = (await centre.get('/api/v1/cases')).body.items[0];
  const seen = new Map<number, number>();
  const property = fc.asyncProperty(request, async ({ operation, parameter, query: pairs, body: text, contentType, who }) => {
    const [method, template] = operations[operation % operations.length] as [string, string];
    const path = template.replaceAll(/\{[^}]+\}/g, parameter === 'ev-1' && template.includes('/cases/') ? id : parameter);
    const search = pairs.map(([k, v]) => `${encodeURIComponent(k)}=${encodeURIComponent(v)}`).join('&');
    const response = await centre.raw(`${path}${search === '' ? '' : `?${search}`}`, {
      method,
      headers: { authorization: `Bearer ${tokenOf(who)}`, ...(contentType === '' ? {} : { 'content-type': contentType }) },
      ...(method === 'GET' ? {} : { body: text }),
    });
    seen.set(response.status, (seen.get(response.status) ?? 0) + 1);
    const answer = await response.text();
    expect(response.status, `${method} ${path}?${search} ${text} -> ${answer}`).toBeLessThan(500);
    if (response.status >= 400) expect(JSON.parse(answer).error.code).toMatch(/^GEWU_/);
  });
  await fc.assert(property, { numRuns });
  // The junk is near enough to get past the door: else this would prove little.
  expect(seen.get(400)).toBeGreaterThan(numRuns / 20);
  expect(seen.get(200)).toBeGreaterThan(numRuns / 100);
  expect([...seen.keys()]).toEqual(expect.arrayContaining([200, 400, 403, 404]));
  expect((await centre.get('/readyz')).body).toEqual({ ready: true, notReady: [] });
}

test('random junk on every route never gives a 500', async () => {
  const centre = await TestCentre.start();
  onTestFinished(() => centre.stop());
  await assertNoFault(centre, 600);
}, 60_000);

test('nor on PostgreSQL, which refuses other things than SQLite', async () => {
  const server = await startPostgres({ dir: await tempDir() });
  onTestFinished(() => server.stop());
  const centre = await TestCentre.start({ database: { store: 'postgres', url: server.url, poolMax: 4 } });
  onTestFinished(() => centre.stop());
  await assertNoFault(centre, 600);
  // The numbers and texts that only PostgreSQL refuses, for sure.
  const report = {
    class: { flag: 2, code: '0102' },
    severity: 'normal',
    source: 'supervisor',
    place: { ...HERE, errorRadiusM: 10 },
  };
  for (const [more, status] of [
    [{ seenAt: 1e300 }, 400],
    [{ note: 'a\u0000b' }, 400],
    [{ seenAt: 2 ** 53 - 1, note: 'a\ud800b 💩' }, 201],
  ] as const)
    expect((await centre.post('/api/v1/cases', 'supervisor', { ...report, ...more })).status).toBe(status);
}, 60_000);
