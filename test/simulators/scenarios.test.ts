import { readdirSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { buildDistrict } from '#simulators/city/mod.ts';
import { loadScenario, shippedScenario, stageScenario } from '#simulators/scenarios/mod.ts';
import { DeviceTable } from '#simulators/world/mod.ts';
import { tempDir } from '../support/temp.ts';

const FOLDER = join(import.meta.dirname, '../../simulators/scenarios');
const NAMES = readdirSync(FOLDER).filter((f) => f.endsWith('.yaml'));
const city = buildDistrict({ seed: 9, cells: 48, edges: 2, sensors: 480, cameras: 0 });
const table = new DeviceTable(city);
const devices = Array.from({ length: table.count }, (_, i) => i);

test('all that are promised are shipped', () => {
  expect(NAMES.map((n) => n.slice(0, -5)).sort()).toEqual([
    'faulty-devices',
    'festival',
    'network-outage',
    'new-years-eve',
    'power-failure',
    'quiet-day',
    'rain-storm',
    'reconnect-storm',
    'rush-hour',
  ]);
});

const cameraEdges = new Set(city.edges.map((e) => e.id));

test.each(NAMES)('%s is valid, staged the same for the same seed, and each device has one trouble at most', async (name) => {
  const scenario = await loadScenario(join(FOLDER, name));
  expect(`${scenario.scenario}.yaml`).toBe(name);
  const stage = (seed: number) =>
    stageScenario({ scenario, city, table, devices, seed, durationS: 600, profile: 'demo', cameraEdges });
  const [a, again] = [stage(3), stage(3)];
  const plain = (s: typeof a) => JSON.stringify([s.incidents, s.storms]);
  expect(plain(again)).toBe(plain(a));
  expect(a.incidents.length + a.storms.length + a.faults.length).toBeGreaterThan(0);
  // A flooded shaft may be told for itself or by its basin: that is one trouble.
  const hit = [...a.incidents.flatMap((i) => (i.optional ? [] : i.devices)), ...a.faults.map((f) => f.device)];
  expect(new Set(hit).size).toBe(hit.length);
  // What is staged is said: in the middle of each incident a sample of its devices breaks.
  for (const incident of a.incidents) {
    const hour = (((incident.fromS + incident.toS) / 2) * scenario.world.hours) / 600;
    // Of a basin one shaft fills after the other.
    if (incident.expected?.windowMs !== undefined) continue;
    for (const i of incident.devices) expect(incident.breaks(a.world.sample(i, hour)), incident.id).toBe(true);
  }
});

test.each<[string, (s: Record<string, never>) => object, string]>([
  ['an unknown key', (s) => ({ ...s, stage: 1 }), 'stage'],
  ['an unknown kind of incident', (s) => ({ ...s, incidents: [{ what: 'earthquake', from: 0, to: 1 }] }), 'incidents.0'],
  ['a share beyond the run', (s) => ({ ...s, incidents: [{ what: 'burst-main', from: 0.5, to: 1.5 }] }), 'incidents.0'],
  ['an end before its beginning', (s) => ({ ...s, incidents: [{ what: 'burst-main', from: 0.5, to: 0.2 }] }), 'incidents.0.to'],
  [
    'a rule that the kind has not',
    (s) => ({ ...s, incidents: [{ what: 'device-fault', kind: 'streetlight', rule: 'cover-tilt', perMin: 1, lastS: 9 }] }),
    'incidents.0.rule',
  ],
  ['faults of devices where edges speak', (s) => ({ ...s, as: 'edges', faults: [{ what: 'stuck', count: 1 }] }), 'faults'],
  ['an unknown fault', (s) => ({ ...s, faults: [{ what: 'tired', count: 1 }] }), 'faults.0.what'],
  ['no load', (s) => ({ ...s, stages: [{ kind: 'steady', forS: 9, perDevicePerMin: 0 }] }), 'stages'],
  ['a threshold that does not exist', (s) => ({ ...s, thresholds: { lossMax: 0 } }), 'thresholds.lossMax'],
])('%s is refused, and named by its key', async (_, change, key) => {
  const file = join(await tempDir(), 'scenario.yaml');
  await writeFile(file, JSON.stringify(change(parse(await readFile(shippedScenario('quiet-day'), 'utf8')))));
  await expect(loadScenario(file)).rejects.toMatchObject({ code: 'GEWU_CONFIG_INVALID', message: expect.stringContaining(key) });
});

test('a city too small for what is to break is refused in words', async () => {
  const scenario = await loadScenario(shippedScenario('power-failure'));
  const few = devices.slice(0, 2);
  expect(() =>
    stageScenario({ scenario, city, table, devices: few, seed: 1, durationS: 60, profile: 'demo', cameraEdges }),
  ).toThrow(/groups of kind circuit/);
});
