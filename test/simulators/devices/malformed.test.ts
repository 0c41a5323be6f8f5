import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createEdgeNode, type EdgeNode } from '#edge/mod.ts';
import type { HealthLine } from '#grid/wire/mod.ts';
import { silentLog, systemClock } from '#service/mod.ts';
import { babble, malformedPayloads } from '#simulators/devices/mod.ts';
import { coverDevice, edgeConfig, secretOf } from '../../support/edge.ts';
import { BROKER_LIMITS } from '../../support/limits.ts';
import { tempDir } from '../../support/temp.ts';

let node: EdgeNode;
beforeAll(async () => {
  const dataDir = join(await tempDir({ keep: true }), 'data');
  const devices = [coverDevice('mc-1'), coverDevice('mc-2', 2)];
  node = createEdgeNode({
    config: edgeConfig({ dataDir, centreUrl: 'mqtt://127.0.0.1:9', devices }),
    log: silentLog,
    clock: systemClock,
  });
  await node.start();
});
afterAll(() => node.stop());

const account = () => ({ url: `mqtt://127.0.0.1:${node.brokerPort}`, id: 'mc-1', secret: secretOf('mc-1') });

async function deadLetters(from: number): Promise<string[]> {
  const chunk = await node.outbox.take('health', from, Number.MAX_SAFE_INTEGER, 1e7, 1e6);
  const lines = Buffer.from(chunk?.body ?? [])
    .toString()
    .split('\n')
    .filter(Boolean);
  return lines.map((l) => JSON.parse(l) as HealthLine).flatMap((l) => ('code' in l ? [l.code] : []));
}

test.each(malformedPayloads(BROKER_LIMITS.packetBytesMax).map((m) => [m.name, m] as const))(
  '%s: the edge does with it what is expected, and goes on',
  async (_, { payload, expect: wanted }) => {
    const from = node.outbox.stats.health.lastSeq + 1;
    expect(await babble(account(), payload)).toBe(wanted === 'disconnect' ? 'disconnected' : 'acked');
    expect(await deadLetters(from)).toEqual(wanted === 'disconnect' ? [] : [wanted]);
    const readings = node.outbox.stats.readings.lastSeq;
    expect(await babble(account(), Buffer.from('{"tilt_deg":1}'))).toBe('acked');
    expect(node.outbox.stats.readings.lastSeq).toBe(readings + 1);
  },
);

test('who writes under the id of another is thrown out; who has no secret is not let in', async () => {
  expect(await babble(account(), Buffer.from('{"tilt_deg":1}'), 'mc-2')).toBe('disconnected');
  await expect(babble({ ...account(), secret: 'wrong' }, Buffer.from('{}'))).rejects.toThrow();
});
