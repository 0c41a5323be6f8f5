import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type ChaosOptions, runChaos } from '#cli/chaos/run.ts';
import { shortfalls } from '#cli/chaos/verdict.ts';
import { tempDir } from '../support/temp.ts';

/** The short version of `gewu chaos`, with embedded stores. The long ones are commands of their own: docs/chaos.md. */
async function run(options: Partial<ChaosOptions>) {
  const progress: string[] = [];
  const result = await runChaos({
    dir: await tempDir(),
    seed: 11,
    kills: 6,
    intervalMs: 3_000,
    edges: 1,
    replicas: 1,
    influxdb: false,
    postgres: false,
    mosquitto: false,
    ratePerS: 2_600,
    stamps: ['spaced', 'dense', 'coarse'],
    say: (text) => progress.push(text),
    ...options,
  });
  return { ...result, progress };
}

test('six kills and other faults lose nothing, repeat nothing and open each case once', async () => {
  const { verdict, examples, progress } = await run({});
  expect([...examples, ...shortfalls(verdict, { killsWanted: 6 })], progress.join('\n')).toEqual([]);
  expect(verdict.faults).toBeGreaterThanOrEqual(12);
  expect(verdict.alarms).toBe(6);
  expect([verdict.events, verdict.cases]).toEqual([6, 6]);
  expect(verdict.acked).toBe(verdict.stored);
}, 120_000);

test('the ledger notices a variant whose samples have no unique key', async () => {
  const broken = join(import.meta.dirname, '../../cli/chaos/broken/unique_key.ts');
  const { verdict } = await run({
    seed: 3,
    kills: 2,
    alarms: 0,
    edgeImports: [broken],
    only: (targets) => ({
      kill: targets.kill?.filter((name) => name.startsWith('edge')) ?? [],
      'drop-response': ['edge-01/devices'],
    }),
  });
  expect(verdict.duplicated).toBeGreaterThan(0);
}, 60_000);
