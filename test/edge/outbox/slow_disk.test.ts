import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { expect, onTestFinished, test } from 'vitest';
import { createMetrics, silentLog } from '#service/mod.ts';
import { createBroker } from '#service/mqtt/mod.ts';
import { LoadDevice } from '../../../bench/load/device.ts';
import { Outbox } from '../../../edge/outbox/mod.ts';
import { BROKER_LIMITS } from '../../support/limits.ts';
import { tempDir } from '../../support/temp.ts';

const SYNC_MS = 50;
const WARM_UP_MS = 500;
const MEASURE_MS = 1_000;

async function open(syncDelayMs: number) {
  const metrics = createMetrics();
  const file = join(await tempDir(), 'o.db');
  const outbox = new Outbox({ file, quotaBytes: 1e9, ageMsMax: 1e12, syncDelayMs, log: silentLog, metrics });
  await outbox.start();
  onTestFinished(() => outbox.stop());
  const value = async (name: string) => Number(/ (\d+)$/m.exec(await metrics.getSingleMetricAsString(name))?.[1] ?? 0);
  return { outbox, commits: () => value('gewu_outbox_commits_total') };
}

/** How long each ping took, ms, shortest first. */
async function ping(port: number): Promise<number[]> {
  const pinger = new Worker(new URL('./pinger.ts', import.meta.url), { workerData: { port, forMs: MEASURE_MS } });
  const [tookMs] = (await once(pinger, 'message')) as [number[]];
  return tookMs;
}

test('on a disk whose sync takes 50 ms the broker answers pings in time', async () => {
  const { outbox } = await open(SYNC_MS);
  const broker = createBroker({
    listener: { host: '127.0.0.1', port: 0 },
    limits: { ...BROKER_LIMITS, messagesPerSPerClientMax: 1e6 },
    policy: {
      authenticate: () => true,
      publish: (_session, { payload }) => outbox.append('readings', [payload]),
      subscribe: () => false,
    },
    log: silentLog,
    metrics: createMetrics(),
  });
  await broker.start();
  onTestFinished(() => broker.stop());
  const fields = (seq: number) => ({ power_w: 50 + (seq % 10) });
  const load = { port: broker.port, password: 'p', window: 10, fields };
  const devices = Array.from({ length: 10 }, (_, i) => new LoadDevice({ ...load, id: `d-${i}` }));
  onTestFinished(() => {
    for (const device of devices) device.close();
  });
  for (const device of devices) await device.connect();
  for (const device of devices) device.start();
  await pause(WARM_UP_MS);
  const tookMs = await ping(broker.port);
  const percentile = (share: number) => tookMs[Math.floor(tookMs.length * share)] as number;
  process.stderr.write(`pings on a slow disk: ${JSON.stringify({ p50Ms: percentile(0.5), p99Ms: percentile(0.99) })}\n`);
  expect(tookMs.length).toBeGreaterThan(50);
  expect(percentile(0.5)).toBeLessThan(SYNC_MS / 10);
  // Others use the processor, too: on a free one it is 5 ms.
  expect(percentile(0.99)).toBeLessThan(0.8 * SYNC_MS);
});

/** With so many appends under way all the time. */
async function throughput(inFlight: number): Promise<{ commitsPerS: number; perCommit: number }> {
  const { outbox, commits } = await open(SYNC_MS);
  let [stored, running] = [0, true];
  const beganAt = performance.now();
  const sender = async () => {
    for (; running; stored++) await outbox.append('readings', [Buffer.from('lux=3,seq=1i 1700000000000')]);
  };
  const senders = Array.from({ length: inFlight }, sender);
  await pause(MEASURE_MS);
  running = false;
  await Promise.all(senders);
  const [made, tookMs] = [await commits(), performance.now() - beganAt];
  return { commitsPerS: (made * 1000) / tookMs, perCommit: stored / made };
}

test('on a disk whose sync takes 50 ms one commit follows another, and the more wait the more share it', async () => {
  const [few, many] = [await throughput(50), await throughput(500)];
  process.stderr.write(`throughput on a slow disk: ${JSON.stringify({ few, many })}\n`);
  expect(few.perCommit).toBeGreaterThan(20);
  expect(many.perCommit).toBeGreaterThan(5 * few.perCommit);
  for (const { commitsPerS } of [few, many]) {
    expect(commitsPerS).toBeLessThanOrEqual(1000 / SYNC_MS);
    // What is not the sync is our work: 20 ms and more of it only where others use the processor.
    expect(commitsPerS).toBeGreaterThan(1000 / (SYNC_MS + 30));
  }
});

test('an idle outbox commits at once, a busy one gathers', async () => {
  const { outbox, commits } = await open(0);
  for (let i = 0; i < 20; i++) await outbox.append('readings', [Buffer.from('x')]);
  expect(await commits()).toBe(20);
  // 2,000 a second, by chance of the timers in bursts of a few.
  const appended: Promise<void>[] = [];
  const beganAt = performance.now();
  while (performance.now() - beganAt < 500) {
    while (appended.length < 2 * (performance.now() - beganAt)) appended.push(outbox.append('readings', [Buffer.from('x')]));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await Promise.all(appended);
  expect(appended.length / ((await commits()) - 20)).toBeGreaterThan(3);
});
