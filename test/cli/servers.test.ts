import { rm } from 'node:fs/promises';
import { afterAll, expect, test } from 'vitest';
import { freePort, type ServerProcess, startInfluxdb, startMosquitto, startPostgres } from '#cli/servers/mod.ts';
import { tempDir } from '../support/temp.ts';

const running: ServerProcess[] = [];
const dir = await tempDir({ keep: true });
afterAll(async () => {
  await Promise.all(running.map((s) => s.stop()));
  await rm(dir, { recursive: true, force: true });
});

test('free ports differ', async () => {
  const ports = await Promise.all([freePort(), freePort(), freePort()]);
  expect(new Set(ports).size).toBe(3);
});

test('each server starts, dies and comes back on its port', async () => {
  for (const start of [startInfluxdb, startPostgres, startMosquitto]) {
    const server = await start({ dir });
    running.push(server);
    const before = server.pid;
    expect(before).toBeGreaterThan(0);
    await server.kill();
    await server.restart();
    expect(server.pid).not.toBe(before);
  }
}, 60_000);
