import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { freePort } from '#cli/servers/mod.ts';
import { createEdgeNode } from '#edge/mod.ts';
import { localPlane, type SiteDevice } from '#grid/mod.ts';
import { checkEvent, type EventRecord } from '#grid/wire/mod.ts';
import { silentLog, systemClock } from '#service/mod.ts';
import { type IncidentPlan, toEnu } from '#simulators/cameras/mod.ts';
import { FakeCentre } from '#test/support/centre.ts';
import { CountingDevice } from '#test/support/device.ts';
import { edgeConfig, secretOf } from '#test/support/edge.ts';
import { tempDir } from '#test/support/temp.ts';
import { until } from '#test/support/until.ts';
import { drawnCamera } from './cameras/drawn.ts';
import { PASSWORD, USERNAME } from './cameras/painted.ts';
import { ORIGIN, STREET, siteCamera } from './vision/street.ts';

// They wait for real processes; a busy machine needs longer, and a wrong result is told long before.
vi.setConfig({ testTimeout: 90_000 });

const CELL = '110101001001001';
const plane = localPlane(ORIGIN);
/** Along the street and across it, metres: the shaft that is open, a cover in view that lies where it should, one behind the camera. */
const OPEN = { alongM: 0.5, acrossM: -0.5 };
const CLOSED = { alongM: 7, acrossM: 5 };
const BEHIND = { alongM: -40, acrossM: 0 };

function cover(id: string, serial: number, place: { alongM: number; acrossM: number }): SiteDevice {
  const component = `1101010102${String(serial).padStart(6, '0')}`;
  return { id, kind: 'manhole_cover', secret: secretOf(id), component, ...plane.toPosition(toEnu(STREET, place)) };
}

async function filmedStreet(): Promise<string> {
  const shaft: IncidentPlan = { id: 'shaft', class: 'open_manhole', place: OPEN, fromMs: -10_000, standsMs: 600_000, seed: 12 };
  const camera = await drawnCamera(onTestFinished, { incidents: [shaft] });
  return camera.url;
}

test('covers report over MQTT that they are open: the camera sees one, sees none where another is, and has a third not in view', async () => {
  const url = await filmedStreet();
  const centre = new FakeCentre(await freePort());
  await centre.start();
  onTestFinished(() => centre.stop());
  const devices = [cover('cover-open', 1, OPEN), cover('cover-closed', 2, CLOSED), cover('cover-behind', 3, BEHIND)];
  const config = edgeConfig({ dataDir: await tempDir(), centreUrl: centre.url, devices });
  const [sw, ne] = [plane.toPosition({ xM: -200, yM: -200 }), plane.toPosition({ xM: 200, yM: 200 })];
  const polygon: [number, number][] = [
    [sw.lon, sw.lat],
    [ne.lon, sw.lat],
    [ne.lon, ne.lat],
    [sw.lon, ne.lat],
  ];
  const camera = siteCamera({ url, username: USERNAME, password: PASSWORD, zones: [] });
  const node = createEdgeNode({
    config: {
      ...config,
      vision: { model: join(import.meta.dirname, '../../models/street-drawn'), workers: 1, filesDir: null, trustedKeys: [] },
      site: { ...config.site, cells: [{ code: CELL, polygon }], cameras: [camera] },
    },
    log: silentLog,
    clock: systemClock,
  });
  await node.start();
  onTestFinished(() => node.stop());
  // The camera is asked what it sees now: it has to show something.
  await until(() => centre.records('health').some((r) => /"of":"camera".*"online"/.test(r)), { timeoutMs: 40_000 });
  for (const { id } of devices) {
    const device = new CountingDevice({ id, port: node.brokerPort, everyMs: 500, fields: () => ({ opened: true }) });
    device.start();
    onTestFinished(() => device.stop());
  }
  const revisionsOf = (id: string): EventRecord[] => {
    const all = centre.records('events').map((text) => JSON.parse(text) as EventRecord);
    const own = all.filter(({ data }) => data.origin.by === 'sensor' && data.origin.device === id);
    return [...new Map(own.map((r) => [r.id, r])).values()].sort((a, b) => a.data.revision - b.data.revision);
  };
  const answered = await until(
    () => {
      const found = devices.map(({ id }) => revisionsOf(id));
      return found.every((revisions) => revisions.some(({ data }) => data.secondSource !== undefined)) ? found : undefined;
    },
    { timeoutMs: 40_000 },
  );
  for (const [first] of answered) {
    expect(checkEvent.Check(first)).toBe(true);
    // The alarm itself waits for nobody.
    expect(first).toMatchObject({
      type: 'gewu.event.raised',
      data: { revision: 1, severity: 'critical', confidence: 0.9, evidence: [] },
    });
    expect(first?.data.secondSource).toBeUndefined();
  }
  const [open, closed, behind] = answered.map((revisions) => revisions.at(-1)?.data);
  expect(open).toMatchObject({
    secondSource: { verdict: 'agrees', camera: 'cam-01', detected: { class: 'open_manhole' } },
    evidence: [{ mediaType: 'image/jpeg' }],
  });
  expect(open?.secondSource?.detected?.offM).toBeLessThan(1);
  expect(open?.confidence).toBeGreaterThan(0.95);
  expect(closed).toMatchObject({ secondSource: { verdict: 'disagrees', camera: 'cam-01' }, confidence: 0.9 });
  expect(closed?.evidence).toHaveLength(1);
  expect(behind).toMatchObject({ secondSource: { verdict: 'no-camera' }, confidence: 0.9, evidence: [] });
  expect(centre.records('events').some((text) => text.includes('gewu.event.cleared'))).toBe(false);
});
