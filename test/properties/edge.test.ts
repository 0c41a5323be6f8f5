import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkHealthLine, type EdgeDeadLetter, parseLine } from '#grid/wire/mod.ts';
import { deviceTopic, payloadBytes, payloadSpec } from './arbitraries.ts';
import { budget, type Extent, liveMiB, report } from './budget.ts';
import { CentreBench } from './centre_bench.ts';
import { DEVICES, EDGE, EdgeBench, type Taken } from './edge_bench.ts';

/**
 * Whatever devices send: it is refused at the connection, or it becomes readings, or it becomes one dead letter; what the edge takes the
 * centre takes, too.
 */
const BATCH = 50;
const GROWTH_MIB_MAX = 24;
let edge: EdgeBench;
let centre: CentreBench;
const none = { sent: 0, refused: 0, accepted: 0, dead: 0, announced: 0, readings: 0 };
let seen = { ...none };

beforeAll(async () => {
  edge = new EdgeBench();
  centre = new CentreBench();
  await Promise.all([edge.start(), centre.start()]);
});
afterAll(() => Promise.all([edge.stop(), centre.stop()]));

const message = fc
  .constantFrom(...DEVICES)
  .chain((device) => fc.record({ device: fc.constant(device), topic: deviceTopic(device), payload: payloadSpec }));

/** Says what the line must hold, from the JSON alone. */
function checkReadings(device: string, payload: Buffer, lines: readonly string[]): void {
  const value: unknown = JSON.parse(payload.toString('utf8').replace(/^\ufeff/, ''));
  const objects = (Array.isArray(value) ? value : [value]) as Record<string, unknown>[];
  expect(lines.length).toBe(objects.length);
  for (const [i, line] of lines.entries()) {
    const reading = parseLine(line);
    if ('fault' in reading) throw new Error(`${line}: ${reading.fault}`);
    expect([reading.device, reading.edge]).toEqual([device, EDGE]);
    const { ts: _, device_id: __, ...said } = objects[i] as Record<string, unknown>;
    const { clock_skew: ___, ...stored } = reading.fields;
    // A sum turns -0 into 0, which is what its text means to a store.
    const plain = Object.fromEntries(Object.entries(said).map(([k, v]) => [k, typeof v === 'number' ? v + 0 : v]));
    expect(stored).toEqual(plain);
  }
}

function checkDeadLetter(topic: string, payload: Buffer, line: string): void {
  const letter = JSON.parse(line) as EdgeDeadLetter;
  expect(checkHealthLine.Check(letter)).toBe(true);
  expect(letter).toMatchObject({ of: 'dead-letter', edge: EDGE, topic: topic.slice(0, 256) });
  expect(Buffer.from(letter.payload, 'base64')).toEqual(payload.subarray(0, 4096));
}

function check(device: string, topic: string, payload: Buffer, taken: Taken | null): void {
  seen.sent++;
  const own = [`devices/${device}/telemetry`, `devices/${device}/status`].includes(topic);
  expect(taken !== null).toBe(own);
  if (taken === null) {
    seen.refused++;
    return;
  }
  const { readings, health, announced } = taken;
  expect([readings.length > 0, health.length > 0, announced > 0].filter(Boolean)).toHaveLength(1);
  if (readings.length > 0) {
    checkReadings(device, payload, readings);
    seen.accepted++;
    seen.readings += readings.length;
  } else if (announced > 0) seen.announced++;
  else {
    expect(health).toHaveLength(1);
    checkDeadLetter(topic, payload, health[0] as string);
    seen.dead++;
  }
}

async function runMessages(bench: EdgeBench, params: Extent): Promise<void> {
  await fc.assert(
    fc.asyncProperty(fc.array(message, { minLength: 1, maxLength: 2 * BATCH, size: 'max' }), async (messages) => {
      const lanes = { readings: [] as string[], health: [] as string[] };
      for (const { device, topic, payload: spec } of messages) {
        const payload = payloadBytes(spec);
        const taken = await bench.publish({ clientId: device, username: device }, topic, payload);
        check(device, topic, payload, taken);
        lanes.readings.push(...(taken?.readings ?? []));
        lanes.health.push(...(taken?.health ?? []));
      }
      // The next hop: nothing that the edge has taken is refused there.
      const { readings, health } = lanes;
      const stored = await centre.take(EDGE, lanes);
      expect(stored).toEqual({ readings: readings.length, letters: health.length, refused: 0 });
    }),
    params,
  );
}

test('refused + accepted + dead-lettered = sent, at the edge and at the centre behind it', async () => {
  await runMessages(edge, { numRuns: 10 });
  seen = { ...none };
  const before = liveMiB();
  await runMessages(edge, budget(0.45, BATCH));
  expect(liveMiB() - before).toBeLessThan(GROWTH_MIB_MAX);
  expect(seen.refused + seen.accepted + seen.announced + seen.dead).toBe(seen.sent);
  for (const share of [seen.refused, seen.accepted, seen.dead]) expect(share).toBeGreaterThan(seen.sent / 20);
  report('device messages', seen);
}, 600_000);

test('an edge that forgets one dead letter in fifty is caught', async () => {
  const broken = new EdgeBench();
  await broken.start();
  const append = broken.outbox.append.bind(broken.outbox);
  let n = 0;
  broken.outbox.append = async (lane, bodies) => {
    if (lane === 'health' && ++n % 50 === 0) return;
    await append(lane, bodies);
  };
  await expect(runMessages(broken, { numRuns: 50, endOnFailure: true })).rejects.toThrow(/Counterexample/);
  await broken.stop();
});
