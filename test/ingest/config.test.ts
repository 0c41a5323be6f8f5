import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { loadIngestConfig } from '#ingest/mod.ts';
import { ConfigError } from '#service/mod.ts';
import { pmtilesOf } from '../support/pmtiles.ts';
import { tempDir } from '../support/temp.ts';
import { SITE } from './api/fixture.ts';

const MINIMAL = { version: 1, centre: { dataDir: 'data' } };

async function load(file: object, others: Record<string, object> = {}) {
  const dir = await tempDir();
  for (const [name, content] of Object.entries(others)) await writeFile(join(dir, name), stringify(content));
  await writeFile(join(dir, 'ingest.yaml'), stringify(file));
  return { dir, config: await loadIngestConfig(join(dir, 'ingest.yaml')) };
}

/** `key: message` of every mistake. */
async function mistakes(file: object, others: Record<string, object> = {}): Promise<string[]> {
  const error = await load(file, others).then(
    () => null,
    (e: unknown) => e,
  );
  if (!(error instanceof ConfigError)) throw new Error(`no ConfigError but ${error}`);
  return error.mistakes.map((m) => `${m.key}: ${m.message}`);
}

test('a minimal file is enough: embedded stores and broker, everything on loopback', async () => {
  const { dir, config } = await load(MINIMAL);
  expect(config).toMatchObject({
    centre: { id: 'centre', dataDir: join(dir, 'data'), timeZone: 'Asia/Shanghai', replicas: 1 },
    api: { host: '127.0.0.1', port: 8080, tokens: [], metricsOpen: false },
    broker: { embedded: { host: '127.0.0.1', port: 1883 } },
    edges: [],
    timeseries: { store: 'sqlite', file: join(dir, 'data/readings.sqlite'), retention: { rawDays: 30 } },
    database: { store: 'sqlite', file: join(dir, 'data/centre.sqlite') },
    evidence: { dir: join(dir, 'data/evidence') },
    filingPolicy: null,
  });
  expect(config.evidence.quotaBytes).toBeGreaterThan(0);
});

test('a section that is given in part keeps its defaults, and paths start at the file', async () => {
  const { dir, config } = await load({
    ...MINIMAL,
    timeseries: { retention: { rawDays: 7 } },
    evidence: { quotaBytes: 1000 },
    api: { tls: { cert: 'tls/cert.pem', key: '/etc/key.pem' } },
  });
  expect(config.timeseries).toMatchObject({
    store: 'sqlite',
    file: join(dir, 'data/readings.sqlite'),
    retention: { rawDays: 7 },
  });
  expect(config.evidence).toEqual({ dir: join(dir, 'data/evidence'), quotaBytes: 1000 });
  expect(config.api.tls).toEqual({ cert: join(dir, 'tls/cert.pem'), key: '/etc/key.pem' });
});

test('real stores and an external broker', async () => {
  const { config } = await load({
    ...MINIMAL,
    centre: { dataDir: 'data', replicas: 3 },
    timeseries: { store: 'influxdb', url: 'http://127.0.0.1:8086' },
    database: { store: 'postgres', url: 'postgres://gewu:x@127.0.0.1/gewu' },
    broker: { external: { url: 'mqtt://127.0.0.1:1883', sharedGroup: 'centre' } },
  });
  expect([config.timeseries.store, config.database.store]).toEqual(['influxdb', 'postgres']);
  expect(config.broker.embedded).toBeUndefined();
});

test('a site comes inline, from its own file, or from an edge configuration; its defaults are filled', async () => {
  const edge = (id: string, more: object) => ({ id, password: 'password', ...more });
  const other = { ...SITE, devices: [], cameras: [] };
  const { config } = await load(
    {
      ...MINIMAL,
      edges: [edge('a', { site: SITE }), edge('b', { siteFile: 'b.yaml' }), edge('c', { siteFile: 'c.yaml' }), edge('d', {})],
    },
    { 'b.yaml': other, 'c.yaml': { version: 1, edge: { id: 'c' }, site: other } },
  );
  expect(config.edges.map((e) => [e.id, e.site?.devices.length, e.site?.timeZone])).toEqual([
    ['a', 3, 'Asia/Shanghai'],
    ['b', 0, 'Asia/Shanghai'],
    ['c', 0, 'Asia/Shanghai'],
    ['d', undefined, undefined],
  ]);
});

test('a filing policy comes from its file', async () => {
  const policy = { version: 1, default: 'verify-first', rules: [] };
  expect((await load({ ...MINIMAL, filingPolicy: 'policy.yaml' }, { 'policy.yaml': policy })).config.filingPolicy).toEqual(
    policy,
  );
  expect(
    await mistakes({ ...MINIMAL, filingPolicy: 'policy.yaml' }, { 'policy.yaml': { ...policy, default: 'never' } }),
  ).toHaveLength(1);
});

describe('every mistake is named by its key', () => {
  const edge = (id: string, more: object = {}) => ({ id, password: 'password', ...more });
  const token = (name: string, roles: string[], more: object = { token: 'a-token-of-twenty-chars' }) => ({
    name,
    roles,
    ...more,
  });
  const cases: [string, object, string[]][] = [
    ['an unknown key', { apii: {} }, ['apii: unknown key']],
    [
      'a store by its own schema',
      { database: { store: 'postgres', file: 'x' } },
      ['database.url: is required', 'database.file: unknown key'],
    ],
    ['an unknown store', { timeseries: { store: 'csv' } }, ['timeseries.store: must be one of: sqlite, influxdb']],
    [
      'two brokers',
      { broker: { embedded: {}, external: { url: 'mqtt://h' } } },
      ['broker: exactly one of embedded and external is wanted'],
    ],
    ['no broker', { broker: {} }, ['broker: exactly one of embedded and external is wanted']],
    [
      'replicas on embedded stores',
      { centre: { dataDir: 'd', replicas: 2 } },
      ['timeseries.store', 'database.store', 'broker.embedded'],
    ],
    ['one edge twice', { edges: [edge('a'), edge('a')] }, ['edges.1.id: is the id of another edge']],
    [
      'two sites',
      { edges: [edge('a', { site: SITE, siteFile: 'x' })] },
      ['edges.0.siteFile: site and siteFile exclude each other'],
    ],
    [
      'one device on two edges',
      { edges: [edge('a', { site: SITE }), edge('b', { site: { ...SITE, cameras: [] } })] },
      ['edges.b.site.devices', 'edges.b.site.devices', 'edges.b.site.devices'],
    ],
    [
      'both sides in one account',
      { api: { tokens: [token('li', ['supervision', 'command'])] } },
      ['api.tokens.0.roles: holds supervision and command'],
    ],
    [
      'both sides by two tokens',
      { api: { tokens: [token('li', ['supervision']), token('li', ['command'])] } },
      ['api.tokens.1.roles: holds'],
    ],
    [
      'the name of the machine',
      { api: { tokens: [token('gewu', ['viewer'])] } },
      ['api.tokens.0.roles: is the name of the machine'],
    ],
    [
      'a token without a secret',
      { api: { tokens: [token('li', ['viewer'], {})] } },
      ['api.tokens.0: exactly one of token and sha256'],
    ],
    ['a short token', { api: { tokens: [token('li', ['viewer'], { token: 'short' })] } }, ['api.tokens.0.token: ']],
    ['an unknown role', { api: { tokens: [token('li', ['king'])] } }, ['api.tokens.0.roles.0: ']],
  ];
  test.each(cases)('%s', async (_name, sections, wanted) => {
    const found = await mistakes({ ...MINIMAL, ...sections });
    expect(found.map((f, i) => f.slice(0, wanted[i]?.length))).toEqual(wanted);
  });

  test('another version, and a file that is not there', async () => {
    await expect(load({ ...MINIMAL, version: 2 })).rejects.toMatchObject({ code: 'GEWU_CONFIG_VERSION' });
    await expect(loadIngestConfig('/nowhere/ingest.yaml')).rejects.toMatchObject({ code: 'GEWU_CONFIG_UNREADABLE' });
    await expect(load({ ...MINIMAL, edges: [edge('a', { siteFile: 'missing.yaml' })] })).rejects.toMatchObject({
      code: 'GEWU_CONFIG_UNREADABLE',
    });
  });
});

describe('base maps', () => {
  const TILES = { id: 'street', name: 'Street', url: 'https://tiles.example/{z}/{x}/{y}.png', coordinates: 'wgs84' };
  const withTiles = (tiles: object, more: object = {}) =>
    mistakes({ ...MINIMAL, ...more, map: { tiles: [{ ...TILES, ...tiles }] } });
  const withArchive = async (bytes: Buffer) => {
    const dir = await tempDir();
    await writeFile(join(dir, 'city.pmtiles'), bytes);
    await writeFile(
      join(dir, 'ingest.yaml'),
      stringify({ ...MINIMAL, map: { pmtiles: { file: 'city.pmtiles', name: 'City' } } }),
    );
    return loadIngestConfig(join(dir, 'ingest.yaml')).then(
      ({ map }) => map.pmtiles?.file === join(dir, 'city.pmtiles'),
      (error: ConfigError) => error.mistakes.map((m) => `${m.key}: ${m.message}`),
    );
  };

  test('none unless they are configured', async () => {
    expect((await load(MINIMAL)).config.map).toEqual({ tiles: [] });
  });

  test('a source of tiles has a host, a place for each number, and https where the console has it', async () => {
    expect(await withTiles({ url: 'https://tiles.example/{z}/{x}.png' })).toEqual(['map.tiles.0.url: must hold {y}']);
    for (const url of [
      "https://tiles.example'/{z}/{x}/{y}",
      'https://a b/{z}/{x}/{y}',
      'ftp://tiles.example/{z}/{x}/{y}',
      'https://u:p@a/{z}/{x}/{y}',
      'https://a; script-src */{z}/{x}/{y}',
    ])
      expect((await withTiles({ url })).join()).toMatch(/^map\.tiles\.0\.url: must match pattern/);
    expect(await withTiles({ url: 'https://a:99999/{z}/{x}/{y}' })).toEqual(['map.tiles.0.url: is no address']);
    const tls = { api: { tls: { cert: 'c.pem', key: 'k.pem' } } };
    expect((await withTiles({ url: 'http://a/{z}/{x}/{y}' }, tls)).join()).toContain('must be https');
    expect(await withTiles({ id: 'pmtiles' })).toEqual(['map.tiles.0.id: is the id of another base map']);
    expect(await withTiles({ zoomMin: 19 })).toEqual(['map.tiles.0.zoomMin: is above zoomMax']);
  });

  test('a file that is no PMTiles, cut off, or not to be read by a browser is told before the centre starts', async () => {
    const good = pmtilesOf([{ z: 0, x: 0, y: 0, bytes: Buffer.alloc(500) }], 'png');
    const changed = (at: number, value: number) => {
      const copy = Buffer.from(good);
      copy.writeUInt8(value, at);
      return copy;
    };
    expect(await withArchive(good)).toBe(true);
    const fault = (message: string) => [`map.pmtiles.file: ${message}`];
    expect(await withArchive(Buffer.from('no archive'))).toEqual(fault('is no PMTiles file'));
    expect(await withArchive(good.subarray(0, -1))).toEqual(fault('is shorter than its header says: copy it anew'));
    expect(await withArchive(changed(7, 2))).toEqual(
      fault('is PMTiles version 2; version 3 is read: convert it with `pmtiles convert`'),
    );
    expect(await withArchive(changed(98, 3))).toEqual(fault('is compressed otherwise than by gzip'));
    expect(await withArchive(changed(99, 6))).toEqual(fault('holds neither vector tiles (MVT) nor PNG, JPEG, WebP or AVIF'));
    expect(await mistakes({ ...MINIMAL, map: { pmtiles: { file: 'gone.pmtiles', name: 'City' } } })).toEqual(
      fault('cannot be read (ENOENT)'),
    );
  });
});
