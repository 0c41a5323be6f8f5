import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { MqttClient } from 'mqtt';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { coverDevice, deviceClient, edgeConfig } from '../support/edge.ts';
import { tempDir } from '../support/temp.ts';
import { until } from '../support/until.ts';
import type { Attack, AttackReport } from './flood_clients.ts';

/**
 * Badly behaved clients at the edge: whatever they do, a device that behaves gets its PUBACK, durable, within ANSWER_MS_MAX, and the
 * node's memory grows by no more than GROWTH_MIB_MAX. The node, the attackers and the device are processes of their own.
 */
const ANSWER_MS_MAX = 2_000;
const GROWTH_MIB_MAX = 160;
const ATTACK_MS = 2_000;
const EVERY_MS = 20;
/** An attack lasts as long as it takes to hear so many answers. */
const ANSWERS_MIN = 4;
const IDLE_CLIENTS = 5_000;
/** Eight connections each, at most. */
const ACCOUNTS = 640;

const good = 'mc-good';
const ids = Array.from({ length: ACCOUNTS }, (_, i) => `mc-${i}`);
let dir: string;
let node: ChildProcess;
let port: number;
let device: MqttClient;

beforeAll(async () => {
  dir = await tempDir({ keep: true });
  node = fork(new URL('./node_process.ts', import.meta.url));
  const devices = [coverDevice(good, 1), ...ids.map((id, i) => coverDevice(id, i + 2))];
  node.send(edgeConfig({ dataDir: join(dir, 'data'), centreUrl: 'mqtt://127.0.0.1:9', devices }));
  [port] = (await once(node, 'message')) as [number];
  device = await deviceClient(port, good);
});
afterAll(async () => {
  device.end(true);
  node.kill('SIGKILL');
  await once(node, 'exit');
  await rm(dir, { recursive: true, force: true });
});

async function rssMiB(): Promise<number> {
  const status = await readFile(`/proc/${node.pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
}

interface Seen {
  p50Ms: number;
  maxMs: number;
  answers: number;
  growthMiB: number;
  attack: AttackReport;
}

/** Attacks for a while; one sample at a time goes through, as soon as the one before is acknowledged. */
async function under(kind: Attack['kind'], clients: number): Promise<Seen> {
  const child = fork(new URL('./flood_clients.ts', import.meta.url));
  const before = await rssMiB();
  child.send({ kind, port, ids, clients } satisfies Attack);
  await once(child, 'message');
  const latencies: number[] = [];
  let peak = before;
  const end = performance.now() + ATTACK_MS;
  while (performance.now() < end || latencies.length < ANSWERS_MIN) {
    const began = performance.now();
    await device.publishAsync(`devices/${good}/telemetry`, '{"tilt_deg":1}', { qos: 1 });
    latencies.push(performance.now() - began);
    peak = Math.max(peak, await rssMiB());
    await pause(EVERY_MS);
  }
  child.send('stop');
  const [report] = (await once(child, 'message')) as [AttackReport];
  await once(child, 'exit');
  latencies.sort((a, b) => a - b);
  const at = (share: number) => Math.round(latencies[Math.floor(share * (latencies.length - 1))] as number);
  const seen = { p50Ms: at(0.5), maxMs: at(1), answers: latencies.length, growthMiB: Math.round(peak - before), attack: report };
  process.stderr.write(`${kind}: ${JSON.stringify(seen)}\n`);
  return seen;
}

function check({ maxMs, growthMiB }: Seen): void {
  expect(node.exitCode).toBeNull();
  expect(maxMs).toBeLessThan(ANSWER_MS_MAX);
  expect(growthMiB).toBeLessThan(GROWTH_MIB_MAX);
}

test('one client at full speed is slowed down to its rate', async () => {
  const seen = await under('flood', 1);
  check(seen);
  expect(seen.attack.sentBytes).toBeLessThan(4 * 2 ** 20);
});

test('forty at full speed', async () => check(await under('flood', 40)));

test('subscribers and publishers that never read an answer', async () => check(await under('deaf', 40)));

test('clients that vanish and leave a backlog', async () => {
  const seen = await under('vanish', 20);
  check(seen);
  expect(seen.attack.connected).toBeGreaterThan(100);
});

test('connects without end; who behaves can connect meanwhile', async () => {
  const knocking = under('knock', 60);
  await pause(500);
  const other = await until(() => deviceClient(port, 'mc-1'), { timeoutMs: ATTACK_MS, everyMs: 100, what: 'a connection' });
  await other.publishAsync('devices/mc-1/telemetry', '{"tilt_deg":1}', { qos: 1 });
  await other.endAsync();
  const seen = await knocking;
  check(seen);
  expect(seen.attack.connected).toBeGreaterThan(100);
});

test('half packets and packets that declare far too much', async () => check(await under('halves', 40)));

test('five thousand that are connected and idle', async () => {
  const seen = await under('idle', IDLE_CLIENTS);
  check(seen);
  expect(seen.attack).toMatchObject({ connected: IDLE_CLIENTS, closedByBroker: 0 });
}, 60_000);
