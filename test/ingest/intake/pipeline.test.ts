import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FRAME_BYTES_MAX, LANES } from '#grid/wire/mod.ts';
import { GewuError } from '#service/mod.ts';
import { until } from '#test/support/until.ts';
import { type Bench, DirectPort, event, frame, healthLine, intakeOn, metric, readingLine } from './support.ts';

let port: DirectPort;
let bench: Bench;
beforeEach(async () => {
  port = new DirectPort();
  bench = intakeOn(port);
  await bench.intake.start();
});
afterEach(() => bench.intake.stop());

const send = (f: { topic: string; payload: Buffer }) => port.receive(f.topic, f.payload);
const acked = (n: number) => until(() => port.acks.length >= n, { what: `${n} acks` });
const unavailable = () => new GewuError('GEWU_STORE_UNAVAILABLE', 'the store is down');
/** How many frames of a lane ended so. */
const outcomes = (outcome: string, lane = 'readings') => metric(bench.metrics, 'gewu_intake_frames_total', { lane, outcome });

describe('good frames', () => {
  test('each lane reaches its sink and is acknowledged by name', async () => {
    const lines = [1, 2, 3].map((n) => readingLine(n));
    const frames = [
      frame(lines, { first: 7 }),
      frame([JSON.stringify(event('ev-1'))], { lane: 'events' }),
      frame([JSON.stringify(healthLine('mc-1')), JSON.stringify(healthLine('mc-2'))], { lane: 'health' }),
    ];
    for (const f of frames) send(f);
    await acked(3);
    expect(bench.readings.records).toEqual(lines);
    expect(bench.events.records.map((e) => e.subject)).toEqual(['ev-1']);
    expect(bench.health.records.map((h) => h.id)).toEqual(['mc-1', 'mc-2']);
    for (const { ack } of frames) expect(port.acks).toContainEqual({ edge: 'edge-01', ack });
    expect(bench.letters.all).toEqual([]);
  });

  test('the ack waits until the sink is done', async () => {
    const gate = Promise.withResolvers<void>();
    bench.readings.gate = gate.promise;
    send(frame([readingLine(1)]));
    await until(() => bench.readings.calls === 1);
    expect(port.acks).toEqual([]);
    gate.resolve();
    await acked(1);
  });

  test('frames that wait are merged into one write, and acknowledged one by one', async () => {
    const gate = Promise.withResolvers<void>();
    bench.readings.gate = gate.promise;
    const frames = Array.from({ length: 40 }, (_, i) => frame([readingLine(i)], { first: i + 1 }));
    for (const f of frames) send(f);
    gate.resolve();
    await acked(40);
    expect(bench.readings.calls).toBeLessThanOrEqual(3);
    expect(port.acks.map((a) => a.ack.first).sort((a, b) => a - b)).toEqual(frames.map((f) => f.ack.first));
  });

  test('a frame that comes again while it waits is stored once and acknowledged once', async () => {
    const gate = Promise.withResolvers<void>();
    bench.readings.gate = gate.promise;
    for (let i = 0; i < 5; i++) send(frame([readingLine(1)]));
    gate.resolve();
    await acked(1);
    expect(await outcomes('duplicate')).toBe(4);
    send(frame([readingLine(1)]));
    await acked(2);
  });

  test('a frame that ends with a newline, compressed or not, has no empty record', async () => {
    const lines = Array.from({ length: 100 }, (_, i) => readingLine(i));
    send(frame([...lines, ''], { count: 100 }));
    await acked(1);
    expect(bench.readings.records).toHaveLength(100);
    expect(bench.letters.all).toEqual([]);
  });
});

describe('a store that fails', () => {
  test('no ack; the frame that is sent again is stored and acknowledged', async () => {
    bench.readings.failing = unavailable();
    send(frame([readingLine(1)]));
    await until(() => outcomes('failed'));
    expect(port.acks).toEqual([]);
    bench.readings.failing = null;
    send(frame([readingLine(1)]));
    await acked(1);
    expect(bench.readings.records).toHaveLength(1);
  });

  test('dead letters that cannot be stored hold back the ack of their frame, not of others', async () => {
    bench.letters.failing = unavailable();
    send(frame([readingLine(1), 'bad'], { first: 1 }));
    send(frame([readingLine(3)], { first: 3 }));
    await acked(1);
    await until(() => outcomes('failed'));
    expect(port.acks.map((a) => a.ack.first)).toEqual([3]);
    bench.letters.failing = null;
    send(frame([readingLine(1), 'bad'], { first: 1 }));
    await acked(2);
  });

  test('a frame that makes the sink stumble does not take its neighbours down', async () => {
    bench.readings.refuse = (line) => {
      if (line.includes('device=bomb')) throw new TypeError('a fault of ours');
      return null;
    };
    const gate = Promise.withResolvers<void>();
    bench.readings.gate = gate.promise;
    for (let i = 0; i < 10; i++) send(frame([readingLine(i, { device: i === 4 ? 'bomb' : 'mc-1' })], { first: i + 1 }));
    gate.resolve();
    await acked(9);
    expect(port.acks.map((a) => a.ack.first)).not.toContain(5);
    expect(await outcomes('failed')).toBe(1);
  });

  test('a dead-letter store that stumbles: what was acknowledged is not acknowledged again', async () => {
    const gate = Promise.withResolvers<void>();
    bench.readings.gate = gate.promise;
    bench.letters.failing = new TypeError('a fault of ours');
    const lines = (n: number) => (n === 2 ? [readingLine(n), 'bad'] : [readingLine(n), readingLine(n + 100)]);
    for (let n = 0; n < 8; n++) send(frame(lines(n), { first: n * 2 + 1 }));
    gate.resolve();
    await acked(7);
    await until(() => outcomes('failed'));
    expect(port.acks.map((a) => a.ack.first).sort((a, b) => a - b)).toEqual([1, 3, 7, 9, 11, 13, 15]);
    expect(await outcomes('failed')).toBe(1);
  });

  test('a verdict too few is a fault of the sink, and no ack', async () => {
    bench.events.accept = async () => [];
    send(frame([JSON.stringify(event('ev-1'))], { lane: 'events' }));
    await until(() => outcomes('failed', 'events'));
    expect(port.acks).toEqual([]);
  });
});

describe('records that cannot be used', () => {
  test('bad lines go to the dead letters with their reason, good ones to the store', async () => {
    const lines = [
      readingLine(1),
      'garbage',
      readingLine(3, { edge: 'edge-02' }),
      readingLine(4, { ts: Date.now() + 48 * 3_600_000 }),
      readingLine(5, { ts: 1_000_000 }),
      '',
      readingLine(7),
    ];
    send(frame(lines));
    await acked(1);
    expect(bench.readings.records).toEqual([lines[0], lines[6]]);
    const reasons = bench.letters.all.map((l) => l.reason);
    expect(reasons).toEqual([
      expect.stringMatching('not a canonical line'),
      'names edge edge-02',
      expect.stringMatching('in the future'),
      expect.stringMatching('before 2015'),
      expect.stringMatching('not a canonical line'),
    ]);
    expect(bench.letters.all[1]).toMatchObject({ edge: 'edge-01', hop: 'readings', source: 'mc-1', code: 'GEWU_LINE_INVALID' });
    expect(Buffer.from(bench.letters.all[0]?.payload ?? '', 'base64').toString()).toBe('garbage');
  });

  test('a replay does not multiply dead letters', async () => {
    const f = frame(['bad', 'bad'], { first: 5 });
    send(f);
    await acked(1);
    send(f);
    await acked(2);
    expect(bench.letters.all).toHaveLength(2);
    send(frame(['bad', 'bad'], { first: 5, epoch: 'e2' }));
    await acked(3);
    expect(bench.letters.all).toHaveLength(4);
  });

  test('an event or health record of another edge is not taken', async () => {
    const forged = [
      event('ev-1', { edge: 'edge-02' }),
      { ...event('ev-2'), source: '/edges/edge-02' },
      { ...event('ev-3'), id: 'ev-9.1' },
    ];
    send(
      frame(
        [...forged, event('ev-4')].map((e) => JSON.stringify(e)),
        { lane: 'events' },
      ),
    );
    send(frame([JSON.stringify(healthLine('mc-1', { edge: 'edge-02' }))], { lane: 'health' }));
    await acked(2);
    expect(bench.events.records.map((e) => e.subject)).toEqual(['ev-4']);
    expect(bench.health.records).toEqual([]);
    expect(bench.letters.all.map((l) => l.code).sort()).toEqual([...Array(3).fill('GEWU_EVENT_INVALID'), 'GEWU_HEALTH_INVALID']);
  });

  test('JSON that is none, too much, too deep or not UTF-8', async () => {
    const good = JSON.stringify(event('ev-1'));
    const lines = [
      '{',
      'null',
      '[]',
      '"x"',
      `${'['.repeat(50_000)}`,
      good.replace('{', '{"__proto__":{"x":1},'),
      good.replace('"confidence":0.9', '"confidence":1e999'),
    ];
    const body = Buffer.concat([
      Buffer.from(`${lines.join('\n')}\n{"a":"`),
      Buffer.from([0xff, 0xfe]),
      Buffer.from(`"}\n${good}`),
    ]);
    const header = `${JSON.stringify({ v: 1, edge: 'edge-01', epoch: 'e', lane: 'events', first: 1, last: 9, count: 9, encoding: 'identity' })}\n`;
    port.receive('gewu/v1/edge-01/up/events', Buffer.concat([Buffer.from(header), body]));
    await acked(1);
    expect(bench.events.records).toHaveLength(1);
    expect(bench.letters.all).toHaveLength(8);
    expect(bench.letters.all.map((l) => l.reason)).toContain('not UTF-8');
  });

  test('what the sink refuses becomes a dead letter with the reason of the sink', async () => {
    bench.readings.refuse = (line) => (line.includes('seq=2,') || line.includes('seq=2 ') ? 'type conflict' : null);
    send(frame([1, 2, 3].map((n) => readingLine(n))));
    await acked(1);
    expect(bench.readings.records).toHaveLength(2);
    expect(bench.letters.all).toMatchObject([{ code: 'GEWU_STORE_REJECTED', reason: 'type conflict', hop: 'readings' }]);
  });

  test('what the edge could not use is a dead letter here, too', async () => {
    const dead = {
      ts: 1_700_000_000_000,
      edge: 'edge-01',
      of: 'dead-letter',
      id: 'mc-9',
      code: 'GEWU_PAYLOAD_NOT_JSON',
      reason: 'bad',
      topic: 'devices/mc-9/telemetry',
      payload: 'e30=',
    };
    send(frame([JSON.stringify(dead), JSON.stringify(healthLine('mc-1'))], { lane: 'health' }));
    await acked(1);
    expect(bench.letters.all).toMatchObject([
      { hop: 'device', source: 'mc-9', code: 'GEWU_PAYLOAD_NOT_JSON', ts: 1_700_000_000_000, payload: 'e30=' },
    ]);
    expect(bench.health.records).toHaveLength(1);
  });

  test('a body that does not have as many records as the header says is stored, and told', async () => {
    send(frame([readingLine(1), readingLine(2)], { count: 5 }));
    await acked(1);
    expect(bench.readings.records).toHaveLength(2);
    expect(bench.letters.all).toMatchObject([{ hop: 'frame', reason: 'the header says 5 records, the body has 2' }]);
  });
});

describe('frames that cannot be used', () => {
  const header = (change: object) =>
    `${JSON.stringify({ v: 1, edge: 'edge-01', epoch: 'e', lane: 'readings', first: 1, last: 2, count: 2, encoding: 'identity', ...change })}\n`;
  const readable: [string, Buffer][] = [
    ['another lane than the topic, unpacked', Buffer.from(`${header({ encoding: 'gzip' })}no gzip`)],
    ['a gzip bomb', Buffer.concat([Buffer.from(header({ encoding: 'gzip' })), gzipSync(Buffer.alloc(3 * 1024 * 1024))])],
    ['an unknown key', Buffer.from(header({ extra: 1 }))],
    ['too large', Buffer.concat([Buffer.from(header({})), Buffer.alloc(FRAME_BYTES_MAX)])],
  ];
  test.each(readable)('%s: one dead letter and an ack, so that it does not come for ever', async (_, payload) => {
    port.receive('gewu/v1/edge-01/up/readings', payload);
    await acked(1);
    expect(port.acks[0]).toEqual({ edge: 'edge-01', ack: { epoch: 'e', lane: 'readings', first: 1, last: 2 } });
    expect(bench.letters.all).toMatchObject([{ hop: 'frame', code: 'GEWU_FRAME_INVALID', edge: 'edge-01' }]);
  });

  const unreadable: [string, Buffer][] = [
    ['nothing', Buffer.alloc(0)],
    ['no header', Buffer.from('hello')],
    ['no JSON', Buffer.from('{\nx')],
    ['the edge of another', Buffer.from(header({ edge: 'edge-02' }) + readingLine(1))],
    ['the lane of another', Buffer.from(header({ lane: 'events' }) + readingLine(1))],
    ['a later version, which an edge must keep', Buffer.from(header({ v: 2 }) + readingLine(1))],
  ];
  test.each(unreadable)('%s: one dead letter, nobody knows what to acknowledge', async (_, payload) => {
    port.receive('gewu/v1/edge-01/up/readings', payload);
    port.receive('gewu/v1/edge-01/up/readings', payload);
    await until(() => outcomes('unacked'));
    port.receive('gewu/v1/edge-01/up/readings', payload);
    await until(async () => (await outcomes('unacked')) === 2);
    expect(port.acks).toEqual([]);
    expect(bench.letters.all).toHaveLength(1);
    expect(bench.readings.records).toEqual([]);
  });

  test('a foreign topic is counted and nothing else', async () => {
    for (const topic of ['gewu/v1/edge-01/up/other', 'gewu/v1/a b/up/events', 'x', '', 'gewu/v1/e/down/ack'])
      port.receive(topic, Buffer.from('x'));
    expect(await outcomes('foreign', 'none')).toBe(5);
  });

  test('a million empty lines are one cheap frame', async () => {
    const body = gzipSync(Buffer.alloc(1024 * 1024, '\n'));
    port.receive('gewu/v1/edge-01/up/readings', Buffer.concat([Buffer.from(header({ encoding: 'gzip' })), body]));
    await acked(1);
    expect(bench.letters.all.length).toBeLessThanOrEqual(1002);
    expect(await metric(bench.metrics, 'gewu_intake_records_total', { lane: 'readings', outcome: 'dead' })).toBe(1024 * 1024);
  });

  const lane = fc.constantFrom(...LANES);

  test('whatever the records are, each is stored or a dead letter', async () => {
    const word = fc.stringMatching(/^[a-z]{1,8}$/);
    const record = fc.oneof(
      fc.string().map((s) => s.replaceAll('\n', ' ')),
      fc.nat({ max: 1000 }).map((n) => readingLine(n)),
      word.map((s) => JSON.stringify(event(s))),
      word.map((s) => JSON.stringify(healthLine(s))),
      fc.json(),
    );
    const total = () =>
      [bench.readings, bench.events, bench.health].reduce((sum, s) => sum + s.records.length, bench.letters.all.length);
    let first = 1;
    await fc.assert(
      fc.asyncProperty(lane, fc.array(record, { minLength: 1, maxLength: 20 }), async (name, lines) => {
        // An empty last line is the end of the one before it.
        const sent = [...lines, '}'];
        const before = total();
        const acks = port.acks.length;
        send(frame(sent, { lane: name, first }));
        first += 100;
        await acked(acks + 1);
        expect(total() - before).toBe(sent.length);
      }),
      { numRuns: 100 },
    );
  });

  test('whatever the bytes are, nothing breaks, and the next good frame is served', async () => {
    const change = fc.record(
      {
        v: fc.anything(),
        edge: fc.oneof(fc.constant('edge-01'), fc.string()),
        epoch: fc.anything(),
        lane: fc.oneof(lane, fc.anything()),
        first: fc.oneof(fc.nat(), fc.anything()),
        last: fc.oneof(fc.nat(), fc.anything()),
        count: fc.oneof(fc.nat(), fc.anything()),
        encoding: fc.constantFrom('identity', 'gzip', 'br', null),
      },
      { requiredKeys: [] },
    );
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 800 }).map((b) => Buffer.from(b)),
      fc
        .tuple(change, fc.uint8Array({ maxLength: 800 }))
        .map(([c, b]) => Buffer.concat([Buffer.from(header(JSON.parse(JSON.stringify(c) ?? '{}'))), b])),
      fc
        .tuple(lane, fc.nat({ max: 400 }))
        .map(([l, n]) => frame([readingLine(1), 'x'.repeat(2000)], { lane: l }).payload.subarray(0, n)),
    );
    let n = 0;
    await fc.assert(
      fc.asyncProperty(lane, bytes, async (name, payload) => {
        port.receive(`gewu/v1/edge-01/up/${name}`, payload);
        if (++n % 20 > 0) return;
        const epoch = `good-${n}`;
        send(frame([readingLine(n)], { epoch }));
        await until(() => port.acks.some((a) => a.ack.epoch === epoch));
      }),
      { numRuns: 300 },
    );
  });
});
