import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createEdgeNode, type EdgeNode, loadEdgeConfig } from '#edge/mod.ts';
import { silentLog, systemClock } from '#service/mod.ts';
import { paintedCamera } from '../edge/cameras/painted.ts';
import { brightCamera, siteOf } from '../edge/cameras/running.ts';
import { EDGE, EDGE_PASSWORD, TestCentre } from '../ingest/api/fixture.ts';
import { BRIGHT_STREET } from '../support/models.ts';
import { tempDir } from '../support/temp.ts';
import { until } from '../support/until.ts';

const EDGES = {
  [EDGE]: { password: EDGE_PASSWORD, cameras: ['cam-a', 'cam-b'] },
  'edge-2': { password: 'edge-2-password', cameras: ['cam-c'] },
};

test('one stall before two cameras of one edge and one of another is one case, over a restart and after its closing', async () => {
  const painted = await paintedCamera(onTestFinished);
  const sites = Object.entries(EDGES).map(([id, { password, cameras }]) => {
    const site = siteOf(cameras.map((camera) => ({ ...brightCamera(painted), id: camera, fps: 2 })));
    return { id, password, site };
  });
  const centre = await TestCentre.start({ edges: sites });
  onTestFinished(() => centre.stop());
  // Before the nodes, which are stopped before their folders are removed.
  const dirs = await Promise.all(sites.map(() => tempDir()));
  const nodes = new Map<string, EdgeNode>();
  onTestFinished(async () => {
    for (const node of nodes.values()) await node.stop();
  });
  const start = async ({ id, password, site }: (typeof sites)[0], dir: string): Promise<void> => {
    const file = join(dir, 'edge.yaml');
    const uplink = { url: `mqtt://127.0.0.1:${centre.centre.brokerPort}`, password, apiUrl: centre.centre.apiUrl };
    const config = {
      ...{ version: 1, edge: { id, dataDir: 'data' }, broker: { port: 0 }, uplink, site },
      ...{ vision: { model: BRIGHT_STREET }, evidence: { clips: false } },
    };
    await writeFile(file, JSON.stringify(config));
    const node = createEdgeNode({ config: await loadEdgeConfig(file), log: silentLog, clock: systemClock });
    await node.start();
    nodes.set(id, node);
  };
  for (const [k, site] of sites.entries()) await start(site, dirs[k] as string);

  const cases = async () => (await centre.get('/api/v1/cases')).body.items as { id: string; state: string; events: string[] }[];
  const events = async () =>
    (await centre.get('/api/v1/events')).body.items as {
      case: string;
      record: { subject: string; data: { origin: { camera: string } } };
    }[];
  const camerasOf = async (id: string) =>
    (await events())
      .filter((e) => e.case === id)
      .map((e) => e.record.data.origin.camera)
      .sort();
  const all = ['cam-a', 'cam-b', 'cam-c'];
  const first = await until(
    async () => {
      const [found] = await cases();
      return found !== undefined && (await camerasOf(found.id)).join() === all.join() ? found : null;
    },
    { timeoutMs: 90_000, what: 'all three cameras tell of it' },
  );
  expect(await cases()).toHaveLength(1);

  // The same events go on after a restart.
  await nodes.get(EDGE)?.stop();
  await start(sites[0] as (typeof sites)[0], dirs[0] as string);
  const evidence = async () => (await centre.get(`/api/v1/cases/${first.id}`)).body.evidence as { status: string }[];
  await until(async () => (await evidence()).some((e) => e.status === 'stored'), { timeoutMs: 60_000 });
  // The thing still stands there when its case is over: one case again, of all three.
  const step = (name: string, who: 'supervision' | 'command', body: object = {}) =>
    centre.post(`/api/v1/cases/${first.id}/transitions/${name}`, who, body);
  expect((await step('file', 'supervision')).status).toBe(200);
  expect((await step('withdraw', 'supervision', { reason: 'dealt with' })).status).toBe(200);
  const second = await until(
    async () => {
      const next = (await cases()).find((c) => c.id !== first.id);
      return next !== undefined && (await camerasOf(next.id)).join() === all.join() ? next : null;
    },
    { timeoutMs: 90_000, what: 'all three cameras tell of it anew' },
  );
  expect((await cases()).map((c) => c.id).sort()).toEqual([first.id, second.id].sort());
  for (const { id } of [first, second]) expect(await camerasOf(id)).toEqual(all);
}, 300_000);
