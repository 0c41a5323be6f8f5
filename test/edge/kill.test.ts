import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createMetrics, silentLog } from '#service/mod.ts';
import { Outbox } from '../../edge/outbox/mod.ts';
import { coverDevice, deviceClient, edgeConfig } from '../support/edge.ts';
import { tempDir } from '../support/temp.ts';
import { until } from '../support/until.ts';

const IDS = ['mc-1', 'mc-2', 'mc-3', 'mc-4'];

async function startNode(dataDir: string): Promise<{ child: ChildProcess; port: number }> {
  const child = fork(new URL('./node_process.ts', import.meta.url));
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  const devices = IDS.map((id, i) => coverDevice(id, i + 1));
  const config = edgeConfig({ dataDir, centreUrl: 'mqtt://127.0.0.1:9', devices });
  config.broker.limits.messagesPerSPerClientMax = 1e6;
  child.send(config);
  const [port] = (await once(child, 'message')) as [number];
  return { child, port };
}

/** Keeps 50 messages under way until the connection ends; gives back what was acknowledged. */
async function publishAll(port: number, id: string, acked: Set<string>): Promise<void> {
  const client = await deviceClient(port, id);
  const closed = new Promise<void>((resolve) => client.once('close', () => resolve()));
  let seq = 0;
  const next = () => {
    const mine = ++seq;
    client.publish(`devices/${id}/telemetry`, JSON.stringify({ tilt_deg: 1, seq: mine, ts: Date.now() }), { qos: 1 }, (error) => {
      if (error) return;
      acked.add(`${id}/${mine}`);
      next();
    });
  };
  for (let i = 0; i < 50; i++) next();
  await closed;
  client.end(true);
}

test('kill -9 in the middle of publishing: everything acknowledged is on disk, and so is a confirm time that had begun', async () => {
  const dataDir = join(await tempDir(), 'data');
  const acked = new Set<string>();
  for (let life = 1; life <= 2; life++) {
    const { child, port } = await startNode(dataDir);
    const before = acked.size;
    const opener = await deviceClient(port, 'mc-1', { clientId: 'opener' });
    const publishers = IDS.map((id) => publishAll(port, id, acked));
    await until(() => acked.size >= before + 1500);
    await opener.publishAsync('devices/mc-1/telemetry', '{"opened":true}', { qos: 1 });
    child.kill('SIGKILL');
    await Promise.all([...publishers, once(child, 'exit')]);
    opener.end(true);

    const outbox = new Outbox({
      file: join(dataDir, 'outbox.db'),
      quotaBytes: 1e9,
      ageMsMax: 1e12,
      log: silentLog,
      metrics: createMetrics(),
    });
    await outbox.start();
    const chunk = await outbox.take('readings', 1, Number.MAX_SAFE_INTEGER, 1e9, 1e7);
    const stored = new Set(
      Buffer.from(chunk?.body ?? [])
        .toString()
        .split('\n')
        .map((line) => `${/device=([^,]+)/.exec(line)?.[1]}/${/seq=(\d+)/.exec(line)?.[1]}`),
    );
    expect([...acked].filter((key) => !stored.has(key))).toEqual([]);
    expect((await outbox.state('rule/mc-1/')).has('rule/mc-1/cover-opened')).toBe(true);
    await outbox.stop();
  }
}, 60_000);
