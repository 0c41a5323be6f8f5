import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Child } from '#cli/demo/child.ts';
import { freePort } from '#cli/servers/mod.ts';
import { writeCity } from '#cli/simulate/city.ts';
import { MARKET_CALENDAR, seededSecrets } from '#simulators/city/mod.ts';
import { permitMarket } from '#simulators/load/permit.ts';
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
let target: string;
let brokerPort: number;
let client: ApiClient;

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
  target = `http://127.0.0.1:${api}`;
  brokerPort = centreBroker;
  const { ingestFile } = await writeCity(dir, { version: 1, district, profile: 'demo', host: '127.0.0.1', ports });
  centre = new Child({ name: 'ingest', args: ['ingest', '--config', ingestFile], logFile: join(dir, 'ingest.log') });
  await centre.start();
  client = new ApiClient(target, seededSecrets(SEED).token('ops'));
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
  // Staged once over both of them, not once by each.
  expect(both?.incidents.map((i) => i.outcome)).toEqual(['detected']);
  expect(both?.events).toMatchObject({ by: 'generator', lost: 0, duplicated: 0, unexpected: 0, notes: [] });
  expect(both?.events.sent).toBeGreaterThan(0);
  const line = JSON.parse(merging.said.out) as { passed: boolean };
  expect(code).toBe(line.passed ? 0 : 1);
}, 180_000);

// How much a busy machine bears is no part of it.
test('a capacity search against a real target prints five fields, and what limits it', {
  timeout: 180_000,
  retry: 2,
}, async () => {
  const { said, ended } = gewu(
    ...['simulate', 'capacity', '--as', 'edges', '--city', dir, '--target', target],
    ...['--for', '6s', '--from', '30', '--to', '30', '--json'],
  );
  expect([await ended, said.err]).toEqual([0, expect.stringMatching(/a minute: \d+ readings\/s, /)]);
  const found = JSON.parse(said.out) as Record<string, unknown>;
  expect(Object.keys(found)).toEqual(['readingsPerS', 'eventsPerS', 'edges', 'devices', 'limitedBy']);
  expect(found).toMatchObject({ edges: 2, devices: 120 });
  // 120 devices that report thirty times a minute, at least; how much more is not this machine's to promise.
  expect(found.readingsPerS).toBeGreaterThanOrEqual(57);
  expect(found.eventsPerS).toBeGreaterThan(0);
});

test('an installation that is described by its site files is played as one from a seed is', async () => {
  const edges = ['edge-01', 'edge-02'].map((id, i) => ({
    ...{ id, siteFile: `${id}.site.yaml`, password: seededSecrets(SEED).password(id) },
    broker: { host: '127.0.0.1', port: 1 + i },
  }));
  const file = join(dir, 'inventory.json');
  const centreBroker = { host: '127.0.0.1', port: brokerPort };
  const token = seededSecrets(SEED).token('ops');
  await writeFile(file, JSON.stringify({ version: 1, inventory: 'here', token, profile: 'demo', centreBroker, edges }));
  const { said, ended } = gewu(
    ...['simulate', 'run', 'new-years-eve', '--as', 'edges', '--inventory', file, '--target', target, '--for', '3s', '--json'],
  );
  await ended;
  const { readings, events, content } = JSON.parse(said.out) as RunReport;
  expect(readings).toMatchObject({ lost: 0, duplicated: 0, unexpected: 0, inDoubt: 0, stored: readings.sent });
  expect(readings.sent).toBeGreaterThan(0);
  expect(content).toMatchObject({ compared: readings.stored, altered: 0 });
  expect(events).toMatchObject({ by: 'generator', lost: 0 });
}, 120_000);

test('a permit that is abandoned is taken back, and nothing else with it', async () => {
  type Desired = { revision: number; state: { calendars?: Record<string, string[]> } };
  const path = '/api/v1/edges/edge-01/desired';
  const read = () => client.get<Desired>(path);
  const abandon = new AbortController();
  // There is no edge that would confirm it.
  const granted = permitMarket(client, ['edge-01'], abandon.signal);
  const calendars = await until(async () => (await read()).state.calendars, { timeoutMs: 60_000, what: 'the permit' });
  expect(Object.keys(calendars ?? {})).toEqual([MARKET_CALENDAR]);
  const { revision, state } = await read();
  const holidays = ['2026-10-01'];
  await client.send('PUT', path, {
    revision,
    reason: 'a holiday',
    state: { ...state, calendars: { ...state.calendars, holidays } },
  });
  abandon.abort(new Error('enough'));
  await expect(granted).rejects.toThrow('enough');
  expect((await read()).state.calendars).toEqual({ holidays });
}, 120_000);

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
  expect(said.err).toMatch(/s left \| .*\(\d+\/s\) .*errors: refused 0, dropped 0, resent 0, api 0 \| lag \d/);
  expect(JSON.parse(said.out)).toMatchObject({ scenario: 'quiet-day', interrupted: true });
  expect(await readFile(join(dir, 'cut-short', 'report.html'), 'utf8')).toContain('interrupted');
}, 300_000);

test('a second Ctrl-C leaves at once, without a report', async () => {
  const { child, said, ended } = run('left', '--for', `${CUT_SHORT_MS / 1000}s`);
  const playing = until(() => /^(connecting|load)/m.test(said.err), { timeoutMs: 240_000, what: 'a line of progress' });
  await Promise.race([playing, ended.then((code) => expect.fail(`ended with ${code}: ${said.err}`))]);
  child.kill('SIGINT');
  await until(() => said.err.includes('again'), { timeoutMs: 60_000, what: 'a word' });
  child.kill('SIGINT');
  expect(await ended).toBe(130);
  expect([said.out, said.err]).toEqual(['', expect.stringContaining('put back')]);
  await expect(reportOf('left')).rejects.toThrow('ENOENT');
}, 300_000);
