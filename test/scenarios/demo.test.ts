import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Verdict } from '#cli/demo/verdict.ts';
import { tempDir } from '../support/temp.ts';

const GEWU = join(import.meta.dirname, '../../gewu');

interface Run {
  code: number;
  verdict: Verdict;
  said: string;
}

/** The command as a user types it, in a folder of its own. */
async function demo(cwd: string, args: readonly string[]): Promise<Run> {
  const child = spawn(GEWU, ['demo', '--json', ...args], { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  const [stdout, said, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  const lines = stdout.trim().split('\n');
  expect(lines, said).toHaveLength(1);
  return { code, verdict: JSON.parse(lines[0] as string) as Verdict, said };
}

/** One after the other: two cities on two cores would say nothing about either. */
describe.each<[string, string[]]>([
  ['on embedded stores', ['--for', '45s']],
  ['on InfluxDB and PostgreSQL', ['--for', '45s', '--with', 'influxdb,postgres']],
])('the demo %s', (_name, args) => {
  let dir: string;
  let run: Run;
  beforeAll(async () => {
    dir = await tempDir({ keep: true });
    run = await demo(dir, args);
  }, 180_000);
  afterAll(() => rm(dir, { recursive: true, force: true }));

  test('stores every reading', () => {
    expect(run.verdict.readings.sent).toBeGreaterThan(1000);
    expect(run.verdict.readings.stored).toBe(run.verdict.readings.sent);
  });

  test('opens the cases of its sensors in time, and no others', () => {
    const { staged, detected, falseAlarms } = run.verdict.incidents.sensors;
    expect(staged).toBeGreaterThan(2);
    expect([detected, falseAlarms]).toEqual([staged, 0]);
    expect(run.verdict.latencyMs.sensors.max).toBeLessThanOrEqual(1500);
  });

  test('opens cases of its cameras, each with its evidence', () => {
    const { cameras } = run.verdict.incidents;
    expect(cameras.detected).toBeGreaterThan(0);
    expect(run.verdict.cases.fromCameras).toBeGreaterThanOrEqual(cameras.detected);
    expect(run.verdict.cases.fromCamerasWithEvidence).toBe(run.verdict.cases.fromCameras);
    expect(run.verdict.cameras.online).toBe(4);
  });

  test('ends with 0 exactly when every threshold holds', () => {
    expect(run.code === 0).toBe(run.said.includes('every threshold holds'));
    expect(run.code, run.said).toBe(0);
  });
});
