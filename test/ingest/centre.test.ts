import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { request } from 'node:https';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { connectAsync } from 'mqtt';
import { describe, expect, onTestFinished, test } from 'vitest';
import { freePort, startMosquitto, startPostgres } from '#cli/servers/mod.ts';
import { ackTopic, encodeFrame, toLine, upTopic } from '#grid/wire/mod.ts';
import { createCentre, loadIngestConfig } from '#ingest/mod.ts';
import { silentLog, systemClock } from '#service/mod.ts';
import { tempDir } from '../support/temp.ts';
import { until } from '../support/until.ts';
import { CELL, EDGE, fileOf, openCover, TestCentre, tokenOf } from './api/fixture.ts';

const line = (ts = Date.now()) =>
  toLine({ kind: 'manhole_cover', device: 'mh-1', cell: CELL, edge: EDGE, ts, us: 0, fields: { tilt_deg: 4 } });

async function start(sections: object = {}, dir?: string): Promise<TestCentre> {
  const centre = await TestCentre.start(sections, dir);
  onTestFinished(() => centre.stop());
  return centre;
}
const notReady = async (centre: TestCentre): Promise<string[]> =>
  (await centre.get('/readyz')).body.notReady.map((n: { name: string }) => n.name);

describe('a store that is away', () => {
  test('PostgreSQL: dead at the start and killed later; readings go on, cases come back by themselves', async () => {
    const dir = await tempDir();
    const server = await startPostgres({ dir });
    onTestFinished(() => server.stop());
    await server.kill();
    const centre = await start({ database: { store: 'postgres', url: server.url, poolMax: 4 } });
    expect(await notReady(centre)).toEqual(['database', 'evidence']);
    expect((await centre.get('/readyz')).status).toBe(503);
    const edge = await centre.edge();
    await edge.send('readings', [line()]);
    expect((await centre.get('/api/v1/readings/latest?devices=mh-1')).body.items).toHaveLength(1);
    const refused = await centre.get('/api/v1/cases');
    expect([refused.status, refused.body.error.code]).toEqual([503, 'GEWU_STORE_UNAVAILABLE']);
    // The event waits for its store, and its ack with it.
    const waiting = edge.send('events', [openCover('ev-1')], { timeoutMs: 30_000 });
    await server.restart();
    await until(async () => (await notReady(centre)).length === 0, { timeoutMs: 15_000 });
    await waiting;
    expect((await centre.get('/api/v1/cases')).body.items).toHaveLength(1);

    await server.kill();
    await until(async () => (await notReady(centre)).includes('database'));
    await edge.send('readings', [line(Date.now() + 1)]);
    await server.restart();
    await until(async () => (await notReady(centre)).length === 0, { timeoutMs: 15_000 });
    await edge.close();
  }, 60_000);

  test('a time series that is away does not stop cases, nor hide devices', async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    const centre = await start({ timeseries: { store: 'influxdb', url, timeoutMs: 500 } });
    expect(await notReady(centre)).toEqual(['timeseries']);
    const edge = await centre.edge();
    await edge.send('events', [openCover('ev-1')]);
    expect((await centre.get('/api/v1/cases')).body.items).toHaveLength(1);
    expect((await centre.get('/api/v1/devices')).body.items).toHaveLength(3);
    expect((await centre.get('/api/v1/readings/count?from=0&to=1')).status).toBe(503);
    await edge.close();
  });
});

describe('what trying again cannot mend fails the start', () => {
  const startFrom = async (centre: TestCentre, change: (config: Awaited<ReturnType<typeof loadIngestConfig>>) => void) => {
    const config = await loadIngestConfig(join(centre.dir, 'ingest.yaml'));
    change(config);
    const second = createCentre({ config, log: silentLog, clock: systemClock });
    return { second, failed: second.start() };
  };

  test('a second centre on the same files', async () => {
    const centre = await start();
    const { second, failed } = await startFrom(centre, () => undefined);
    await expect(failed).rejects.toMatchObject({ code: 'GEWU_STORE_LOCKED' });
    // It has let go of its API again.
    await expect(fetch(`${second.apiUrl}/healthz`)).rejects.toThrow();
    expect(await notReady(centre)).toEqual([]);
  });

  test.each(['api', 'broker'] as const)('a port in use: %s', async (which) => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    onTestFinished(() => void other.close());
    const { port } = other.address() as { port: number };
    const section = which === 'api' ? { api: { port } } : { broker: { embedded: { port } } };
    await expect(TestCentre.start(section, await tempDir())).rejects.toMatchObject({ code: 'GEWU_PORT_IN_USE' });
  });
});

test('it stops within 5 s with streams and edges connected, and comes back with what it knew', async () => {
  const dir = await tempDir();
  const first = await TestCentre.start({}, dir);
  const edge = await first.edge();
  await edge.send('events', [openCover('ev-1')]);
  await edge.send('readings', [line()]);
  const stream = await first.raw('/api/v1/stream', { headers: { authorization: `Bearer ${tokenOf('viewer')}` } });
  const began = performance.now();
  await first.stop({ keep: true });
  expect(performance.now() - began).toBeLessThan(5000);
  await stream.text().catch(() => undefined);
  await first.stop({ keep: true });
  const again = await start({}, dir);
  expect((await again.get('/api/v1/cases')).body.items).toHaveLength(1);
  expect((await again.get(`/api/v1/readings/count?from=0&to=${Date.now() + 1000}`)).body.count).toBe(1);
  await edge.close();
});

test('a centre is among its replicas, and says that it is ready, once all of it runs', async () => {
  const centre = await start();
  const replicas = async () => (await centre.get('/api/v1/pipeline', 'viewer')).body.replicas;
  await until(async () => (await replicas()).length === 1);
  expect(await replicas()).toMatchObject([{ here: true, running: true, notReady: [] }]);
});

test('an edge that comes through a broker of the city', async () => {
  const mosquitto = await startMosquitto({ dir: await tempDir() });
  onTestFinished(() => mosquitto.stop());
  const centre = await start({ broker: { external: { url: mosquitto.url } } });
  expect(centre.centre.brokerPort).toBeNull();
  expect(await notReady(centre)).toEqual([]);
  const edge = await connectAsync(mosquitto.url, { clientId: EDGE });
  const acked = new Promise((resolve) => edge.once('message', (_topic, payload) => resolve(JSON.parse(payload.toString()))));
  await edge.subscribeAsync(ackTopic(EDGE));
  const header = { edge: EDGE, epoch: 'e1', lane: 'readings' as const, first: 1, last: 1, count: 1 };
  await edge.publishAsync(upTopic(EDGE, 'readings'), encodeFrame(header, Buffer.from(`${line()}\n`)), { qos: 1 });
  expect(await acked).toEqual({ epoch: 'e1', lane: 'readings', first: 1, last: 1 });
  expect((await centre.get('/api/v1/readings/latest?devices=mh-1')).body.items).toHaveLength(1);
  await edge.endAsync(true);
});

test('the API speaks TLS with the certificates of the configuration, and asks for one where a CA is named', async () => {
  const dir = await tempDir();
  const [cert, key] = [join(dir, 'cert.pem'), join(dir, 'key.pem')];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const args = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', ...subject];
  await promisify(execFile)('openssl', [...args, '-keyout', key, '-out', cert]);
  const { api } = fileOf() as { api: object };
  const ca = await readFile(cert);
  const ask = (url: string, client: object, path = '/healthz') =>
    new Promise<{ status: number | undefined; hsts: string | undefined; cookie?: string }>((resolve, reject) => {
      request(url + path, { ca, agent: false, ...client }, (response) => {
        response.resume();
        const { statusCode: status, headers } = response;
        const [cookie] = headers['set-cookie'] ?? [];
        resolve({ status, hsts: headers['strict-transport-security'], ...(cookie === undefined ? {} : { cookie }) });
      })
        .on('error', reject)
        .end();
    });
  const plain = await start({ api: { ...api, tls: { cert, key } } }, dir);
  expect(plain.centre.apiUrl).toMatch(/^https:\/\/127\.0\.0\.1:/);
  expect(await ask(plain.centre.apiUrl, {})).toEqual({ status: 200, hsts: 'max-age=31536000' });
  const signOut = { method: 'DELETE', headers: { authorization: `Bearer ${tokenOf('viewer')}` } };
  expect((await ask(plain.centre.apiUrl, signOut, '/api/v1/session')).cookie).toMatch(/; HttpOnly; SameSite=Strict;.*; Secure$/);
  await plain.centre.stop();
  const mutual = await start({ api: { ...api, tls: { cert, key, ca: cert } } }, dir);
  await expect(ask(mutual.centre.apiUrl, {})).rejects.toThrow();
  expect((await ask(mutual.centre.apiUrl, { cert: ca, key: await readFile(key) })).status).toBe(200);
});
