import { connect } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { StreamHub } from '#ingest/api/mod.ts';
import type { CaseService, Change } from '#ingest/cases/mod.ts';
import type { DeviceService, HealthChange } from '#ingest/devices/mod.ts';
import { createMetrics, silentLog } from '#service/mod.ts';
import { EDGE, openCover, TestCentre, tokenOf } from './fixture.ts';

let centre: TestCentre;
beforeEach(async () => {
  centre = await TestCentre.start();
});
afterEach(() => centre.stop());

/** A live stream, read with fetch as a browser would. */
class Listener {
  text = '';
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly ended: Promise<void>;

  private constructor(reader: ReadableStreamDefaultReader<Uint8Array>) {
    this.#reader = reader;
    this.ended = this.#read();
  }

  static async open(query = '', token = tokenOf('viewer')): Promise<Listener> {
    const response = await centre.raw(`/api/v1/stream${query}`, { headers: { authorization: `Bearer ${token}` } });
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/event-stream; charset=utf-8']);
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    return new Listener((response.body as ReadableStream<Uint8Array>).getReader());
  }

  messages(): { event: string; data: { id: string; what?: string; state?: string } }[] {
    return [...this.text.matchAll(/event: (\w+)\ndata: (.+)\n/g)].map(([, event, data]) => ({
      event: event as string,
      data: JSON.parse(data as string),
    }));
  }

  async close(): Promise<void> {
    await this.#reader.cancel();
  }

  async #read(): Promise<void> {
    const decoder = new TextDecoder();
    for (;;) {
      const { value, done } = await this.#reader.read().catch(() => ({ value: undefined, done: true }));
      if (done) return;
      this.text += decoder.decode(value, { stream: true });
    }
  }
}

test('a client hears of cases, events and health as they change, and of what it asked for only', async () => {
  const [all, cases] = [await Listener.open(), await Listener.open('?of=case')];
  const edge = await centre.edge();
  await edge.send('events', [openCover('ev-1')]);
  const since = Date.now();
  await edge.send('health', [{ ts: since, edge: EDGE, of: 'camera', id: 'cam-1', state: 'offline', reason: 'silent', since }]);
  await expect.poll(() => all.messages().map((m) => m.event)).toEqual(expect.arrayContaining(['case', 'event', 'health']));
  const [{ id }] = (await centre.get('/api/v1/cases')).body.items;
  await centre.post(`/api/v1/cases/${id}/transitions/forward`, 'supervision', {});
  await expect.poll(() => cases.messages().map((m) => m.data.what)).toContain('forward');
  expect(cases.messages().every((m) => m.event === 'case' && m.data.id === id)).toBe(true);
  expect(all.messages().find((m) => m.event === 'health')?.data).toMatchObject({ id: 'cam-1', state: 'offline' });
  await all.close();
  await edge.close();
  // Stopping ends what is open.
  await centre.stop({ keep: true });
  await cases.ended;
});

test('a stream needs a token', async () => {
  expect((await centre.raw('/api/v1/stream')).status).toBe(401);
});

test('a client that does not read is closed, the others go on', async () => {
  const listeners = new Set<(change: Change) => void>();
  const cases = {
    on: (_: 'change', listener: (change: Change) => void) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  } as unknown as CaseService;
  const devices = { on: (_: 'change', _listener: (change: HealthChange) => void) => () => undefined } as unknown as DeviceService;
  const metrics = createMetrics();
  const hub = new StreamHub({ cases, devices, log: silentLog, metrics });
  await hub.start();
  const { createServer } = await import('node:http');
  const server = createServer((_request, response) => {
    hub.open({ response, topics: new Set(['case']), stillValid: async () => true }, {});
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  const [slow, quick] = [connect(port, '127.0.0.1'), connect(port, '127.0.0.1')];
  let heard = 0;
  slow.pause().on('error', () => undefined);
  quick.on('data', (chunk) => {
    heard += chunk.length;
  });
  const closed = new Promise((resolve) => slow.once('close', resolve));
  for (const socket of [slow, quick]) socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
  await expect.poll(() => metrics.getSingleMetricAsString('gewu_stream_clients')).toContain('gewu_stream_clients 2');
  // What is not read fills the kernel's buffers first, then ours.
  const change: Change = { of: 'case', id: 'x'.repeat(60_000), what: 'opened', ts: 1 };
  await expect
    .poll(
      () => {
        for (const listener of listeners) listener(change);
        return metrics.getSingleMetricAsString('gewu_stream_closed_slow_total');
      },
      { interval: 1, timeout: 15_000 },
    )
    .toContain('gewu_stream_closed_slow_total 1');
  slow.resume();
  await closed;
  const before = heard;
  for (const listener of listeners) listener(change);
  await expect.poll(() => heard).toBeGreaterThan(before);
  await hub.stop();
  quick.destroy();
  server.close();
});
