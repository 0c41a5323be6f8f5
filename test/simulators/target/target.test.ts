import { once } from 'node:events';
import { createServer } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import { createMetrics } from '#service/mod.ts';
import { ApiClient, metricOf, openCases, UsageWatch, usageOf } from '#simulators/target/mod.ts';

/** What a centre answers, by path and query. */
async function serve(answer: (url: URL) => string): Promise<string> {
  const server = createServer((request, response) => response.end(answer(new URL(request.url ?? '', 'http://x'))));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as { port: number }).port}`;
}

test('all open cases of an old city are read, however many pages they are', async () => {
  const COUNT = 12_001;
  const url = await serve(({ searchParams }) => {
    expect(searchParams.get('open')).toBe('true');
    const [from, limit] = [Number(searchParams.get('cursor') ?? 0), Number(searchParams.get('limit'))];
    const items = Array.from({ length: Math.min(limit, COUNT - from) }, (_, i) => ({ id: `case-${from + i}` }));
    return JSON.stringify({ items, cursor: from + limit < COUNT ? String(from + limit) : null });
  });
  const found = await openCases(new ApiClient(url, 'token'));
  expect(new Set(found.map((c) => c.id)).size).toBe(COUNT);
});

test('a metric is read by its whole name, and one that is missing is not nought', async () => {
  const text = ['# HELP a b', 'ab 7', 'a{lane="events"} 12', 'a 3.5e2', 'a_more 9'].join('\n');
  expect(['a', 'ab', 'a{lane="events"}', 'a_m', 'b'].map((name) => metricOf(text, name))).toEqual([350, 7, 12, null, null]);
  const told = usageOf(await createMetrics().metrics());
  expect(told.cpuS).toBeGreaterThan(0);
  expect(told.residentMb).toBeGreaterThan(10);
  expect(told.eventLoopP99Ms).not.toBeNull();
  expect(usageOf('process_cpu_seconds_total 4')).toEqual({ cpuS: 4, residentMb: null, eventLoopP99Ms: null });
});

test('a watch ends when it is told to, not five seconds later', async () => {
  const url = await serve(() => 'process_cpu_seconds_total 4\n');
  const watch = new UsageWatch([
    { name: 'centre', url },
    { name: 'away', url: 'http://127.0.0.1:9/metrics' },
  ]);
  watch.start();
  await expect.poll(() => watch.points.centre?.length).toBe(1);
  const since = performance.now();
  await watch.stop();
  // The pause between two looks is five seconds.
  expect(performance.now() - since).toBeLessThan(3_000);
  expect(watch.points.away).toEqual([]);
});
