import { readdirSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { applyMissingProfile, deviceKind, STUCK_REPORTS, STUCK_S_MIN } from '#grid/mod.ts';
import { PICTURE_FAULTS, RTSP_FAULTS } from '#simulators/cameras/mod.ts';
import { buildDistrict } from '#simulators/city/mod.ts';
import { DEVICE_FAULT_KINDS } from '#simulators/faults/mod.ts';
import { CAMERA_REACTIONS, loadScenario, shippedScenario, stageScenario } from '#simulators/scenarios/mod.ts';
import { DeviceTable } from '#simulators/world/mod.ts';
import { tempDir } from '../support/temp.ts';

const FOLDER = join(import.meta.dirname, '../../simulators/scenarios');
const NAMES = readdirSync(FOLDER).filter((f) => f.endsWith('.yaml'));
const city = buildDistrict({ seed: 9, cells: 48, edges: 2, sensors: 480, cameras: 0 });
const table = new DeviceTable(city);
const devices = Array.from({ length: table.count }, (_, i) => i);

test('all that are promised are shipped', () => {
  expect(NAMES.map((n) => n.slice(0, -5)).sort()).toEqual([
    'faulty-cameras',
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
  [
    'a share of what is not done by shares',
    (s) => ({ ...s, cameras: { faults: [{ what: 'black', count: 1, probability: 0.5 }] } }),
    'cameras.faults.0.probability',
  ],
  ['cameras that no edge looks at', (s) => ({ ...s, as: 'edges' }), 'cameras'],
  ['a fault that says neither how many nor how often', (s) => ({ ...s, faults: [{ what: 'stuck' }] }), 'faults.0'],
  ['a fault at random that does not say how long', (s) => ({ ...s, faults: [{ what: 'stuck', perMin: 2 }] }), 'faults.0'],
  ['faults of devices where edges speak', (s) => ({ ...s, as: 'edges', faults: [{ what: 'stuck', count: 1 }] }), 'faults'],
  ['an unknown fault', (s) => ({ ...s, faults: [{ what: 'tired', count: 1 }] }), 'faults.0.what'],
  ['no load', (s) => ({ ...s, stages: [{ kind: 'steady', forS: 9, perDevicePerMin: 0 }] }), 'stages'],
  ['a threshold that does not exist', (s) => ({ ...s, thresholds: { lossMax: 0 } }), 'thresholds.lossMax'],
])('%s is refused, and named by its key', async (_, change, key) => {
  const file = join(await tempDir(), 'scenario.yaml');
  await writeFile(file, JSON.stringify(change(parse(await readFile(shippedScenario('quiet-day'), 'utf8')))));
  await expect(loadScenario(file)).rejects.toMatchObject({ code: 'GEWU_CONFIG_INVALID', message: expect.stringContaining(key) });
});

test('the shipped faulty devices are so for long enough to be noticed in a demo city', async () => {
  const scenario = await loadScenario(shippedScenario('faulty-devices'));
  const durationS = scenario.stages.reduce((sum, s) => sum + s.forS, 0);
  const { faults } = stageScenario({ scenario, city, table, devices, seed: 3, durationS, profile: 'demo', cameraEdges });
  const lastsS = (what: string) => faults.flatMap((f) => (f.what === what ? [f.toS - f.fromS] : []));
  expect(new Set(faults.map((f) => f.what))).toEqual(new Set(Object.keys(DEVICE_FAULT_KINDS)));
  const perMin = Math.min(...scenario.stages.map((s) => s.perDevicePerMin));
  expect(Math.min(...lastsS('stuck'))).toBeGreaterThan(Math.max(STUCK_S_MIN, (STUCK_REPORTS * 60) / perMin) + 60);
  const absence = deviceKind('fire_hydrant')?.absence;
  const missing = absence && applyMissingProfile(absence, Number.POSITIVE_INFINITY, 'demo').missing;
  expect(Math.min(...lastsS('silent'))).toBeGreaterThan((missing?.forS ?? Number.POSITIVE_INFINITY) + 60);
  // One after the other, at moments of their own.
  const late = faults.filter((f) => f.what === 'late' && f.toS - f.fromS < 60);
  expect(late).toHaveLength(20);
  expect(new Set(late.map((f) => f.fromS)).size).toBe(20);
});

const seen = buildDistrict({ seed: 9, cells: 48, edges: 2, sensors: 96, cameras: 24 });
const seenTable = new DeviceTable(seen);
const START = 1_700_000_000_000;

/** What a run of `faulty-cameras` shows, and what must come of it when it ends after so long. */
async function camerasOf(durationS: number, endedS = durationS) {
  const scenario = { ...(await loadScenario(shippedScenario('faulty-cameras'))), incidents: [] };
  const all = Array.from({ length: seenTable.count }, (_, i) => i);
  const { cameras } = stageScenario({
    ...{ scenario, city: seen, table: seenTable, devices: all, seed: 3, durationS },
    ...{ profile: 'demo', cameraEdges: new Set(seen.edges.map((e) => e.id)) },
  });
  const truths = cameras.truths(START, START + endedS * 1000);
  const keyOf = ({ class: c }: { class: object }) => ('fault' in c ? String(c.fault) : '');
  return { cameras, ...truths, ofCameras: truths.due.filter((t) => keyOf(t).startsWith('camera_')), keyOf };
}

test('faulty cameras: each fault has a camera of its own, and is due as the case that it must become', async () => {
  const { cameras, due, possible, ofCameras, keyOf } = await camerasOf(600);
  const { faults, reelMs } = cameras;
  expect(faults.map((f) => f.what).sort()).toEqual([...PICTURE_FAULTS, ...RTSP_FAULTS].sort());
  expect(new Set(faults.map((f) => f.camera.id)).size).toBe(faults.length);
  expect(faults.find((f) => f.what === 'drop')?.probability).toBe(0.8);
  expect(reelMs).toBeGreaterThan(600_000);
  for (const { what, camera, fromMs, toMs } of faults) {
    const { fault, graceMs } = CAMERA_REACTIONS[what];
    const told = ofCameras.filter((t) => t.component === camera.component);
    const times = { standsFrom: START + fromMs, standsTo: START + toMs, confirmMs: 30_000 + (graceMs ?? 0) };
    const expected = { source: 'sensor', component: camera.component, ...times };
    if (fault !== null && graceMs !== null) expect(told).toEqual([expect.objectContaining(expected)]);
    // What is seen through is no case.
    else expect(told).toEqual([]);
    if (fault !== null && graceMs !== null) expect(keyOf(told[0] as { class: object })).toBe(fault);
  }
  // Who is faulty may miss what stands before it; all others must not.
  const bad = new Set(faults.map((f) => f.camera.id));
  const cameraOf = (t: { id: string }) => t.id.slice(0, 'cam-01'.length);
  const [shown, perhaps] = [due, possible].map((truths) => truths.filter((t) => t.source === 'camera').map(cameraOf));
  expect(shown?.length).toBeGreaterThan(30);
  expect(shown?.filter((id) => bad.has(id))).toEqual([]);
  expect(perhaps?.some((id) => bad.has(id))).toBe(true);
});

test('a fault that was too short for a case demands none, however short the run was or became', async () => {
  for (const [durationS, endedS] of [
    [60, 60],
    [600, 130],
  ] as const) {
    const { ofCameras, possible, keyOf } = await camerasOf(durationS, endedS);
    expect(ofCameras).toEqual([]);
    expect(possible.map(keyOf)).toContain('camera_offline');
  }
});

test('a run of more than half an hour shows it again, and demands what was new only', async () => {
  const { cameras, due, possible } = await camerasOf(7_200);
  const reelMs = 1_800_000;
  expect(cameras.reelMs).toBe(reelMs);
  const ofCameras = (truths: typeof due) => truths.filter((t) => t.source === 'camera');
  expect(ofCameras(due).length).toBeGreaterThan(30);
  for (const { standsFrom, confirmMs } of ofCameras(due)) expect(standsFrom + confirmMs).toBeLessThan(START + reelMs);
  const again = ofCameras(possible).filter((t) => t.standsFrom > START + reelMs);
  expect(Math.max(...again.map((t) => t.standsFrom))).toBeGreaterThan(START + 3 * reelMs);
  const first = ofCameras(due)[0];
  const laps = again.filter((t) => t.id.startsWith(`${first?.id}-lap`));
  expect(laps.map((t) => t.standsFrom - (first?.standsFrom ?? 0))).toEqual([reelMs, 2 * reelMs, 3 * reelMs]);
  expect(laps.map(({ lon, lat }) => [lon, lat])).toEqual(laps.map(() => [first?.lon, first?.lat]));
});

test('a city too small for what is to break is refused in words', async () => {
  const scenario = await loadScenario(shippedScenario('power-failure'));
  const few = devices.slice(0, 2);
  expect(() =>
    stageScenario({ scenario, city, table, devices: few, seed: 1, durationS: 60, profile: 'demo', cameraEdges }),
  ).toThrow(/groups of kind circuit/);
});
