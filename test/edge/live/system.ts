import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { createEdgeNode, type EdgeConfig, EdgeConfigFile, type EdgeNode } from '#edge/mod.ts';
import type { Site, SiteCamera } from '#grid/mod.ts';
import { checkConfig, silentLog, systemClock } from '#service/mod.ts';
import { EDGE, EDGE_PASSWORD, fileOf, TestCentre } from '../../ingest/api/fixture.ts';
import { tempDir } from '../../support/temp.ts';
import { until } from '../../support/until.ts';
import { siteOf } from '../cameras/running.ts';

const BRIGHT_STREET = join(import.meta.dirname, '../../models/fixtures/bright-street');

export interface LiveSystem {
  centre: TestCentre;
  edge: EdgeNode;
}

export interface SystemOptions {
  cameras: SiteCamera[];
  /** Folder of the model; one that sees a stall in a bright picture unless told. */
  model?: string;
  /** What the centre's section `api` says beside the tokens. */
  api?: object;
  /** Section `live` of either. */
  centreLive?: object;
  edgeLive?: object;
}

/** A whole centre and a whole edge node in this process, connected as they are in a city. */
export async function startSystem({
  cameras,
  model = BRIGHT_STREET,
  api = {},
  centreLive = {},
  edgeLive = {},
}: SystemOptions): Promise<LiveSystem> {
  const site = siteOf(cameras);
  const centre = await TestCentre.start({
    edges: [{ id: EDGE, password: EDGE_PASSWORD, site }],
    live: centreLive,
    ...apiSection(api),
  });
  onTestFinished(() => centre.stop());
  const edge = createEdgeNode({
    config: edgeConfig(centre, site, model, edgeLive, await tempDir()),
    log: silentLog,
    clock: systemClock,
  });
  await edge.start();
  onTestFinished(() => edge.stop());
  const online = async () =>
    (await centre.get('/api/v1/cameras')).body.items.every((c: { state: string }) => c.state === 'online');
  await until(online, { timeoutMs: 60_000, everyMs: 100, what: 'every camera online' });
  return { centre, edge };
}

/** The tests' own tokens, and more. */
export function apiSection(more: object): object {
  const { api } = fileOf() as { api: object };
  return { api: { ...api, ...more } };
}

function edgeConfig({ centre }: TestCentre, site: Site, model: string, live: object, dataDir: string): EdgeConfig {
  const file = {
    version: 1,
    edge: { id: EDGE, dataDir },
    broker: { port: 0 },
    uplink: { url: `mqtt://127.0.0.1:${centre.brokerPort}`, password: EDGE_PASSWORD, apiUrl: centre.apiUrl },
    live,
    site,
  };
  return {
    ...checkConfig('test', EdgeConfigFile, file),
    vision: { model, workers: 1, filesDir: null, trustedKeys: [] },
    mappings: [],
  } as EdgeConfig;
}
