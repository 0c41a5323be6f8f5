import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { FaultProxy, type FaultProxyOptions } from '#simulators/mod.ts';
import { until } from '../../support/until.ts';

/** What one side of a connection has seen. */
class Seen {
  readonly socket: Socket;
  bytes = Buffer.alloc(0);
  chunks = 0;
  ended = false;
  closed = false;
  error = '';
  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.bytes = Buffer.concat([this.bytes, chunk]);
      this.chunks++;
    });
    socket.on('end', () => {
      this.ended = true;
    });
    socket.on('close', () => {
      this.closed = true;
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.error = error.code ?? '';
    });
  }
  get text(): string {
    return this.bytes.toString();
  }
}

/** A server that answers each chunk in capitals, and a proxy before it. */
async function setUp(options: Partial<FaultProxyOptions> = {}) {
  const accepted: Seen[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    accepted.push(new Seen(socket));
    socket.on('data', (chunk: Buffer) => socket.write(chunk.toString().toUpperCase()));
    socket.on('end', () => socket.end('bye'));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy = new FaultProxy({ targetPort: (server.address() as { port: number }).port, ...options });
  await proxy.start();
  const clients: Seen[] = [];
  onTestFinished(async () => {
    for (const { socket } of [...clients, ...accepted]) socket.destroy();
    await proxy.stop();
    server.close();
  });
  const client = async (): Promise<Seen> => {
    const seen = new Seen(connect({ port: proxy.port, host: '127.0.0.1', allowHalfOpen: true }));
    clients.push(seen);
    await until(() => !seen.socket.connecting || seen.closed);
    return seen;
  };
  /** Connected through, as both sides know. */
  const connection = async (): Promise<{ client: Seen; server: Seen }> => {
    const one = await client();
    one.socket.write('hello ');
    await until(() => one.text === 'HELLO ');
    return { client: one, server: accepted.at(-1) as Seen };
  };
  return { proxy, client, connection, accepted, server };
}

/** Long enough that what should not happen would have happened. */
const A_WHILE_MS = 150;

test('without a fault bytes and half-closed ends pass in both directions', async () => {
  const { connection } = await setUp();
  const { client, server } = await connection();
  client.socket.end('world');
  await until(() => client.ended);
  expect([server.text, client.text, server.ended]).toEqual(['hello world', 'HELLO WORLDbye', true]);
});

test('cut resets what is open and what comes, until it is over', async () => {
  const { proxy, client, connection } = await setUp();
  const open = await connection();
  proxy.set({ kind: 'cut' });
  await until(() => open.client.closed && open.server.closed);
  expect(open.client.error).toBe('ECONNRESET');
  const refused = await client();
  refused.socket.write('x');
  await until(() => refused.closed);
  proxy.set(null);
  expect((await connection()).client.text).toBe('HELLO ');
});

test('a black hole swallows bytes and ends without a word, and what it swallowed from stays dead', async () => {
  const { proxy, client, connection, accepted } = await setUp();
  const open = await connection();
  proxy.set({ kind: 'blackhole' });
  open.client.socket.write('lost');
  open.server.socket.write('lost too');
  const late = await client();
  late.socket.write('late');
  await pause(A_WHILE_MS);
  expect([open.server.text, open.client.text, late.text, late.closed]).toEqual(['hello ', 'HELLO ', '', false]);

  proxy.set(null);
  open.client.socket.write('still lost');
  open.client.socket.destroy();
  await pause(A_WHILE_MS);
  // The server goes on believing in a client that is long gone.
  expect([open.server.text, open.server.ended, open.server.closed]).toEqual(['hello ', false, false]);
  expect((await connection()).client.text).toBe('HELLO ');
  expect(accepted.length).toBe(3);
});

test('what a black hole left behind is reset after a while', async () => {
  const { proxy, connection } = await setUp({ lingerMs: 50 });
  const open = await connection();
  proxy.set({ kind: 'blackhole' });
  open.client.socket.destroy();
  await until(() => open.server.closed);
  expect(proxy.connections.open).toBe(0);
});

test('drop-response lets the request through and the answer not, then resets', async () => {
  const { proxy, connection } = await setUp();
  const open = await connection();
  proxy.set({ kind: 'drop-response' });
  open.client.socket.write('commit');
  await until(() => open.server.text === 'hello commit');
  await pause(A_WHILE_MS);
  expect([open.client.text, open.client.closed]).toEqual(['HELLO ', false]);
  proxy.set(null);
  await until(() => open.client.closed && open.server.closed);
  expect([open.client.text, open.client.error]).toEqual(['HELLO ', 'ECONNRESET']);
});

test('delay keeps the order and adds to each way', async () => {
  const { proxy, connection } = await setUp();
  const { client } = await connection();
  proxy.set({ kind: 'delay', ms: 80 });
  const began = performance.now();
  for (const word of ['one ', 'two ', 'three ']) {
    client.socket.write(word);
    await pause(5);
  }
  await until(() => client.text.endsWith('THREE '));
  expect(performance.now() - began).toBeGreaterThan(155);
  expect(client.text).toBe('HELLO ONE TWO THREE ');
});

test('slice brings the same bytes in small pieces', async () => {
  const { proxy, connection } = await setUp({ seed: 3 });
  const { client, server } = await connection();
  proxy.set({ kind: 'slice', bytesMax: 5 });
  const before = server.chunks;
  const text = 'abcdefghij'.repeat(100);
  client.socket.write(text);
  await until(() => server.text.length === text.length + 6);
  expect(server.text).toBe(`hello ${text}`);
  expect(server.chunks - before).toBeGreaterThan(20);
});

test('a target that is not there looks so from the other side, too', async () => {
  const { client, server } = await setUp();
  server.close();
  await once(server, 'close');
  const seen = await client();
  await until(() => seen.closed);
  expect(seen.error).toBe('ECONNRESET');
});

test('connections and held bytes are bounded', async () => {
  const { proxy, connection, client, accepted } = await setUp({ connectionsMax: 1 });
  const open = await connection();
  const second = await client();
  await until(() => second.closed);
  expect([second.error, proxy.connections.open]).toEqual(['ECONNRESET', 1]);

  // A reader that does not read stops the writer.
  accepted[0]?.socket.pause();
  const chunk = Buffer.alloc(256 * 1024, 'x');
  let sent = 0;
  for (let i = 0; i < 400 && open.client.socket.writableLength < 8 * chunk.length; i++) {
    open.client.socket.write(chunk);
    sent += chunk.length;
    await pause(1);
  }
  expect(open.client.socket.writableLength).toBeGreaterThanOrEqual(8 * chunk.length);
  // What is neither here nor read lies in the kernel's buffers and, one mebibyte, in the proxy.
  expect(sent - open.client.socket.writableLength).toBeLessThan(32 * 1024 * 1024);
});
