import { readdirSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Child } from '#cli/demo/child.ts';
import { freePort } from '#cli/servers/mod.ts';
import { writeCity } from '#cli/simulate/city.ts';
import { tell } from '#cli/simulate/run.ts';
import { type CityPlan, seededSecrets } from '#simulators/city/mod.ts';
import { LoadRun, playScenario, targetOfPlan } from '#simulators/load/mod.ts';
import { judgeRun, type RunReport, unsaid } from '#simulators/report/mod.ts';
import { loadScenario, type Scenario, shippedScenario } from '#simulators/scenarios/mod.ts';
import { ApiClient } from '#simulators/target/mod.ts';
import { lossyProxy, tellsAnEnd } from '../support/lossy.ts';
import { until } from '../support/until.ts';

/** One installation; each scenario has the devices of one edge, all of them at the same time. */
const FESTIVAL = 'festival';
const SHIPPED = readdirSync(join(import.meta.dirname, '../../simulators/scenarios'))
  .filter((f) => f.endsWith('.yaml'))
  .map((f) => f.slice(0, -5))
  // Nothing of it fits into twenty seconds: test/edge/cameras/faulty.test.ts plays its faults.
  .filter((name) => name !== 'faulty-cameras')
  // The first edge has the camera: it is at the festival, beside the night market.
  .sort((a, b) => Number(b === FESTIVAL) - Number(a === FESTIVAL));
/** An edge whose devices speak to a target that lies, and that speaks to one itself; and one that the generator is. */
const LOSSY = SHIPPED.length;
const LOSSY_AS_EDGE = LOSSY + 1;
const EDGES = LOSSY + 2;
const SHORT_S = 20;
const edgeId = (n: number) => `edge-${String(n + 1).padStart(2, '0')}`;

let dir: string;
let plan: CityPlan;
let api: ApiClient;
const scenarios: Scenario[] = [];
/** Edges that are up before any scenario begins. */
let under: number[] = [];
const children: Child[] = [];
let start: (command: string, name: string) => Promise<void>;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'gewu-load-'));
  const ports = await Promise.all(Array.from({ length: 2 * EDGES + 3 }, () => freePort()));
  const [apiPort = 0, centreBroker = 0, rtsp = 0, ...edgePorts] = ports;
  const [edgeBrokers, edgeProbes] = [edgePorts.slice(0, EDGES), edgePorts.slice(EDGES)];
  const district = { seed: 11, cells: 12 * EDGES, edges: EDGES, sensors: 100 * EDGES, cameras: 1 };
  plan = {
    version: 1,
    district: { ...district, division: '110101', originLon: 116.38, originLat: 39.88 },
    profile: 'demo',
    host: '127.0.0.1',
    ports: { api: apiPort, centreBroker, rtsp, edgeBrokers, edgeProbes },
  };
  await writeCity(dir, plan);
  // How fast this machine is today is no part of it: a late generator must not hide what the target did.
  for (const name of SHIPPED) {
    const { cameras, ...scenario } = await loadScenario(shippedScenario(name));
    scenarios.push({ ...scenario, lagP99MsMax: 60_000, ...(name === FESTIVAL && cameras ? { cameras } : {}) });
  }
  start = async (command: string, name: string) => {
    const child = new Child({ name, args: [command, '--config', join(dir, `${name}.yaml`)], logFile: join(dir, `${name}.log`) });
    children.push(child);
    await child.start();
  };
  await start('ingest', 'ingest');
  // Where the generator is the edge, there is none.
  under = [...scenarios.entries()].flatMap(([n, { as }]) => (as === 'devices' && n > 0 ? [n] : []));
  for (const n of under) await start('edge', edgeId(n));
  api = new ApiClient(`http://127.0.0.1:${apiPort}`, seededSecrets(district.seed).token('ops'));
  await until(() => api.ready(), { timeoutMs: 60_000, what: 'the centre' });
}, 120_000);

afterAll(async () => {
  await Promise.all(children.map((c) => c.stop()));
  await rm(dir, { recursive: true, force: true });
});

const play = (n: number, scenario: Scenario, over: Partial<CityPlan['ports']> = {}): Promise<RunReport> => {
  const options = {
    scenario,
    target: targetOfPlan({ ...plan, ports: { ...plan.ports, ...over } }),
    durationS: SHORT_S,
    seed: 4,
    part: { number: 1, of: 1 },
    edges: [edgeId(n)],
    api,
    // Its edge finds the camera at once, and has its first pictures before the load begins.
    ...(n === 0 ? { whenShown: () => start('edge', edgeId(0)).then(cameraOnline), restMs: 1_000 } : {}),
  };
  return playScenario(new LoadRun(options), options);
};

/** The edge says how it is. */
const answers = (n: number): Promise<unknown> => {
  const url = `http://127.0.0.1:${plan.ports.edgeProbes?.[n]}/metrics`;
  const isUp = () =>
    fetch(url).then(
      (r) => r.ok,
      () => false,
    );
  return until(isUp, { timeoutMs: 60_000, what: `${edgeId(n)} answers` });
};

const cameraOnline = async (): Promise<void> => {
  await until(
    async () =>
      (await api.get<{ items: { id: string; state: string }[] }>('/api/v1/cameras')).items.some((c) => c.state === 'online'),
    { timeoutMs: 90_000, what: 'the camera' },
  );
};

describe('every shipped scenario, short, at the same time as the others', () => {
  test('loses nothing, stores nothing twice, and finds what was staged; a lossy target fails and its devices are named', async () => {
    const quiet = scenarios[SHIPPED.indexOf('quiet-day')] as Scenario;
    const lies = { drops: (nth: number) => nth % 10 === 4, alters: (nth: number) => nth % 10 === 7 };
    const proxy = await lossyProxy(plan.ports.edgeBrokers[LOSSY] as number, lies);
    const edgeBrokers = plan.ports.edgeBrokers.with(LOSSY, proxy.port);
    // What it says has ended never comes to the centre.
    const ends = { drops: (_: number, message: Parameters<typeof tellsAnEnd>[0]) => tellsAnEnd(message) };
    const [ofEdge, asEdge] = await Promise.all([1, 2].map(() => lossyProxy(plan.ports.centreBroker, ends)));
    const file = join(dir, `${edgeId(LOSSY)}.yaml`);
    const config = await readFile(file, 'utf8');
    await writeFile(file, config.replace(`:${plan.ports.centreBroker}`, `:${ofEdge?.port}`));
    await start('edge', edgeId(LOSSY));
    // On a busy machine it is long in coming, and a run that began before it could not say how many events it has sent.
    await Promise.all([...under, LOSSY].map(answers));
    const busy: Scenario = {
      ...quiet,
      stages: [{ kind: 'steady', forS: 60, perDevicePerMin: 9 }],
      incidents: quiet.incidents.map((i) => (i.what === 'device-fault' ? { ...i, perMin: 12, lastS: 7, to: 0.5 } : i)),
      thresholds: { ...quiet.thresholds, eventsLostMax: 0 },
    };
    const [lossy, forgetful, ...reports] = await Promise.all([
      play(LOSSY, busy, { edgeBrokers }),
      play(LOSSY_AS_EDGE, { ...busy, as: 'edges' }, { centreBroker: asEdge?.port as number }),
      ...scenarios.map((scenario, n) => play(n, scenario)),
    ]);
    for (const [n, report] of reports.entries()) {
      const { checks, incidents } = judgeRun(report);
      const losses = report.trouble.filter((t) => t.lost + t.duplicated + t.unexpected > 0);
      const broken = checks.filter((c) => !c.holds && !/Ms$|lateShare/.test(c.name));
      expect({ scenario: report.scenario, broken, trouble: losses }).toEqual({
        scenario: report.scenario,
        broken: [],
        trouble: [],
      });
      // What babbles may still be held back at the end.
      if (report.scenario !== 'faulty-devices') expect(report.readings.inDoubt).toBe(0);
      expect(incidents.missed).toBe(0);
      const { events, content, usage } = report;
      expect({ ...events, late: null, by: report.as === 'edges' ? 'generator' : 'edges' }).toEqual({
        ...{ ...events, late: null, acked: events.sent, stored: events.sent },
        ...{ lost: 0, duplicated: 0, unexpected: 0, notes: [] },
      });
      expect(events.sent).toBeGreaterThan(0);
      expect(content.compared).toBeGreaterThan(report.readings.stored / 2);
      expect(Object.keys(usage)).toEqual(report.as === 'edges' ? ['centre'] : ['centre', edgeId(n)]);
      expect(unsaid(usage)).toEqual([]);
    }
    const [festival] = reports;
    expect(festival?.city.cameras).toBe(1);
    const atMarket = festival?.incidents.filter((i) => i.source === 'camera') ?? [];
    expect(atMarket.map((i) => [i.class, i.outcome])).toEqual([['2:0501', 'detected']]);
    const storm = reports.find((r) => r.scenario === 'rain-storm');
    expect(storm?.incidents.map((i) => i.class)).toEqual(
      expect.arrayContaining(['1:0134:circuit_dark', '1:0101:zone_low_pressure', '1:0103:basin_flooded']),
    );
    const reconnect = reports.find((r) => r.scenario === 'reconnect-storm');
    expect(reconnect?.connections.connects).toBeGreaterThanOrEqual(3 * (reconnect?.connections.clients ?? 0));
    const faulty = reports.find((r) => r.scenario === 'faulty-devices');
    const about = new Set(faulty?.incidents.map((i) => `${i.outcome} ${i.class.split(':')[2]}`));
    expect([...about]).toContain('faulty device device_fault');
    expect(faulty?.deadLetters.map((d) => d.code)).toContain('GEWU_PAYLOAD_NOT_JSON');
    expect(faulty?.connections.refused).toBeGreaterThan(0);
    const outage = reports.find((r) => r.scenario === 'network-outage');
    expect(outage?.readings.late).toBeGreaterThan(0);
    expect(outage?.connections.connects).toBe(2);
    // Cut off from a quarter of the run to three quarters of it: what is due does not wait for who takes it.
    const cutOff = outage?.curve.filter((s) => s.atS > 0.3 * SHORT_S && s.atS < 0.7 * SHORT_S) ?? [];
    const during = (of: 'due' | 'acked') => cutOff.reduce((sum, s) => sum + s[of], 0);
    expect([during('due') > 10, during('acked')]).toEqual([true, 0]);

    expect(proxy.dropped()).toBeGreaterThan(0);
    expect(lossy?.readings.lost).toBe(proxy.dropped());
    expect(judgeRun(lossy as RunReport).passed).toBe(false);
    expect(lossy?.trouble.reduce((sum, t) => sum + t.lost, 0)).toBe(proxy.dropped());
    for (const { device, edge, lost, which } of lossy?.trouble ?? []) {
      expect(edge).toBe(edgeId(LOSSY));
      expect(which[0]).toMatch(new RegExp(`^${lost > 0 ? 'lost' : 'altered'} ${device}: \\d`));
    }
    // Devices that were changed on the way are named with what was sent and what is stored.
    expect(lossy?.content.altered).toBe(proxy.altered());
    const [example] = lossy?.content.examples ?? [];
    expect(example).toMatchObject({ field: 'tilt_deg' });
    expect(example?.sent).not.toBe(example?.stored);
    // Events that it took and did not store, by the edge's own counters and by what the generator has told.
    for (const [report, liar] of [
      [lossy, ofEdge],
      [forgetful, asEdge],
    ] as const) {
      expect(liar?.dropped()).toBeGreaterThan(0);
      expect(report?.events.lost).toBeGreaterThan(0);
      expect(report?.events.notes.join()).toContain('lost');
      const broken = judgeRun(report as RunReport).checks.filter((c) => !c.holds);
      expect(broken.map((c) => c.name)).toContain('eventsLost');
    }
    expect([lossy?.events.by, forgetful?.events.by]).toEqual(['edges', 'generator']);
    const out = join(dir, 'report');
    expect(await tell(lossy as RunReport, { dir: out, json: false })).toBe(1);
    const html = await readFile(join(out, 'report.html'), 'utf8');
    expect(html).toContain('未通过 Failed');
    expect(html).toContain(lossy?.trouble[0]?.device);
    expect(html).not.toMatch(/src=|href=|@import|https?:/);
    expect(JSON.parse(await readFile(join(out, 'report.json'), 'utf8'))).toMatchObject({ verdict: { passed: false } });
  }, 240_000);
});
