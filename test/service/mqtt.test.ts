import { once } from 'node:events';
import { connect as tcp } from 'node:net';
import fc from 'fast-check';
import type { MqttClient } from 'mqtt';
import { expect, onTestFinished, test } from 'vitest';
import { createMetrics, silentLog } from '#service/mod.ts';
import {
  type BrokerLimits,
  type BrokerPolicy,
  clientTlsOptions,
  createBroker,
  type MqttBroker,
  type ServerTls,
} from '#service/mqtt/mod.ts';
import { PacketSizeGuard, TokenBucket } from '../../service/mqtt/guard.ts';
import { makeCertificates } from '../support/certificates.ts';
import { mqttClient } from '../support/edge.ts';
import { BROKER_LIMITS } from '../support/limits.ts';
import { tempDir } from '../support/temp.ts';
import { until } from '../support/until.ts';

const open: BrokerPolicy = {
  authenticate: (_session, password) => password.toString() === 'good password',
  publish: async () => undefined,
  subscribe: () => true,
};

async function startBroker(
  policy: Partial<BrokerPolicy> = {},
  limits: Partial<BrokerLimits> = {},
  tls?: ServerTls,
): Promise<MqttBroker> {
  const broker = createBroker({
    listener: { host: '127.0.0.1', port: 0, ...(tls ? { tls } : {}) },
    limits: { ...BROKER_LIMITS, messagesPerSPerClientMax: 1e6, ...limits },
    policy: { ...open, ...policy },
    log: silentLog,
    metrics: createMetrics(),
  });
  await broker.start();
  onTestFinished(() => broker.stop());
  return broker;
}

const closing = (c: MqttClient) => new Promise<void>((resolve) => c.once('close', () => resolve()));

const client = (broker: MqttBroker, username: string, clientId = username, options = {}) =>
  mqttClient(broker.port, { clientId, username, password: 'good password', ...options });

/** PUBLISH, QoS 0, a topic of one letter, a body of so many bytes that all look like the start of a length. */
function publishPacket(topic: string, bytes: number): Buffer {
  const length: number[] = [];
  for (let rest = bytes + 3; ; rest >>= 7) {
    length.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
    if (rest <= 0x7f) break;
  }
  return Buffer.concat([Buffer.from([0x30, ...length, 0, 1]), Buffer.from(topic), Buffer.alloc(bytes, 0xff)]);
}

test('a client hears of its message only after the policy is done with it', async () => {
  const steps: string[] = [];
  const { promise: durable, resolve: commit } = Promise.withResolvers<void>();
  const broker = await startBroker({
    publish: async () => {
      steps.push('asked');
      await durable;
      steps.push('durable');
    },
  });
  const c = await client(broker, 'a');
  const acked = c.publishAsync('t', 'x', { qos: 1 }).then(() => steps.push('PUBACK'));
  await until(() => steps.length === 1);
  // A ping goes there and back on the same connection, behind the message: a PUBACK would have come by now.
  c.sendPing();
  await new Promise((resolve) => c.once('packetreceive', resolve));
  expect(steps).toEqual(['asked']);
  commit();
  await acked;
  expect(steps).toEqual(['asked', 'durable', 'PUBACK']);
  await c.endAsync();
});

test('a policy that cannot store ends the connection without PUBACK', async () => {
  const broker = await startBroker({ publish: () => Promise.reject(new Error('disk full')) });
  const c = await client(broker, 'a');
  let acked = false;
  c.publish('t', 'x', { qos: 1 }, (error) => {
    acked = !error;
  });
  await closing(c);
  expect(acked).toBe(false);
  c.end(true);
});

test('the same client id under another name pushes nobody out; under one’s own name it takes over', async () => {
  const broker = await startBroker();
  const victim = await client(broker, 'victim', 'same');
  const attacker = await client(broker, 'attacker', 'same');
  await victim.publishAsync('t', 'x', { qos: 1 });
  const closed = closing(victim);
  const successor = await client(broker, 'victim', 'same');
  await closed;
  await successor.publishAsync('t', 'x', { qos: 1 });
  for (const c of [victim, attacker, successor]) c.end(true);
});

test('one user name holds eight connections; the ninth ends the oldest', async () => {
  const broker = await startBroker();
  const first = await client(broker, 'u', 'c-0');
  const other = await client(broker, 'other');
  const closed = closing(first);
  const more = [];
  for (let i = 1; i <= 8; i++) more.push(await client(broker, 'u', `c-${i}`));
  await closed;
  await Promise.all([...more, other].map((c) => c.publishAsync('t', 'x', { qos: 1 })));
  for (const c of [first, other, ...more]) c.end(true);
});

test('connections beyond the limit and client ids beyond reason are refused, and the others go on', async () => {
  const broker = await startBroker({}, { clientsMax: 2 });
  const [a, b] = [await client(broker, 'a'), await client(broker, 'b')];
  await expect(client(broker, 'c')).rejects.toThrow();
  await b.endAsync();
  await until(() => client(broker, 'd').then((d) => d.endAsync().then(() => true)));
  await expect(client(broker, 'e', 'x'.repeat(5000))).rejects.toThrow();
  await a.publishAsync('t', 'x', { qos: 1 });
  await a.endAsync();
});

test('connections that are turned away cost those nothing that come later', async () => {
  const broker = await startBroker({}, { connectRatePerSMax: 5 });
  const crowd = await Promise.allSettled(Array.from({ length: 40 }, (_, n) => client(broker, `early-${n}`)));
  const letIn = crowd.filter(({ status }) => status === 'fulfilled').length;
  expect(letIn).toBeGreaterThanOrEqual(5);
  expect(letIn).toBeLessThan(40);
  // In debt for each that was refused, the next would come in after seven seconds.
  const late = await until(() => client(broker, 'late'), { timeoutMs: 4000 });
  await late.endAsync();
  for (const one of crowd) if (one.status === 'fulfilled') await one.value.endAsync();
});

test('a connection that never says who it is ends after its time', async () => {
  const broker = await startBroker({}, { connectTimeoutMs: 200 });
  const socket = tcp(broker.port, '127.0.0.1');
  await once(socket, 'connect');
  const began = performance.now();
  await once(socket, 'close');
  expect(performance.now() - began).toBeLessThan(3000);
});

test('a client may have 32 subscriptions', async () => {
  const broker = await startBroker();
  const c = await client(broker, 'a');
  for (let i = 0; i < 32; i++) await c.subscribeAsync(`t/${i}`);
  await expect(c.subscribeAsync('t/32')).rejects.toThrow();
  await c.endAsync();
});

test('a subscriber that leaves a backlog does not end the broker', async () => {
  let taken = 0;
  const publish = async () => {
    taken++;
  };
  const broker = await startBroker({ publish });
  const subscriber = await client(broker, 's');
  await subscriber.subscribeAsync('t');
  subscriber.stream.pause();
  const filler = await client(broker, 'filler');
  for (let i = 0; i < 600; i++) filler.publish('t', Buffer.alloc(32 * 1024));
  let before = -1;
  const stalled = () => {
    const still = taken === before;
    before = taken;
    return still && taken > 0;
  };
  await until(stalled, { everyMs: 200 });
  expect(taken).toBeLessThan(600);
  // Behind what waits for the subscriber stands much that waits for nobody; when it goes, all of it moves at once.
  const waiting = await client(broker, 'waiting');
  waiting.stream.write(Buffer.concat(Array.from({ length: 2000 }, () => publishPacket('t', 0))));
  await until(() => taken >= before + 2000);
  const others = await Promise.all(['o1', 'o2', 'o3'].map((name) => client(broker, name)));
  for (const c of others) c.stream.write(Buffer.concat(Array.from({ length: 9000 }, () => publishPacket('o', 0))));
  await until(() => taken >= before + 2000 + 3 * 9000);
  subscriber.stream.destroy();
  await waiting.publishAsync('other', 'still there', { qos: 1 });
  for (const c of [subscriber, filler, waiting, ...others]) c.end(true);
});

test('what is retained or left for the absent is not kept', async () => {
  const broker = await startBroker();
  const p = await client(broker, 'p');
  const away = await client(broker, 's', 's', { clean: false });
  await away.subscribeAsync('t', { qos: 1 });
  await away.endAsync();
  await p.publishAsync('t', 'old', { qos: 1, retain: true });
  const back = await mqttClient(broker.port, { clientId: 's', username: 's', password: 'good password', clean: false });
  const seen: string[] = [];
  back.on('message', (_topic, payload) => seen.push(payload.toString()));
  await back.subscribeAsync('t', { qos: 1 });
  await p.publishAsync('t', 'new', { qos: 1 });
  await until(() => seen.includes('new'));
  expect(seen).toEqual(['new']);
  for (const c of [p, back]) c.end(true);
});

test('the size guard lets whole packets through however they are cut, and stops the first that is too large', () => {
  const sizes = fc.array(fc.integer({ min: 0, max: 3000 }), { maxLength: 20 });
  const cuts = fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(sizes, cuts, (bodies, steps) => {
      const packets = bodies.map((bytes) => publishPacket('t', bytes));
      const stream = Buffer.concat(packets);
      const guard = new PacketSizeGuard(2000);
      let passed = true;
      for (let at = 0, i = 0; at < stream.length && passed; i++) {
        const step = steps[i % steps.length] as number;
        passed = guard.accept(stream.subarray(at, at + step));
        at += step;
      }
      // Topic and its length are three bytes of the body.
      expect(passed).toBe(bodies.every((n) => n + 3 <= 2000));
    }),
  );
  expect(new PacketSizeGuard(1e9).accept(Buffer.from([0x30, 0x80, 0x80, 0x80, 0x80, 0x01]))).toBe(false);
});

test('the token bucket lets its rate through, whatever the pattern', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 1, maxLength: 200 }), (gaps) => {
      const bucket = new TokenBucket(10, 0);
      let now = 0;
      const used = gaps.map((gap) => {
        now += gap;
        return now + bucket.take(now);
      });
      const spanMs = Math.max(...used);
      expect(used.length).toBeLessThanOrEqual(10 + (spanMs * 10) / 1000 + 1);
    }),
  );
});

test('TLS: a client shows a certificate of the named authority and trusts ours; without one, or on a missing file, nothing', async () => {
  const dir = await tempDir();
  const path = await makeCertificates(dir);
  const tls = { cert: path('server.pem'), key: path('server.key'), ca: path('ca.pem') };
  const broker = await startBroker({}, {}, tls);
  const sign = { clientId: 'a', username: 'a', password: 'good password', protocol: 'mqtts' as const };
  const options = await clientTlsOptions({
    ca: path('ca.pem'),
    cert: path('client.pem'),
    key: path('client.key'),
    serverName: 'localhost',
  });
  const c = await mqttClient(broker.port, { ...sign, ...options });
  await c.publishAsync('t', 'x', { qos: 1 });
  await c.endAsync();
  await expect(
    mqttClient(broker.port, { ...sign, ...(await clientTlsOptions({ ca: path('ca.pem'), serverName: 'localhost' })) }),
  ).rejects.toThrow();
  await expect(mqttClient(broker.port, sign)).rejects.toThrow();
  await expect(startBroker({}, {}, { ...tls, key: path('nothing') })).rejects.toMatchObject({ code: 'GEWU_CONFIG_INVALID' });
});
