import { afterEach, describe, expect, test } from 'vitest';
import { until } from '#test/support/until.ts';
import { type Bench, DirectPort, event, frame, intakeOn, metric, readingLine } from './support.ts';

let bench: Bench | undefined;
afterEach(() => bench?.intake.stop());

describe('overload', () => {
  test('a store that hangs: bytes stay bounded, the rest is dropped, and all comes through when it is sent again', async () => {
    const port = new DirectPort();
    const limits = { queueBytesMax: 1024 * 1024, edgeBytesMax: 512 * 1024, queueFramesMax: 10_000, drainMsMax: 50 };
    bench = intakeOn(port, limits);
    await bench.intake.start();
    const gate = Promise.withResolvers<void>();
    bench.readings.gate = gate.promise;
    const frames = Array.from({ length: 400 }, (_, i) => {
      const edge = `edge-${i % 4}`;
      return frame(
        Array.from({ length: 100 }, (_, k) => readingLine(i * 100 + k, { edge, device: `d${Math.imul(k, 7919)}` })),
        { edge, first: i * 100 + 1 },
      );
    });
    let peak = 0;
    const offer = async () => {
      for (const f of frames) for (let copy = 0; copy < 5; copy++) port.receive(f.topic, f.payload);
      const { metrics } = bench as Bench;
      peak = Math.max(peak, await metric(metrics, 'gewu_intake_queue_bytes', { lane: 'readings' }));
    };
    await offer();
    // Other epochs of the same edges: not duplicates, only too much.
    for (let n = 0; n < 5; n++)
      for (const f of frames)
        port.receive(f.topic, Buffer.from(f.payload.toString('latin1').replace('"e1"', `"x${n}"`), 'latin1'));
    await offer();
    expect(peak).toBeLessThanOrEqual(limits.queueBytesMax);
    expect(await metric(bench.metrics, 'gewu_intake_frames_total', { lane: 'readings', outcome: 'dropped' })).toBeGreaterThan(0);
    bench.readings.gate = null;
    gate.resolve();
    const wanted = new Set(frames.map((f) => f.ack.first));
    await until(() => {
      const got = new Set(port.acks.filter((a) => a.ack.epoch === 'e1').map((a) => a.ack.first));
      for (const f of frames) if (!got.has(f.ack.first)) port.receive(f.topic, f.payload);
      return got.size === wanted.size;
    });
  });

  test('one edge cannot take the room of all', async () => {
    const port = new DirectPort();
    bench = intakeOn(port, { queueBytesMax: 1024 * 1024, edgeBytesMax: 300 * 1024, drainMsMax: 50 });
    await bench.intake.start();
    const gate = Promise.withResolvers<void>();
    bench.events.gate = gate.promise;
    const flood = JSON.stringify(event('flood'));
    for (let i = 0; i < 2000; i++) {
      const { topic, payload } = frame([flood], { lane: 'events', edge: 'edge-01', first: i + 1 });
      port.receive(topic, payload);
    }
    const other = frame([JSON.stringify(event('other', { edge: 'edge-02' }))], { lane: 'events', edge: 'edge-02' });
    port.receive(other.topic, other.payload);
    expect(await metric(bench.metrics, 'gewu_intake_frames_total', { lane: 'events', outcome: 'dropped' })).toBeGreaterThan(0);
    bench.events.gate = null;
    gate.resolve();
    await until(() => port.acks.some((a) => a.edge === 'edge-02'));
  });

  test('a flood of readings into a store that hangs does not delay events', async () => {
    const port = new DirectPort();
    bench = intakeOn(port, { drainMsMax: 50 });
    await bench.intake.start();
    bench.readings.gate = new Promise(() => undefined);
    const lines = Array.from({ length: 2000 }, (_, k) => readingLine(k, { device: `d${Math.imul(k, 7919)}` }));
    const latencies: number[] = [];
    for (let i = 0; i < 40; i++) {
      for (let n = 0; n < 10; n++) {
        const { topic, payload } = frame(lines, { first: (i * 10 + n) * 2000 + 1 });
        port.receive(topic, payload);
      }
      const at = performance.now();
      const e = frame([JSON.stringify(event(`ev-${i}`))], { lane: 'events', first: i + 1 });
      port.receive(e.topic, e.payload);
      await until(() => port.acks.some((a) => a.ack.lane === 'events' && a.ack.first === i + 1), { everyMs: 1 });
      latencies.push(performance.now() - at);
    }
    latencies.sort((a, b) => a - b);
    expect(bench.readings.records).toEqual([]);
    expect(latencies[20]).toBeLessThan(100);
    expect(latencies.at(-1)).toBeLessThan(1000);
  });

  test('stop is bounded although a store hangs, and safe before start and twice', async () => {
    const port = new DirectPort();
    bench = intakeOn(port, { drainMsMax: 50 });
    await bench.intake.stop();
    await bench.intake.start();
    bench.readings.gate = new Promise(() => undefined);
    const { topic, payload } = frame([readingLine(1)]);
    port.receive(topic, payload);
    const { readings } = bench;
    await until(() => readings.calls === 1);
    const at = performance.now();
    await bench.intake.stop();
    await bench.intake.stop();
    expect(performance.now() - at).toBeLessThan(2000);
  });
});
