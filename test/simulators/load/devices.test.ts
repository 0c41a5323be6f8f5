import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createEdgeNode } from '#edge/mod.ts';
import { parseLine } from '#grid/wire/mod.ts';
import { checkConfig, silentLog, systemClock } from '#service/mod.ts';
import { type CityPlan, cityOf, siteOf } from '#simulators/city/mod.ts';
import { LoadRun, targetOfPlan } from '#simulators/load/mod.ts';
import { Scenario } from '#simulators/scenarios/mod.ts';
import { edgeConfig } from '../../support/edge.ts';
import { tempDir } from '../../support/temp.ts';
import { until } from '../../support/until.ts';

const DEVICES = 48;
const DURATION_S = 8;
/** The edge lets in more than the generator comes with at first, and less than come at once after a storm. */
const LETS_IN_PER_S = 20;
const COME_PER_S = 16;

const district = {
  seed: 5,
  cells: 12,
  edges: 1,
  sensors: DEVICES,
  cameras: 0,
  division: '110101',
  originLon: 116.38,
  originLat: 39.88,
};
const scenario = checkConfig('test', Scenario, {
  version: 1,
  scenario: 'faults-and-a-storm',
  title: { zh: '', en: '' },
  stages: [{ kind: 'steady', forS: 60, perDevicePerMin: 120 }],
  incidents: [{ what: 'reconnect-storm', from: 0.5 }],
  faults: [
    { what: 'expired', count: 1, from: 0.15, to: 0.4 },
    { what: 'twin', count: 1 },
    { what: 'late', count: 1 },
    { what: 'duplicated', perMin: 15, lastS: 3 },
    { what: 'silent', perMin: 15, lastS: 2, from: 0.1, to: 0.9 },
  ],
});

test('faulty devices at a real edge, and a storm that meets its limiter: each says what it should, all come back, nothing is lost', async () => {
  const config = edgeConfig({ dataDir: join(await tempDir(), 'data'), centreUrl: 'mqtt://127.0.0.1:9', devices: [] });
  config.broker.limits.connectRatePerSMax = LETS_IN_PER_S;
  const access = () => ({ url: '', username: '', password: '', calibration: { points: [] } });
  const site = siteOf(cityOf({ district } as CityPlan), 'edge-01', { access, confidenceMin: () => 1 });
  const node = createEdgeNode({ config: { ...config, site }, log: silentLog, clock: systemClock });
  await node.start();
  onTestFinished(() => node.stop());
  const ports = { api: 1, centreBroker: 1, rtsp: 1, edgeBrokers: [node.brokerPort] };
  const plan: CityPlan = { version: 1, district, profile: 'demo', host: '127.0.0.1', ports };
  const part = { number: 1, of: 1 };
  const run = new LoadRun({
    scenario,
    target: targetOfPlan(plan),
    durationS: DURATION_S,
    seed: 4,
    part,
    connectPerS: COME_PER_S,
  });
  const over = run.run();
  await until(() => run.progress.atS > 0.48 * DURATION_S, { timeoutMs: 60_000, what: 'the storm is near' });
  const before = run.carried;
  await over;
  const { ledger, table, staged, startedAt } = run;

  const chunk = await node.outbox.take('readings', 1, Number.MAX_SAFE_INTEGER, 1e8, 1e8);
  const lines = Buffer.from(chunk?.body ?? [])
    .toString()
    .split('\n')
    .filter(Boolean)
    .map((l) => parseLine(l));
  const stored = lines.flatMap((r) =>
    'device' in r ? [{ device: r.device, seq: Number(r.fields.seq), atS: (r.ts - startedAt) / 1000, us: r.us }] : [],
  );
  const of = (device: string) => stored.filter((r) => r.device === device);
  const faulty = (what: string) => staged.faults.filter((f) => f.what === what).map((f) => ({ ...f, id: table.id(f.device) }));
  // All that was said is acknowledged, and there once; a store knows the second of two by its time.
  expect(ledger.acked).toBe(ledger.sent);
  for (const id of ledger.devices) {
    const times = new Map(of(id).map((r) => [`${r.atS} ${r.us}`, r.seq]));
    expect([...times.values()].sort((a, b) => a - b)).toEqual(Array.from({ length: ledger.sentBy(id) }, (_, n) => n + 1));
  }
  // Nobody spreads them out: the edge turns some away, and they come again.
  expect(before.connects).toBeGreaterThanOrEqual(DEVICES);
  expect(run.carried.refused - before.refused).toBeGreaterThan(0);
  expect(run.carried.connects - before.connects).toBeGreaterThanOrEqual(DEVICES);

  const [expired, twin, late] = ['expired', 'twin', 'late'].map((what) => faulty(what)[0]);
  const own = of(expired?.id ?? '').map((r) => r.atS);
  const [fromS, toS] = [expired?.fromS ?? 0, expired?.toS ?? 0];
  expect(own.some((at) => at < fromS) && own.some((at) => at > toS)).toBe(true);
  expect(own.filter((at) => at > fromS + 0.1 && at < toS - 0.1)).toEqual([]);
  expect(before.refused).toBeGreaterThan(0);
  // Two say each sample, a little apart.
  const twins = of(twin?.id ?? '');
  expect(twins.length).toBeGreaterThanOrEqual(2 * 2 * (DURATION_S - 1));
  expect(of(late?.id ?? '').length).toBeGreaterThan(DURATION_S);
  // At random moments: as many as their rate says, none at the same time as another, each for its time.
  for (const what of ['duplicated', 'silent']) {
    const spans = faulty(what);
    expect(spans).toHaveLength(2);
    expect(new Set(spans.map((s) => s.fromS)).size).toBe(2);
    for (const { fromS, toS } of spans) expect(toS - fromS).toBeCloseTo(what === 'silent' ? 2 : 3, 5);
  }
  for (const { id, fromS, toS } of faulty('silent'))
    expect(of(id).filter((r) => r.atS > fromS + 0.1 && r.atS < toS - 0.1)).toEqual([]);
}, 60_000);
