import { once } from 'node:events';
import { request } from 'node:http';
import { connect as connectTcp } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createEdgeNode, type EdgeNode } from '#edge/mod.ts';
import { Mapper, Mapping, mappingMistakes } from '#grid/mod.ts';
import { checkHealthLine, type EdgeDeadLetter } from '#grid/wire/mod.ts';
import { checkConfig, readConfigFile, silentLog, systemClock } from '#service/mod.ts';
import { mappingConflicts } from '../../edge/mapping/mod.ts';
import { Refusals } from '../../edge/push/refusals.ts';
import { coverDevice, deviceClient, edgeConfig, mqttClient, secretOf } from '../support/edge.ts';
import { tempDir } from '../support/temp.ts';
import { until } from '../support/until.ts';

const EXAMPLES = join(import.meta.dirname, '../../grid/mapping/examples');
const WELL = 'city/shanghai/well/status/well_0x7a3b';
const HYDRANT = 'fh-868120301234567';

async function example(name: string): Promise<Mapper> {
  const file = join(EXAMPLES, `${name}.yaml`);
  return new Mapper(checkConfig(file, Mapping, await readConfigFile(file), mappingMistakes));
}

/** A hydrant beside the covers: component class 0113. */
function hydrantDevice(id: string) {
  return { ...coverDevice(id, 900), kind: 'fire_hydrant', component: '1101010113000900' };
}

let node: EdgeNode;
let url: string;
beforeAll(async () => {
  const dataDir = join(await tempDir({ keep: true }), 'data');
  const devices = [
    coverDevice('well_0x7a3b'),
    coverDevice('mc-24e124713c140041', 2),
    coverDevice('mc-other', 3),
    hydrantDevice(HYDRANT),
  ];
  const config = edgeConfig({ dataDir, centreUrl: 'mqtt://127.0.0.1:9', devices });
  const gateway = (id: string, own: string[]) => ({ id, secret: secretOf(id), devices: own });
  node = createEdgeNode({
    config: {
      ...config,
      mappings: await Promise.all(['manhole-cover', 'lorawan-tilt', 'hydrant-push'].map(example)),
      push: { host: '127.0.0.1', port: 0 },
      site: {
        ...config.site,
        gateways: [gateway('gw-wells', ['well_0x7a3b', 'mc-24e124713c140041']), gateway('gw-hydrants', [HYDRANT])],
      },
    },
    log: silentLog,
    clock: systemClock,
  });
  await node.start();
  url = `http://127.0.0.1:${node.pushPort}`;
});
afterAll(() => node.stop());

async function records(lane: 'readings' | 'health', from: number): Promise<string[]> {
  const chunk = await node.outbox.take(lane, from, Number.MAX_SAFE_INTEGER, 1e7, 1e6);
  return Buffer.from(chunk?.body ?? [])
    .toString()
    .split('\n')
    .filter(Boolean);
}
/** What a step puts into the outbox. */
async function added(step: () => Promise<unknown>): Promise<{ readings: string[]; letters: EdgeDeadLetter[] }> {
  const next = () => ({ readings: node.outbox.stats.readings.lastSeq + 1, health: node.outbox.stats.health.lastSeq + 1 });
  const from = next();
  await step();
  const health = (await records('health', from.health)).map((l) => JSON.parse(l) as EdgeDeadLetter);
  for (const line of health) expect(checkHealthLine.Check(line)).toBe(true);
  return { readings: await records('readings', from.readings), letters: health.filter((h) => h.of === 'dead-letter') };
}

const nowS = () => Math.floor(Date.now() / 1000);
const basic = (id: string, secret = secretOf(id)) => `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`;

function push(
  body: unknown,
  { path = '/push/hydrants', authorization = basic('gw-hydrants'), ...more }: Record<string, string> = {},
) {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return fetch(url + path, { method: 'POST', body: text, headers: { authorization, ...more } });
}
function shanghai(agoS: number): string {
  const local = new Date(Date.now() - agoS * 1000 + 8 * 3_600_000);
  return local.toISOString().slice(0, 19).replace('T', ' ');
}
function hydrant(changes: object = {}) {
  const status = {
    Status: '0',
    WaterStatus: '0',
    ValvStatus: '0',
    KnockDownStatus: '0',
    KnockStatus: '0',
    SeparationStatus: '0',
  };
  const values = { Voltage: '3.59', Temperature: '12.4', Water: '0.28', Signal: '-88', SendNumber: '41' };
  return { DeviceId: '868120301234567', TACQ: shanghai(60), UploadDate: shanghai(56), ...status, ...values, ...changes };
}

test('a gateway’s vendor JSON is a reading of its device in the outbox when the PUBACK comes', async () => {
  const client = await deviceClient(node.brokerPort, 'gw-wells');
  const ts = nowS();
  const payload = { device_id: 'well_0x7a3b', tilt: 2.4, battery: 89, status: 'normal', ts, fw: '2.1.7' };
  const from = node.outbox.stats.health.lastSeq + 1;
  const { readings, letters } = await added(() => client.publishAsync(WELL, JSON.stringify(payload), { qos: 1 }));
  expect(readings).toHaveLength(1);
  expect(readings[0]).toMatch(
    new RegExp(`^manhole_cover,cell=\\d{15},device=well_0x7a3b,edge=edge-01 tilt_deg=2.4,displaced=false ${ts}000`),
  );
  expect(letters).toEqual([]);
  const said = (await records('health', from)).map((line) => JSON.parse(line) as { id?: string; firmware?: string });
  expect(said).toContainEqual(expect.objectContaining({ id: 'well_0x7a3b', state: 'online', firmware: '2.1.7' }));
  await client.endAsync(true);
});

test('a LoRaWAN uplink by the same gateway on another topic', async () => {
  const client = await deviceClient(node.brokerPort, 'gw-wells');
  const uplink = { time: new Date().toISOString(), fCnt: 1042, data: 'A88AAAAAKCMH', rxInfo: [{ rssi: -97 }] };
  const topic = 'application/17/device/24e124713c140041/event/up';
  const { readings } = await added(() => client.publishAsync(topic, JSON.stringify(uplink), { qos: 1 }));
  expect(readings[0]).toMatch(/^manhole_cover,.*device=mc-24e124713c140041,.* tilt_deg=0,rssi=-97,seq=1042 /);
  await client.endAsync(true);
});

test('a device may speak in a vendor’s format for itself', async () => {
  const client = await deviceClient(node.brokerPort, 'well_0x7a3b');
  const { readings } = await added(() => client.publishAsync(WELL, '{"tilt":1}', { qos: 1 }));
  expect(readings).toHaveLength(1);
  await client.endAsync(true);
});

test('what cannot be used is acknowledged and becomes a dead letter with the payload', async () => {
  const client = await deviceClient(node.brokerPort, 'gw-wells');
  for (const [payload, code] of [
    ['{"tilt":', 'GEWU_PAYLOAD_NOT_JSON'],
    ['{"tilt":"much"}', 'GEWU_MAPPING_FAULT'],
    ['{"tilt":1,"ts":"soon"}', 'GEWU_MAPPING_FAULT'],
    ['[]', 'GEWU_PAYLOAD_EMPTY'],
  ]) {
    const { readings, letters } = await added(() => client.publishAsync(WELL, payload as string, { qos: 1 }));
    expect(readings).toEqual([]);
    expect(letters).toMatchObject([{ code, id: 'gw-wells', topic: WELL }]);
    expect(Buffer.from(letters[0]?.payload ?? '', 'base64').toString()).toBe(payload);
  }
  expect(client.connected).toBe(true);
  await client.endAsync(true);
});

test('a gateway speaks for its own devices only, and a device for itself', async () => {
  for (const [sender, topic] of [
    ['gw-hydrants', WELL],
    ['mc-other', WELL],
    ['gw-wells', WELL.replace('well_0x7a3b', 'mc-other')],
    ['gw-wells', WELL.replace('well_0x7a3b', 'nobody')],
  ]) {
    const client = await deviceClient(node.brokerPort, sender as string);
    const { readings, letters } = await added(() => client.publishAsync(topic as string, '{"tilt":1}', { qos: 1 }));
    expect(readings).toEqual([]);
    expect(letters).toMatchObject([{ code: 'GEWU_DEVICE_FOREIGN', id: sender }]);
    await client.endAsync(true);
  }
});

test('a topic that no mapping reads ends the connection, and wrong credentials make none', async () => {
  const client = await deviceClient(node.brokerPort, 'gw-wells');
  const closed = new Promise<void>((resolve) => client.once('close', () => resolve()));
  client.publish('city/shanghai/else', '{}', { qos: 1 });
  await closed;
  await expect(mqttClient(node.brokerPort, { username: 'gw-wells', password: 'wrong-secret' })).rejects.toThrow();
  client.end(true);
});

test('a push is readings in the outbox when the 204 comes, a device’s samples in their order', async () => {
  const samples = [10, 20, 30].map((agoS) => hydrant({ TACQ: shanghai(agoS), SendNumber: String(100 - agoS) }));
  const { readings, letters } = await added(async () => expect((await push(samples)).status).toBe(204));
  expect(readings.map((l) => / pressure_mpa=0\.28,.*seq=(\d+) /.exec(l)?.[1])).toEqual(['70', '80', '90']);
  expect(letters).toEqual([]);
  const bearer = await push([hydrant({ SendNumber: '91' })], { authorization: `Bearer ${secretOf('gw-hydrants')}` });
  expect(bearer.status).toBe(204);
});

test('in one push the good samples are readings, each bad one is a dead letter of its own', async () => {
  const body = [
    hydrant({ SendNumber: '200', TACQ: shanghai(5) }),
    hydrant({ Water: 'n/a' }),
    hydrant({ DeviceId: '1' }),
    hydrant({ SendNumber: 2 ** 33 }),
  ];
  const { readings, letters } = await added(async () => expect((await push(body)).status).toBe(204));
  expect(readings).toHaveLength(1);
  expect(letters.map((l) => l.code).sort()).toEqual(['GEWU_CODEC_FAULT', 'GEWU_DEVICE_FOREIGN', 'GEWU_READING_TYPE']);
  const foreign = letters.find((l) => l.code === 'GEWU_DEVICE_FOREIGN');
  expect(foreign?.reason).toBe('fh-1: gw-hydrants does not speak for it');
});

test('a push full of faults makes no flood of letters', async () => {
  const body = Array.from({ length: 500 }, (_, i) => hydrant({ DeviceId: `x${i}` }));
  const { letters } = await added(async () => expect((await push(body)).status).toBe(204));
  expect(letters).toHaveLength(16);
  expect(letters.at(-1)?.reason).toMatch(/and 484 more samples/);
});

test('a body that is no JSON is a dead letter and 204: the platform would send it for ever', async () => {
  const { letters } = await added(async () => expect((await push('<xml/>')).status).toBe(204));
  expect(letters).toMatchObject([{ code: 'GEWU_PAYLOAD_NOT_JSON', id: 'gw-hydrants', topic: '/push/hydrants' }]);
});

test('requests that are none of ours are refused with a code', async () => {
  const answer = async (response: Response) => [response.status, ((await response.json()) as { code: string }).code];
  const { readings, letters } = await added(async () => {
    expect(await answer(await push([hydrant()], { path: '/push/other' }))).toEqual([404, 'GEWU_NOT_FOUND']);
    expect(await answer(await push([hydrant()], { 'content-encoding': 'gzip' }))).toEqual([400, 'GEWU_REQUEST_INVALID']);
    const get = await fetch(`${url}/push/hydrants`, { headers: { authorization: basic('gw-hydrants') } });
    expect(await answer(get)).toEqual([400, 'GEWU_REQUEST_INVALID']);
  });
  expect([readings, letters]).toEqual([[], []]);
});

/** A body without a declared length. */
function pushChunks(bytes: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: basic('gw-hydrants') };
    const req = request(`${url}/push/hydrants`, { method: 'POST', headers }, (res) => resolve(res.statusCode ?? 0));
    req.on('error', reject);
    for (let left = bytes; left > 0; left -= 65_536) req.write(Buffer.alloc(Math.min(left, 65_536), 32));
    req.end();
  });
}

test('a body that is too large is told so, declared or not, and nothing of it is kept', async () => {
  const { readings, letters } = await added(async () => {
    const declared = await push(' '.repeat(300 * 1024));
    expect([declared.status, ((await declared.json()) as { code: string }).code]).toEqual([413, 'GEWU_PAYLOAD_TOO_LARGE']);
    expect(await pushChunks(300 * 1024)).toBe(413);
    expect(await pushChunks(100)).toBe(204);
  });
  expect(readings).toEqual([]);
  expect(letters.map((l) => l.code)).toEqual(['GEWU_PAYLOAD_NOT_JSON']);
});

test('a sender that hangs up in the middle leaves nothing and disturbs nobody', async () => {
  const { letters } = await added(async () => {
    const socket = connectTcp(node.pushPort, '127.0.0.1');
    await once(socket, 'connect');
    const head = `POST /push/hydrants HTTP/1.1\r\nhost: x\r\nauthorization: ${basic('gw-hydrants')}\r\ncontent-length: 1000\r\n\r\n[{`;
    await new Promise((resolve) => socket.write(head, resolve));
    socket.destroy();
    expect((await push([hydrant({ SendNumber: '300', TACQ: shanghai(2) })])).status).toBe(204);
  });
  expect(letters).toEqual([]);
});

test('a flood of one gateway is slowed down with 429, and tells when to come again', async () => {
  const answers: Response[] = [];
  const end = performance.now() + 10_000;
  while (!answers.some((a) => a.status === 429) && performance.now() < end)
    answers.push(...(await Promise.all(Array.from({ length: 50 }, () => push('[]')))));
  expect(answers.filter((a) => a.status === 204).length).toBeGreaterThanOrEqual(150);
  const refused = answers.find((a) => a.status === 429);
  expect(refused?.headers.get('retry-after')).toBe('5');
  expect(await refused?.json()).toMatchObject({ code: 'GEWU_TOO_MANY_REQUESTS' });
  await until(async () => (await push('[]')).status === 204);
});

test('wrong secrets are refused, and after ten of them a right one from there waits too', async () => {
  const status = async (authorization: string) => (await push([hydrant()], { authorization })).status;
  const wrong = [
    basic('gw-hydrants', 'wrong-secret'),
    basic('nobody', ''),
    // A device is no platform.
    basic('mc-other'),
    'Bearer wrong-secret',
    'Bearer ',
    'Digest x',
    '',
  ];
  const { readings, letters } = await added(async () => {
    for (const authorization of wrong) expect(await status(authorization)).toBe(401);
    for (let i = wrong.length; i < 10; i++) expect(await status('Bearer guess')).toBe(401);
    expect(await status(basic('gw-hydrants'))).toBe(429);
  });
  expect([readings, letters]).toEqual([[], []]);
});

test('refusals are forgotten after a minute, and remembered for so many addresses', () => {
  const refusals = new Refusals();
  for (let i = 0; i < 10; i++) {
    expect(refusals.blocked('a', i)).toBe(false);
    refusals.count('a', i);
  }
  expect([refusals.blocked('a', 59_999), refusals.blocked('b', 0)]).toEqual([true, false]);
  expect(refusals.blocked('a', 60_000)).toBe(false);
  for (let i = 0; i < 10; i++) refusals.count('a', 60_000);
  for (let i = 0; i < 1024; i++) refusals.count(`x${i}`, 60_000);
  expect(refusals.blocked('a', 60_000)).toBe(false);
});

test('what mappings made is counted', async () => {
  const text = await node.metrics.metrics();
  expect(text).toMatch(/gewu_edge_mapped_total\{mapping="manhole-cover",what="sample"\} [1-9]/);
  expect(text).toMatch(/gewu_edge_mapped_total\{mapping="hydrant-push",what="fault"\} [1-9]/);
  expect(text).toMatch(/gewu_push_requests_total\{status="204"\} [1-9]/);
});

test('a mapping that would never read anything is a mistake of the node’s configuration', () => {
  const mapping = (name: string, from: object): Mapping => {
    const rest = { version: 1, codec: 'json', device: { path: 'id' }, fields: { tilt_deg: { path: 'tilt' } } };
    return checkConfig(name, Mapping, { ...rest, mapping: name, from }, mappingMistakes);
  };
  const all = [
    mapping('special', { topic: 'a/b' }),
    mapping('general', { topic: 'a/{x}' }),
    mapping('hidden', { topic: 'a/c' }),
    mapping('pushed', { path: '/p' }),
    mapping('again', { path: '/p' }),
  ];
  expect(mappingConflicts(all, { push: true }).map((m) => m.key)).toEqual(['mappings.2', 'mappings.4']);
  expect(mappingConflicts(all, { push: false }).map((m) => m.key)).toEqual(['mappings.2', 'mappings.3', 'mappings.4']);
});
