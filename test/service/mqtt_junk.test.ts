import { once } from 'node:events';
import { connect } from 'node:net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createMetrics, silentLog } from '#service/mod.ts';
import { createBroker } from '#service/mqtt/mod.ts';
import { type Mutation, mutate, mutation, text } from '../properties/arbitraries.ts';
import { budget, liveMiB, report } from '../properties/budget.ts';
import { connectPacket, type Hello, PING, PONG, packet } from '../properties/packets.ts';
import { mqttClient } from '../support/edge.ts';
import { BROKER_LIMITS } from '../support/limits.ts';
import { until } from '../support/until.ts';

/** Bytes that are no MQTT, or nearly: before the CONNECT and after it. */
const GROWTH_MIB_MAX = 24;
const UNANSWERED_MS = 30;

const hello = (name: string, change: Partial<Hello> = {}) =>
  connectPacket({ clientId: name, username: name, password: 'good password', ...change });

const id16 = fc.nat(0xffff).map((n) => [n >> 8, n & 0xff]);
const qos = fc.constantFrom(0, 1, 2, 3);
const odd: fc.Arbitrary<Buffer> = fc.oneof(
  fc.tuple(qos, text, id16, text).map(([q, topic, n, body]) => packet(0x30 | (q << 1), topic, q > 0 ? n : [], Buffer.from(body))),
  fc.tuple(id16, text, qos).map(([n, filter, q]) => packet(0x82, n, filter, [q])),
  fc.tuple(id16, text).map(([n, filter]) => packet(0xa2, n, filter)),
  fc.tuple(fc.constantFrom(0x40, 0x50, 0x62, 0x70, 0x60), id16).map(([first, n]) => packet(first, n)),
  fc.constantFrom(packet(0xc0), packet(0xe0), packet(0xd0), packet(0x20, [0, 0]), packet(0x90, [0, 1, 0]), packet(0xf0)),
  text.map((name) => hello(name)),
  fc.uint8Array({ maxLength: 60 }).map((b) => Buffer.from(b)),
  // More topic levels than anybody needs, a length of 256 MiB, a length that never ends.
  fc.constantFrom(
    packet(0x30, '/'.repeat(3000)),
    packet(0x82, [0, 1], '+/'.repeat(500), [0]),
    Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f]),
  ),
  fc.constant(Buffer.from([0x30, 0xff, 0xff, 0xff, 0xff, 0xff])),
);
const usual = fc.oneof(
  fc
    .tuple(fc.constantFrom(0, 1, 2), id16)
    .map(([q, n]) => packet(0x30 | (q << 1), 'devices/a/telemetry', q > 0 ? n : [], Buffer.from('{"a":1}'))),
  fc.tuple(id16, fc.constantFrom(0, 1)).map(([n, q]) => packet(0x82, n, 'devices/a/command', [q])),
);
const packets = fc.oneof({ weight: 3, arbitrary: usual }, { weight: 1, arbitrary: odd });
const damage: fc.Arbitrary<readonly Mutation[]> = fc.oneof(
  { weight: 2, arbitrary: fc.constant([]) },
  { weight: 1, arbitrary: fc.array(mutation, { minLength: 1, maxLength: 3 }) },
);
const conversation = fc.record({
  /** Null: none at all. */
  hello: fc.option(
    fc.record({
      flags: fc.oneof({ weight: 8, arbitrary: fc.constant(0xc2) }, { weight: 1, arbitrary: fc.nat(255) }),
      level: fc.constantFrom(4, 4, 4, 4, 4, 4, 4, 4, 3, 5, 0, 0x84),
      will: fc.constantFrom([], [], [], [], [], [], [], [], [], [], [], [], ['#', 'x'], ['devices/a/status', '']),
    }),
    { freq: 9 },
  ),
  packets: fc.array(packets, { maxLength: 6 }),
  damage,
  cuts: fc.array(fc.integer({ min: 1, max: 30 }), { maxLength: 3 }),
});
type Conversation = typeof conversation extends fc.Arbitrary<infer T> ? T : never;

let named = 0;
function bytesOf({ hello: head, packets: all, damage: mutations }: Conversation): Buffer {
  return mutate(Buffer.concat([...(head ? [hello(`junk-${named++}`, head)] : []), ...all]), mutations);
}

/** In pieces, a ping behind it, and after its answer (or a moment without one) the end; resolves when the broker has ended its side, too. */
async function talk(port: number, what: Conversation): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  const closed = once(socket, 'close');
  socket.setNoDelay(true);
  const bytes = bytesOf(what);
  let at = 0;
  for (const cut of what.cuts) {
    socket.write(bytes.subarray(at, at + cut));
    at += cut;
  }
  socket.write(Buffer.concat([bytes.subarray(at), PING]));
  const timer = setTimeout(() => socket.end(), UNANSWERED_MS);
  socket.on('data', (data) => {
    if (data.indexOf(PONG) >= 0) socket.end();
  });
  await closed;
  clearTimeout(timer);
}

test('no bytes end the broker, leave a connection behind, or keep another client from its PUBACK', async () => {
  const metrics = createMetrics();
  let published = 0;
  const broker = createBroker({
    listener: { host: '127.0.0.1', port: 0 },
    limits: { ...BROKER_LIMITS, packetBytesMax: 4096, connectTimeoutMs: 500, connectRatePerSMax: 1e5 },
    policy: {
      authenticate: (_session, password) => password.toString() === 'good password',
      publish: async ({ username }, { topic }) => {
        if (username.startsWith('junk')) published++;
        if (topic.startsWith('x')) throw new Error('refused');
      },
      subscribe: (_session, filter) => filter.length < 100,
    },
    log: silentLog,
    metrics,
  });
  await broker.start();
  const good = await mqttClient(broker.port, { clientId: 'good', username: 'good', password: 'good password' });
  let worstMs = 0;
  const { numRuns, ...seed } = budget(0.05, 1);
  let sent = 0;
  const batch = async (conversations: readonly Conversation[]) => {
    sent += conversations.length;
    const began = performance.now();
    const all = Promise.all(conversations.map((c) => talk(broker.port, c)));
    await good.publishAsync('t', 'still there', { qos: 1 });
    worstMs = Math.max(worstMs, performance.now() - began);
    await all;
  };
  const run = (runs: number) =>
    fc.assert(fc.asyncProperty(fc.array(conversation, { minLength: 1, maxLength: 40, size: 'max' }), batch), {
      numRuns: Math.ceil(runs / 20),
      ...seed,
    });
  await run(200);
  const before = liveMiB();
  await run(numRuns);
  const open = async () => (await metrics.getSingleMetric('gewu_mqtt_connections')?.get())?.values[0]?.value;
  await until(async () => (await open()) === 1, { what: 'all connections but one gone' });
  expect(liveMiB() - before).toBeLessThan(GROWTH_MIB_MAX);
  expect(published).toBeGreaterThan(sent / 100);
  expect(worstMs).toBeLessThan(2_000);
  report('conversations with the broker', { sent, published, worstMs: Math.round(worstMs) });
  await good.endAsync();
  await broker.stop();
}, 300_000);
