import { rm } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Case } from '#grid/mod.ts';
import { CountingDevice } from '../support/device.ts';
import { coverDevice } from '../support/edge.ts';
import { type SmallInstallation, startSmallInstallation } from '../support/installation.ts';
import { tempDir } from '../support/temp.ts';
import { until } from '../support/until.ts';

/**
 * kill -9 of the edge and of the centre while devices publish: whatever a device saw acknowledged is stored, once.
 * The ledger is the devices' own sequence.
 */
let city: SmallInstallation;
let dir: string;
const ids = Array.from({ length: 10 }, (_, i) => `mc-${i + 1}`);
let devices: CountingDevice[];

beforeAll(async () => {
  dir = await tempDir({ keep: true });
  city = await startSmallInstallation(
    dir,
    ids.map((id, i) => coverDevice(id, i + 1)),
  );
  // Device 1 is open all the time: one incident, whatever dies in between.
  devices = ids.map(
    (id, i) => new CountingDevice({ id, port: city.edgeBrokerPort, everyMs: 20, fields: () => ({ opened: i === 0 }) }),
  );
});
afterAll(async () => {
  await Promise.all(devices.map((d) => d.stop()));
  await Promise.all([city.edge.stop(), city.centre.stop()]);
  await rm(dir, { recursive: true, force: true });
});

const acked = () => devices.reduce((sum, d) => sum + d.acked.size, 0);

/** Waits for real progress on both sides of a kill, so that it happens in the middle of traffic. */
async function moreAcked(count: number): Promise<void> {
  const from = acked();
  await until(() => acked() >= from + count, { timeoutMs: 30_000, what: `${count} more acknowledged samples` });
}

async function storedSeqs(id: string): Promise<number[]> {
  const now = Date.now();
  const path = `/api/v1/readings?device=${id}&from=${now - 600_000}&to=${now + 600_000}&resolution=raw&limit=20000&fields=seq`;
  const { points } = await city.api.get<{ points: { fields: { seq: number } }[] }>(path);
  return points.map((p) => p.fields.seq);
}

test('nothing acknowledged is lost and nothing is stored twice', async () => {
  for (const d of devices) d.start();
  await moreAcked(500);
  for (const victim of [city.edge, city.centre, city.edge, city.centre]) {
    await victim.kill();
    // The others notice, and go on without it for a moment.
    await pause(300);
    await victim.start();
    await moreAcked(500);
  }
  for (const d of devices) d.pause();
  await until(() => devices.every((d) => d.acked.size === d.sent), { timeoutMs: 20_000, what: 'the last PUBACKs' });

  for (const d of devices) {
    const seqs = await until(
      async () => {
        const stored = await storedSeqs(d.id);
        return stored.length >= d.acked.size ? stored : null;
      },
      { timeoutMs: 40_000, everyMs: 200, what: `all readings of ${d.id}` },
    );
    expect(seqs.toSorted((a, b) => a - b)).toEqual([...d.acked].sort((a, b) => a - b));
  }

  const { items } = await city.api.get<{ items: Case[] }>('/api/v1/cases');
  expect(items.map((c) => c.class.fault)).toEqual(['cover_open']);
}, 150_000);
