import { truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { pmtilesOf } from '../../support/pmtiles.ts';
import { tempDir } from '../../support/temp.ts';
import { TestCentre, tokenOf } from './fixture.ts';

const TILES = { id: 'amap', name: '高德', url: 'https://tiles.example:8443/t?x={x}&y={y}&z={z}', coordinates: 'gcj02' };
const archive = pmtilesOf([{ z: 0, x: 0, y: 0, bytes: Buffer.alloc(3_000, 7) }], 'png');
let centre: TestCentre;
let file: string;
beforeAll(async () => {
  const dir = await tempDir({ keep: true });
  file = join(dir, 'city.pmtiles');
  await writeFile(file, archive);
  centre = await TestCentre.start({ map: { pmtiles: { file: 'city.pmtiles', name: '街道' }, tiles: [TILES] } }, dir);
});
afterAll(() => centre.stop());

const part = (range: string | null, path = '/api/v1/map/pmtiles') =>
  centre.raw(path, { headers: { authorization: `Bearer ${tokenOf('viewer')}`, ...(range === null ? {} : { range }) } });

test('the base maps are told to who has signed in, without the path on the disk', async () => {
  const { status, body } = await centre.get('/api/v1/map');
  expect(status).toBe(200);
  expect(body.items).toEqual([
    { kind: 'pmtiles', id: 'pmtiles', name: '街道', attribution: '', url: '/api/v1/map/pmtiles' },
    { kind: 'tiles', ...TILES, attribution: '', zoomMin: 3, zoomMax: 18, sizePx: 256 },
  ]);
  expect((await centre.call(null, 'GET', '/api/v1/map')).status).toBe(401);
  expect((await centre.raw('/api/v1/map/pmtiles', { headers: { range: 'bytes=0-9' } })).status).toBe(401);
});

test('a range of bytes of the file, cut at its end', async () => {
  const head = await part('bytes=0-126');
  expect([head.status, head.headers.get('content-range')]).toEqual([206, `bytes 0-126/${archive.length}`]);
  expect(Buffer.from(await head.arrayBuffer())).toEqual(archive.subarray(0, 127));
  expect(head.headers.get('cache-control')).toBe('private, max-age=3600');
  const rest = await part(`bytes=1000-${archive.length + 5_000}`);
  expect(Buffer.from(await rest.arrayBuffer())).toEqual(archive.subarray(1000));
  expect(rest.headers.get('etag')).toBe(head.headers.get('etag'));
});

test('whatever else is asked for is refused: all of it, too much, backwards, behind the end, another path', async () => {
  for (const range of [null, 'bytes=0-', 'bytes=-5', 'bytes=5-4', 'bytes=0-1,3-4', 'bytes=0-99999999', 'items=0-1'])
    expect((await part(range)).status).toBe(400);
  const behind = await part('bytes=99999-100000');
  expect([behind.status, behind.headers.get('content-range')]).toEqual([416, `bytes */${archive.length}`]);
  for (const path of ['/api/v1/map/pmtiles/..%2fingest.yaml', '/api/v1/map/ingest.yaml'])
    expect((await part('bytes=0-9', path)).status).toBe(404);
});

test("the hosts of tiles, and nothing else, are in the policy of the console's pages", async () => {
  const policy = (await centre.raw('/')).headers.get('content-security-policy') ?? '';
  const of = (name: string) => policy.split('; ').find((d) => d.startsWith(`${name} `));
  expect(of('img-src')).toBe("img-src 'self' data: blob: https://tiles.example:8443");
  expect(of('connect-src')).toBe("connect-src 'self' https://tiles.example:8443");
  expect(of('script-src')).toBe("script-src 'self'");
});

test('another file under its name has another tag', async () => {
  const before = (await part('bytes=0-9')).headers.get('etag');
  await truncate(file, archive.length - 1);
  expect((await part('bytes=0-9')).headers.get('etag')).not.toBe(before);
});
