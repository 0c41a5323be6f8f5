import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Child } from '#cli/demo/child.ts';
import { freePort } from '#cli/servers/mod.ts';
import { writeCity } from '#cli/simulate/city.ts';
import { seededSecrets } from '#simulators/city/mod.ts';
import type { RunReport } from '#simulators/report/mod.ts';
import { ApiClient } from '#simulators/target/mod.ts';
import { until } from '../../support/until.ts';

/** Generators as people start them: processes of their own, here as whole edges straight to a centre. */
const MAIN = join(import.meta.dirname, '../../../cli/main.ts');
const SEED = 5;
/** As long as the run would be that is cut short: longer than it takes to begin, and not too long for so small a city. */
const CUT_SHORT_MS = 120_000;
let dir: string;
let centre: Child;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'gewu-generators-'));
  const [api = 0, centreBroker = 0, rtsp = 0, ...edgeBrokers] = await Promise.all([1, 2, 3, 4, 5].map(() => freePort()));
  const district = {
    seed: SEED,
    cells: 24,
    edges: 2,
    sensors: 120,
    cameras: 0,
    division: '110101',
    originLon: 116.38,
    originLat: 39.88,
  };
  const ports = { api, centreBroker, rtsp, edgeBrokers };
  const { ingestFile } = await writeCity(dir, { version: 1, district, profile: 'demo', host: '127.0.0.1', ports });
  centre = new Child({ name: 'ingest', args: ['ingest', '--config', ingestFile], logFile: join(dir, 'ingest.log') });
  await centre.start();
  const client = new ApiClient(`http://127.0.0.1:${api}`, seededSecrets(SEED).token('ops'));
  await until(() => client.ready(), { timeoutMs: 90_000, what: 'the centre' });
}, 120_000);

afterAll(async () => {
  await centre.stop();
  await rm(dir, { recursive: true, force: true });
});

function gewu(...args: string[]): { child: ChildProcess; said: { err: string; out: string }; ended: Promise<number | null> } {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', MAIN, ...args]);
  const said = { err: '', out: '' };
  child.stderr.on('data', (text) => (said.err += text));
  child.stdout.on('data', (text) => (said.out += text));
  return { child, said, ended: once(child, 'exit').then(([code]) => code as number | null) };
}

/** How fast this machine is today is no part of it. */
const run = (report: string, ...more: string[]) =>
  gewu('simulate', 'run', 'quiet-day', '--as', 'edges', '--city', dir, '--report', join(dir, report), '--json', ...more);
const reportOf = async (name: string): Promise<RunReport> => JSON.parse(await readFile(join(dir, name, 'report.json'), 'utf8'));

test('two generators that are processes of their own add up to one report', async () => {
  const parts = ['1/2', '2/2'].map((part) => run(`part-${part[0]}`, '--part', part, '--for', '8s'));
  await Promise.all(parts.map((p) => p.ended));
  const merging = gewu('simulate', 'merge', join(dir, 'part-1'), join(dir, 'part-2'), '--report', join(dir, 'both'), '--json');
  const code = await merging.ended;
  const [one, two, both] = await Promise.all(['part-1', 'part-2', 'both'].map(reportOf));
  expect(both?.parts).toEqual(['1/2', '2/2']);
  expect([one?.city.edges, two?.city.edges, both?.city.edges]).toEqual([1, 1, 2]);
  expect(both?.city.devices).toBe(120);
  expect(both?.readings.sent).toBe((one?.readings.sent ?? 0) + (two?.readings.sent ?? 0));
  expect(both?.readings).toMatchObject({ lost: 0, duplicated: 0, unexpected: 0, inDoubt: 0 });
  expect(both?.incidents.filter((i) => i.outcome === 'missed' || i.outcome === 'false alarm')).toEqual([]);
  const line = JSON.parse(merging.said.out) as { passed: boolean };
  expect(code).toBe(line.passed ? 0 : 1);
}, 180_000);

test('Ctrl-C ends the load, and the report is valid for what was sent', async () => {
  const { child, said, ended } = run('cut-short', '--for', `${CUT_SHORT_MS / 1000}s`);
  const acknowledged = until(() => /^load.* acked [1-9]/m.test(said.err), { timeoutMs: 240_000, what: 'an acknowledgement' });
  await Promise.race([acknowledged, ended.then((code) => expect.fail(`ended with ${code}: ${said.err}`))]);
  child.kill('SIGINT');
  await ended;
  const report = await reportOf('cut-short');
  expect(report.interrupted).toBe(true);
  expect(report.endedAt - report.startedAt).toBeLessThan(CUT_SHORT_MS);
  expect(report.readings).toMatchObject({ lost: 0, duplicated: 0, unexpected: 0, inDoubt: 0, stored: report.readings.acked });
  expect(report.readings.acked).toBeGreaterThan(0);
  expect(JSON.parse(said.out)).toMatchObject({ scenario: 'quiet-day', interrupted: true });
  expect(await readFile(join(dir, 'cut-short', 'report.html'), 'utf8')).toContain('interrupted');
}, 300_000);
