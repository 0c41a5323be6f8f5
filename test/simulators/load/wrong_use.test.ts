import { once } from 'node:events';
import { readdir, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { accept } from '#cli/simulate/accept.ts';
import { capacity } from '#cli/simulate/capacity.ts';
import { city as makeCity, planOf, writeCity } from '#cli/simulate/city.ts';
import { run } from '#cli/simulate/run.ts';
import { tempDir } from '../../support/temp.ts';

let dir: string;
let city: string;
beforeAll(async () => {
  dir = await tempDir({ keep: true });
  city = join(dir, 'city');
  await writeCity(city, planOf({ cells: '12', edges: '1', cameras: '0', port: '29080' }));
});

afterAll(() => rm(dir, { recursive: true, force: true }));

test.for<[string, () => Promise<number>, RegExp]>([
  ['a target that is no address', () => run(['quiet-day', '--city', city, '--target', 'notaurl']), /--target notaurl/],
  ['no centre there', () => run(['reconnect-storm', '--city', city, '--target', 'http://127.0.0.1:9']), /no centre is ready at/],
  ['an edge that is not of the city', () => run(['quiet-day', '--city', city, '--edges', 'edge-01,edge-77']), /no edge edge-77/],
  ['a report that cannot be written', () => run(['quiet-day', '--city', city, '--report', '/dev/null/x']), /--report/],
  ['a city that cannot be written', () => makeCity(['--out', '/proc/nothing/here']), /--out \/proc\/nothing\/here/],
  ['a target of which no device is known', () => run(['quiet-day', '--target', 'http://127.0.0.1:9']), /--inventory FILE.*docs/],
  ['an inventory without a centre', () => run(['quiet-day', '--inventory', 'x.yaml']), /--target URL/],
  ['a search from above', () => capacity(['--city', city, '--from', '10', '--to', '5']), /--from 10 is above --to 5/],
])('%s is told before anything is played', async ([, attempt, message]) => {
  await expect(attempt()).rejects.toMatchObject({ code: 'GEWU_USAGE', message: expect.stringMatching(message) });
});

test('an acceptance whose ports are taken does not touch who has them, and leaves nothing', async () => {
  const other = createServer();
  // Below what the system gives to others.
  other.listen(20_000 + (process.pid % 10_000), '127.0.0.1');
  await once(other, 'listening');
  onTestFinished(() => void other.close());
  const { port } = other.address() as { port: number };
  let asked = 0;
  other.on('connection', () => asked++);
  const out = join(await tempDir(), 'out');
  const sizes = ['--cells', '12', '--edges', '1', '--cameras', '0'];
  await expect(accept(['--out', out, '--port', String(port), ...sizes])).rejects.toMatchObject({ code: 'GEWU_PORT_IN_USE' });
  expect(asked).toBe(0);
  await expect(readdir(out)).rejects.toThrow('ENOENT');
});
