import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { toLine } from '#grid/wire/mod.ts';
import { TRANSITIONS } from '#ingest/cases/mod.ts';
import { CELL, COVER, EDGE, type EdgeClient, HERE, openCover, stall, TestCentre } from './fixture.ts';

/** Every route with something in the stores: the answers are checked against the OpenAPI document by the fixture. */

let centre: TestCentre;
let edge: EdgeClient;
const now = Date.now();
const reading = (device: string, ts: number, tilt: number) =>
  toLine({ kind: 'manhole_cover', device, cell: CELL, edge: EDGE, ts, us: 0, fields: { tilt_deg: tilt, opened: false } });
const health = (of: string, id: string, state: string, since: number, values = {}) => ({
  ts: since,
  edge: EDGE,
  of,
  id,
  state,
  reason: state === 'online' ? 'connected' : 'silent',
  since,
  values,
});

beforeAll(async () => {
  centre = await TestCentre.start();
  edge = await centre.edge();
  await edge.send('readings', [reading('mh-1', now - 3000, 1), reading('mh-1', now - 2000, 2), reading('mh-2', now - 1000, 3)]);
  await edge.send('health', [
    health('edge', EDGE, 'online', now - 9000, { outboxRecords: 3 }),
    health('camera', 'cam-1', 'online', now - 8000, { analysedFps: 2, droppedFrames: 1 }),
    health('device', 'mh-1', 'online', now - 8000),
    health('device', 'mh-1', 'offline', now - 4000),
  ]);
  await edge.send('events', [openCover('ev-cover'), stall('ev-stall')]);
});
afterAll(async () => {
  await edge?.close();
  await centre?.stop();
});

const get = (path: string, who?: Parameters<TestCentre['get']>[1]) => centre.get(`/api/v1${path}`, who);
const ids = (body: { items: { id: string }[] }) => body.items.map((item) => item.id);

describe('what is where', () => {
  test('edges', async () => {
    const { body } = await get('/edges');
    expect(ids(body)).toEqual([EDGE, 'edge-2']);
    expect(body.items[0]).toMatchObject({ state: 'online', devices: 3, cameras: 1, cells: 2, values: { outboxRecords: 3 } });
    expect((await get('/edges/edge-2')).body).toMatchObject({ state: 'unknown', reason: 'never-reported', lastSeenAt: null });
    expect((await get('/edges/edge-9')).status).toBe(404);
  });

  test('devices with their place, health and last reading; filters; pages', async () => {
    const { body } = await get('/devices');
    expect(ids(body)).toEqual(['mh-1', 'mh-2', 'sl-1']);
    expect(body.items[0]).toMatchObject({ kind: 'manhole_cover', component: COVER, cell: CELL, ...HERE, state: 'offline' });
    expect(body.items[0]).toMatchObject({ lastReadingAt: now - 2000, lastSeenAt: now - 2000 });
    expect(body.items[1]).toMatchObject({ state: 'unknown', lastSeenAt: now - 1000 });
    expect(JSON.stringify(body)).not.toContain('secret');
    expect(ids((await get('/devices?kind=streetlight')).body)).toEqual(['sl-1']);
    expect(ids((await get(`/devices?cell=${CELL}`)).body)).toEqual(['mh-1', 'mh-2']);
    expect(ids((await get('/devices?state=offline')).body)).toEqual(['mh-1']);
    expect(ids((await get('/devices?edge=edge-2')).body)).toEqual([]);
    const first = (await get('/devices?limit=2')).body;
    expect(ids(first)).toEqual(['mh-1', 'mh-2']);
    const second = (await get(`/devices?limit=2&cursor=${first.cursor}`)).body;
    expect([ids(second), second.cursor]).toEqual([['sl-1'], null]);
    expect((await get('/devices/mh-1')).body.id).toBe('mh-1');
    expect((await get('/devices/nobody')).status).toBe(404);
  });

  test('cameras', async () => {
    const { body } = await get('/cameras');
    expect(body.items).toHaveLength(1);
    expect(body.items[0]).toMatchObject({
      id: 'cam-1',
      state: 'online',
      values: { analysedFps: 2, droppedFrames: 1 },
      simulated: true,
    });
    expect((await get('/cameras/cam-1')).body.cell).toBe(CELL);
    expect(ids((await get('/cameras?state=offline')).body)).toEqual([]);
  });

  test('a camera that was moved on purpose learns anew what is right: by ops, with a reason, on the record', async () => {
    const path = '/api/v1/cameras/cam-1/reference';
    const body = { reason: 'turned towards the new crossing' };
    for (const who of ['viewer', 'supervision', 'department'] as const)
      expect([who, (await centre.post(path, who, body)).status]).toEqual([who, 403]);
    expect((await centre.post(path, 'ops', {})).body.error.code).toBe('GEWU_REQUEST_INVALID');
    expect((await centre.post('/api/v1/cameras/nobody/reference', 'ops', body)).status).toBe(404);
    expect((await centre.post(path, 'ops', body)).status).toBe(204);
    await expect.poll(() => edge.commands.at(-1)).toMatchObject({ command: 'camera-reference', camera: 'cam-1' });
    const { items } = (await get('/audit?action=camera-reference', 'administrator')).body;
    expect(items).toMatchObject([{ actor: 'the-ops', subject: 'camera:cam-1', purpose: body.reason }]);
    await edge.send('health', [health('camera', 'cam-1', 'offline', now - 500)]);
    expect((await centre.post(path, 'ops', body)).body.error.code).toBe('GEWU_CAMERA_OFFLINE');
    await edge.send('health', [health('camera', 'cam-1', 'online', now - 400)]);
  });

  test('history of health, newest first', async () => {
    const { body } = await get('/devices/mh-1/history');
    expect(body.items).toEqual([
      { ts: now - 4000, state: 'offline', reason: 'silent' },
      { ts: now - 8000, state: 'online', reason: 'connected' },
    ]);
    expect((await get(`/devices/mh-1/history?since=${now - 5000}`)).body.items).toHaveLength(1);
    expect((await get(`/edges/${EDGE}/history`)).body.items).toHaveLength(1);
    expect((await get('/cameras/cam-1/history')).body.items).toHaveLength(3);
    expect((await get('/cameras/nobody/history')).status).toBe(404);
  });

  test('unit grids as GeoJSON', async () => {
    const { body, headers } = await get('/cells');
    expect(headers.get('content-type')).toContain('application/geo+json');
    expect(ids({ items: body.features })).toEqual([CELL, '210283001001018']);
    expect(body.features[0]).toMatchObject({
      type: 'Feature',
      geometry: { type: 'Polygon' },
      properties: { code: CELL, edges: [EDGE] },
    });
    const ring = body.features[0].geometry.coordinates[0];
    expect(ring[0]).toEqual(ring.at(-1));
    expect((await get('/cells?edge=edge-2')).body.features).toEqual([]);
  });

  test('the catalogue', async () => {
    const { body } = await get('/catalogue');
    expect([body.components.length, body.events.length]).toEqual([85, 54]);
    expect(body.faults.find((f: { key: string }) => f.key === 'cover_open').components).toContain('0102');
    expect(body.deviceKinds.map((k: { kind: string }) => k.kind)).toContain('manhole_cover');
  });
});

describe('readings', () => {
  test('raw, in a range, of some fields, cut at a limit', async () => {
    const all = (await get(`/readings?device=mh-1&from=${now - 10_000}&to=${now}`)).body;
    expect(all.resolution).toBe('raw');
    expect(all.points.map((p: { ts: number }) => p.ts)).toEqual([now - 3000, now - 2000]);
    const some = (await get(`/readings?device=mh-1&from=${now - 10_000}&to=${now}&fields=tilt_deg&limit=1&resolution=raw`)).body;
    expect(some).toMatchObject({ truncated: true, points: [{ fields: { tilt_deg: 1 } }] });
    expect(Object.keys(some.points[0].fields)).toEqual(['tilt_deg']);
  });

  test('aggregated', async () => {
    const { body } = await get(`/readings?device=mh-1&from=${now - 86_400_000}&to=${now}&resolution=1h`);
    const counts = body.points.map((p: { fields: { tilt_deg: { count: number } } }) => p.fields.tilt_deg.count);
    expect(counts.reduce((a: number, b: number) => a + b, 0)).toBe(2);
  });

  test('counted, and the latest', async () => {
    expect((await get(`/readings/count?from=0&to=${now + 1000}`)).body).toEqual({ count: 3 });
    expect((await get(`/readings/count?from=0&to=${now + 1000}&device=mh-2`)).body).toEqual({ count: 1 });
    const { items } = (await get('/readings/latest?devices=mh-1,mh-2,sl-1')).body;
    expect(items.map((i: { device: string; ts: number }) => [i.device, i.ts]).sort()).toEqual([
      ['mh-1', now - 2000],
      ['mh-2', now - 1000],
    ]);
  });
});

describe('events and cases', () => {
  test('events', async () => {
    expect((await get('/events')).body.items).toHaveLength(2);
    expect((await get('/events?by=camera')).body.items[0].record.subject).toBe('ev-stall');
    expect((await get('/events?class=1:0102&active=true&source=mh-1')).body.items[0].record.subject).toBe('ev-cover');
    expect((await get('/events/ev-cover')).body.case).not.toBeNull();
    expect((await get('/events/ev-nothing')).status).toBe(404);
  });

  test('cases, page by page and filtered', async () => {
    const { body } = await get('/cases');
    expect(body.items).toHaveLength(2);
    const first = (await get('/cases?limit=1')).body;
    const second = (await get(`/cases?limit=1&cursor=${first.cursor}`)).body;
    expect([...ids(first), ...ids(second)].sort()).toEqual(ids(body).sort());
    const filed = (await get('/cases?class=1:0102:cover_open&source=sensor&state=FILED')).body.items;
    expect(filed).toHaveLength(1);
    expect(filed[0].number).toMatch(/^[0-9]{19}$/);
    expect((await get(`/cases/${filed[0].id}/timeline`)).body.items[0]).toMatchObject({ name: 'report', role: 'machine' });
    expect((await get('/cases/nothing')).status).toBe(404);
    expect((await get('/cases/nothing/timeline')).status).toBe(404);
  });

  test('the main line, each step by who may, and offered only to him', async () => {
    const [{ id }] = (await get('/cases?class=1:0102')).body.items;
    const offered = async (who: 'supervision' | 'command' | 'department') =>
      (await get(`/cases/${id}/transitions`, who)).body.items.map((t: { name: string }) => t.name);
    expect(await offered('supervision')).toContain('forward');
    expect(await offered('command')).not.toContain('forward');
    const photo = { sha256: 'a'.repeat(64), mediaType: 'image/jpeg', bytes: 100, takenAt: now };
    const steps = [
      ['supervision', 'forward', undefined, 'TO_DISPATCH'],
      ['command', 'dispatch', { department: 'roads' }, 'DISPATCHED'],
      ['department', 'receive', {}, 'HANDLING'],
      ['department', 'feedback', { text: 'put back', evidence: [photo] }, 'FEEDBACK'],
      ['command', 'forward-result', {}, 'CHECKING'],
      ['supervision', 'check-pass', {}, 'TO_CLOSE'],
      ['supervision', 'close', {}, 'CLOSED'],
    ] as const;
    for (const [who, name, input, state] of steps) {
      const { status, body } = await centre.post(`/api/v1/cases/${id}/transitions/${name}`, who, input);
      expect([name, status, body.state]).toEqual([name, 200, state]);
    }
    const late = await centre.post(`/api/v1/cases/${id}/transitions/close`, 'supervision', {});
    expect([late.status, late.body.error.code]).toEqual([409, 'GEWU_TRANSITION_REFUSED']);
    // The edge hears that the case is over.
    await expect.poll(() => edge.commands.at(-1)).toMatchObject({ command: 'case-state', event: 'ev-cover', open: false });
  });

  test('a case without proof is not filed', async () => {
    const [{ id }] = (await get('/cases?class=2:0501')).body.items;
    const { status, body } = await centre.post(`/api/v1/cases/${id}/transitions/file`, 'supervision', {});
    expect([status, body.error.code]).toEqual([422, 'GEWU_TRANSITION_GUARD']);
  });

  test('every transition has a route of its own, and no other name has one', async () => {
    const { paths } = await centre.document();
    for (const { name, from } of TRANSITIONS)
      expect([name, `/api/v1/cases/{id}/transitions/${name}` in paths]).toEqual([name, from.length > 0]);
    expect((await centre.post('/api/v1/cases/x/transitions/abolish', 'supervision', {})).status).toBe(404);
    expect((await centre.post('/api/v1/cases/x/transitions/close', 'supervision', {})).status).toBe(404);
  });

  test('a person reports, and the unit grid is found from the position', async () => {
    const report = { class: { flag: 2, code: '0102' }, severity: 'normal', source: 'supervisor', key: 'r1' };
    const place = { ...HERE, errorRadiusM: 10 };
    const { status, body } = await centre.post('/api/v1/cases', 'supervisor', { ...report, place });
    expect([status, body.state, body.place.cell]).toEqual([201, 'REPORTED', CELL]);
    expect((await centre.post('/api/v1/cases', 'supervisor', { ...report, place })).body.id).toBe(body.id);
    const outside = await centre.post('/api/v1/cases', 'supervisor', {
      ...report,
      key: 'r2',
      place: { lon: 1, lat: 1, errorRadiusM: 5 },
    });
    expect([outside.status, outside.body.error.code]).toEqual([400, 'GEWU_REQUEST_INVALID']);
    expect((await centre.post('/api/v1/cases', 'viewer', { ...report, place })).status).toBe(403);
  });
});

test('a new version of the filing policy', async () => {
  const { body } = await get('/policy');
  const next = { ...body, version: body.version + 1, default: 'verify-first' };
  expect((await centre.call('administrator', 'PUT', '/api/v1/policy', next)).status).toBe(200);
  expect((await get('/policy')).body.default).toBe('verify-first');
  expect((await centre.call('administrator', 'PUT', '/api/v1/policy', next)).status).toBe(400);
});

describe('bad input is named with a code', () => {
  const bad = [
    '/devices?limit=0',
    '/devices?limit=1&limit=2',
    '/devices?colour=red',
    '/devices?state=tired',
    '/devices/%20',
    '/cases?cursor=bm9uc2Vuc2U',
    '/cases?class=stall',
    '/cases?since=yesterday',
    '/events?active=maybe',
    '/readings?device=mh-1',
    '/readings?device=mh-1&from=2&to=1',
    '/readings?device=mh-1&from=1&to=2&resolution=5m',
    '/readings?device=mh-1&from=1.5&to=2',
    `/readings?device=mh-1&from=1&to=2&fields=${encodeURIComponent('a b')}`,
    '/readings/latest?devices=',
    '/readings/count?from=0&to=99999999999999',
    '/cells?edge=a%00b',
    '/evidence/xyz',
    '/stream?of=gossip',
  ];
  test.each(bad)('GET %s', async (path) => {
    const { status, body } = await get(path);
    expect([status, body.error.code]).toEqual([400, 'GEWU_REQUEST_INVALID']);
  });

  test('bodies: no JSON, wrong type, unknown key, NUL, too large', async () => {
    const send = (body: string, type = 'application/json') =>
      centre.raw('/api/v1/cases', {
        method: 'POST',
        headers: { authorization: 'Bearer token-of-the-supervisor-account', 'content-type': type },
        body,
      });
    const report = {
      class: { flag: 2, code: '0102' },
      severity: 'normal',
      source: 'supervisor',
      place: { ...HERE, errorRadiusM: 10 },
    };
    const tries: [string, number, string?][] = [
      ['{"a":', 400],
      ['', 400],
      ['[]', 400],
      ['{"__proto__":{"x":1}}', 400],
      ['['.repeat(50_000), 400],
      [JSON.stringify({ ...report, colour: 'red' }), 400],
      [JSON.stringify({ ...report, severity: 5 }), 400],
      [JSON.stringify({ ...report, note: 'a\u0000b' }), 400],
      [JSON.stringify({ ...report, note: 'x'.repeat(300_000) }), 413],
      [JSON.stringify(report), 400, 'text/plain'],
    ];
    for (const [body, status, type] of tries) {
      const response = await send(body, type);
      expect([body.slice(0, 40), response.status]).toEqual([body.slice(0, 40), status]);
      expect(((await response.json()) as { error: { code: string } }).error.code).toMatch(
        /^GEWU_(REQUEST_INVALID|PAYLOAD_TOO_LARGE)$/,
      );
    }
    // And what is right goes through, so that the above fails for the reason named.
    expect((await send(JSON.stringify({ ...report, note: 'tipped over' }))).status).toBe(201);
  });
});

test('Prometheus reads requests by route, not by path', async () => {
  const text = await (await centre.raw('/metrics', { headers: { authorization: 'Bearer token-of-the-viewer-account' } })).text();
  expect(text).toContain('gewu_http_request_seconds_count{method="GET",route="/api/v1/devices/:id",status="404"}');
  expect(text).toContain('gewu_health_changes_total{of="device",state="offline"}');
});

const DESIRED = '/api/v1/edges/{id}/desired';
test('the OpenAPI document covers every route', async () => {
  const { paths } = await centre.document();
  const listed = Object.entries(paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((m) => `${m.toUpperCase()} ${path}`),
  );
  const wanted = [
    ...['/healthz', '/readyz', '/metrics', '/api/v1/edges', '/api/v1/edges/{id}', '/api/v1/devices', '/api/v1/devices/{id}'],
    ...['/api/v1/cameras', '/api/v1/cameras/{id}', '/api/v1/readings', '/api/v1/readings/count', '/api/v1/readings/latest'],
    ...[
      '/api/v1/events',
      '/api/v1/event-hours',
      '/api/v1/events/{id}',
      '/api/v1/cases',
      '/api/v1/cases/{id}',
      '/api/v1/cases/{id}/timeline',
    ],
    ...['/api/v1/cases/{id}/transitions', '/api/v1/evidence/{sha256}', '/api/v1/cells', '/api/v1/catalogue', '/api/v1/policy'],
    ...['/api/v1/dead-letters', '/api/v1/dead-letters/counts', '/api/v1/dead-letters/{id}', '/api/v1/stream', '/api/v1/tokens'],
    ...['/api/v1/audit', '/api/v1/audit/chain', '/api/v1/grants', '/api/v1/grants/{id}', '/api/v1/edge-keys'],
    ...['evidence', 'grants', 'relatives'].map((part) => `/api/v1/cases/{id}/${part}`),
    ...[
      '/api/v1/session',
      '/api/v1/users',
      '/api/v1/situation',
      '/api/v1/coverage',
      '/api/v1/pipeline',
      '/api/v1/map',
      '/api/v1/map/pmtiles',
    ],
    ...[
      '/api/v1/verdicts',
      '/api/v1/verdicts/precision',
      '/api/v1/cameras/{id}/approvals',
      '/api/v1/cameras/{id}/live',
      '/api/v1/cameras/{id}/snapshot',
    ],
    ...['order', 'files', 'files/{sha256}'].map((part) => `/api/v1/grants/{id}/${part}`),
    ...['/api/v1/edges/{id}/history', '/api/v1/devices/{id}/history', '/api/v1/cameras/{id}/history'],
    ...['/api/v1/desired', ...['', '/cameras/{camera}', '/diff', '/revisions'].map((part) => DESIRED + part)],
    ...['', '/document'].map((part) => `${DESIRED}/revisions/{revision}${part}`),
    ...['/api/v1/models', '/api/v1/models/{sha256}/package', '/api/v1/datasets', '/api/v1/datasets/{id}'],
    ...['/api/v1/trials', '/api/v1/trials/{id}'],
    ...['incidents', 'messages', 'settings'].map((part) => `/api/v1/notify/${part}`),
    ...['cases', 'cases/{id}', 'groups', 'groups/{id}', 'maintenance', 'scores', 'firmware'].map(
      (part) => `/api/v1/upkeep/${part}`,
    ),
  ].map((path) => `GET ${path}`);
  const others = [
    ...['acknowledge', 'incidents/{id}/acknowledge', 'test'].map((part) => `POST /api/v1/notify/${part}`),
    'PUT /api/v1/notify/settings',
    ...['POST /api/v1/dead-letters/{id}/replay', 'POST /api/v1/dead-letters/discard'],
    ...['acknowledge', '{id}/assign', '{id}/fix'].map((part) => `POST /api/v1/upkeep/cases/${part}`),
    ...['POST /api/v1/upkeep/maintenance', 'POST /api/v1/upkeep/maintenance/end', 'POST /api/v1/upkeep/groups/{id}/members'],
    ...['PUT', 'DELETE'].map((method) => `${method} /api/v1/upkeep/groups/{id}`),
    'POST /api/v1/cases',
    'POST /api/v1/datasets',
    'POST /api/v1/trials/{id}/promote',
    'POST /api/v1/trials/{id}/return',
    'POST /api/v1/session',
    'POST /api/v1/session/link',
    'DELETE /api/v1/session',
    'PUT /api/v1/session/password',
    'POST /api/v1/users',
    'PATCH /api/v1/users/{name}',
    'POST /api/v1/users/{name}/sign-in-link',
    'DELETE /api/v1/users/{name}/sessions',
    'PUT /api/v1/events/{id}/verdict',
    'DELETE /api/v1/events/{id}/verdict',
    'POST /api/v1/cameras/{id}/approvals',
    'POST /api/v1/cameras/{id}/approvals/withdraw',
    'PUT /api/v1/cameras/{id}/person-recall',
    'POST /api/v1/cameras/{id}/person-recall/withdraw',
    'POST /api/v1/cameras/{id}/reference',
    'PUT /api/v1/policy',
    'PUT /api/v1/evidence/{sha256}',
    'GET /api/v1/evidence/{sha256}/upload',
    'PUT /api/v1/edge-keys/{edge}',
    'POST /api/v1/edge-keys/{edge}/{keyId}/accept',
    'POST /api/v1/grants',
    'POST /api/v1/grants/{id}/end',
    'POST /api/v1/grants/{id}/answer',
    'PUT /api/v1/grants/{id}/files/{sha256}',
    'POST /api/v1/tokens',
    'DELETE /api/v1/tokens/{sha256}',
    `PUT ${DESIRED}`,
    `PUT ${DESIRED}/calendars`,
    `PUT ${DESIRED}/maintenance`,
    `PUT ${DESIRED}/model`,
    `PUT ${DESIRED}/candidate`,
    'PUT /api/v1/models/{sha256}',
    `PATCH ${DESIRED}/cameras/{camera}`,
    `POST ${DESIRED}/return`,
  ];
  const steps = TRANSITIONS.filter((t) => t.from.length > 0).map((t) => `POST /api/v1/cases/{id}/transitions/${t.name}`);
  expect(listed.sort()).toEqual([...wanted, ...others, ...steps].sort());
  for (const operations of Object.values(paths))
    for (const operation of Object.values(operations)) expect(operation.summary).toBeTruthy();
});
