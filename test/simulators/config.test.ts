import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadSimulateConfig } from '#simulators/mod.ts';
import { tempDir } from '../support/temp.ts';

const FILE = {
  version: 1,
  seed: 7,
  city: {},
  brokers: { 'edge-01': 'mqtt://127.0.0.1:1883', 'edge-02': 'mqtt://127.0.0.1:1884' },
  rtsp: { port: 8554, username: 'gewu', password: 'a-password' },
};

async function load(over: object) {
  const file = join(await tempDir(), 'simulate.json');
  await writeFile(file, JSON.stringify({ ...FILE, ...over }));
  return loadSimulateConfig(file);
}

test('says what is not said: a small city, every second, on loopback, without an end', async () => {
  expect(await load({})).toEqual({
    ...FILE,
    profile: 'demo',
    city: { layout: 'demo', edges: 2, cells: 12, sensors: 60, cameras: 4 },
    intervalS: 1,
    rtsp: { ...FILE.rtsp, host: '127.0.0.1' },
  });
});

test.each<[string, object, string[]]>([
  ['an unknown key', { sed: 7 }, ['sed']],
  ['another scheme', { brokers: { ...FILE.brokers, 'edge-02': 'http://127.0.0.1' } }, ['edge-02', 'http://127.0.0.1']],
  ['an edge without a broker', { brokers: { 'edge-01': 'mqtt://127.0.0.1:1883' } }, ['brokers.edge-02']],
  [
    'a broker under a wrong name',
    { brokers: { 'edge-01': 'mqtt://127.0.0.1:1883', 'edge-2': 'mqtt://127.0.0.1:1884' } },
    ['brokers.edge-02', 'brokers.edge-2', 'no such edge'],
  ],
  ['cells that make no two rows', { city: { cells: 11 } }, ['city', 'even number']],
  ['more cameras than cells', { city: { edges: 2, cells: 4, cameras: 5 } }, ['city', 'one a cell']],
  ['a part that does not exist', { only: 'lamps' }, ['only']],
])('refuses %s and names it', async (_, over, words) => {
  const error: unknown = await load(over).then(
    () => null,
    (e) => e,
  );
  expect(error).toMatchObject({ code: 'GEWU_CONFIG_INVALID' });
  for (const word of words) expect(String(error)).toContain(word);
});
