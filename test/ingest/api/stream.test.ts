import { EventEmitter } from 'node:events';
import { connect } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { StreamHub } from '#ingest/api/mod.ts';
import type { Change } from '#ingest/cases/mod.ts';
import { createNews } from '#ingest/news/mod.ts';
import { createMetrics, silentLog, systemClock } from '#service/mod.ts';
import { EDGE, openCover, TestCentre } from './fixture.ts';
import { StreamListener } from './stream_listener.ts';

let centre: TestCentre;
beforeEach(async () => {
  centre = await TestCentre.start();
});
afterEach(() => centre.stop());

test('a client hears of cases, events and health as they change, and of what it asked for only', async () => {
  const [all, cases] = [await StreamListener.open(centre), await StreamListener.open(centre, '?of=case')];
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
  const changes = new EventEmitter<{ change: [Change] }>();
  const cases = {
    on(_: 'change', listener: (change: Change) => void) {
      changes.on('change', listener);
      return () => changes.off('change', listener);
    },
  };
  const devices = { on: () => () => undefined };
  const common = { log: silentLog, metrics: createMetrics(), clock: systemClock };
  const { metrics } = common;
  const news = createNews({ config: { store: 'sqlite', file: '' }, cases, devices, ...common });
  const hub = new StreamHub({ news, ...common });
  await news.start();
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
        changes.emit('change', change);
        return metrics.getSingleMetricAsString('gewu_stream_closed_slow_total');
      },
      { interval: 1, timeout: 15_000 },
    )
    .toContain('gewu_stream_closed_slow_total 1');
  slow.resume();
  await closed;
  const before = heard;
  changes.emit('change', change);
  await expect.poll(() => heard).toBeGreaterThan(before);
  await hub.stop();
  await news.stop();
  quick.destroy();
  server.close();
});
