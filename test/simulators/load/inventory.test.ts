import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { stringify } from 'yaml';
import { createEdgeNode } from '#edge/mod.ts';
import { silentLog, systemClock } from '#service/mod.ts';
import { LoadRun, loadInventory } from '#simulators/load/mod.ts';
import { loadScenario, shippedScenario } from '#simulators/scenarios/mod.ts';
import { makeCertificates } from '../../support/certificates.ts';
import { coverDevice, edgeConfig, edgeFile } from '../../support/edge.ts';
import { tempDir } from '../../support/temp.ts';

const IDS = ['Schacht-7', 'lid_of_a_vendor', 'mhc-0003'];
const INVENTORY = { version: 1, inventory: 'a-city', token: 'gewu_of_ops', profile: 'demo' };

test('devices of any installation are played by their own names and secrets, over TLS', async () => {
  const dir = await tempDir();
  const path = await makeCertificates(dir);
  const options = {
    dataDir: join(dir, 'data'),
    centreUrl: 'mqtt://127.0.0.1:9',
    devices: IDS.map((id, i) => coverDevice(id, i + 1)),
  };
  const config = edgeConfig(options);
  config.broker.tls = { cert: path('server.pem'), key: path('server.key') };
  const node = createEdgeNode({ config, log: silentLog, clock: systemClock });
  await node.start();
  onTestFinished(() => node.stop());
  await writeFile(join(dir, 'site.yaml'), stringify(edgeFile(options).site));
  const play = async (tls: object) => {
    const edge = { id: 'edge-01', siteFile: 'site.yaml', broker: { host: '127.0.0.1', port: node.brokerPort, tls } };
    await writeFile(join(dir, 'inventory.yaml'), stringify({ ...INVENTORY, edges: [edge] }));
    const { token, ...target } = await loadInventory(join(dir, 'inventory.yaml'));
    expect(token).toBe('gewu_of_ops');
    const shipped = await loadScenario(shippedScenario('quiet-day'));
    const scenario = { ...shipped, incidents: [], stages: [{ kind: 'steady' as const, forS: 1, perDevicePerMin: 300 }] };
    return new LoadRun({ target, scenario, seed: 1, part: { number: 1, of: 1 } });
  };
  const run = await play({ ca: 'ca.pem', serverName: 'localhost' });
  await run.run();
  expect(run.ledger.devices.toSorted()).toEqual(IDS.toSorted());
  expect([run.due, run.tally.acked]).toEqual([15, 15]);
  // Whoever is not who its certificate says gets nothing.
  const distrustful = await play({ serverName: 'localhost' });
  const running = distrustful.run();
  await expect.poll(() => distrustful.progress.errors.refused, { timeout: 30_000 }).toBeGreaterThan(0);
  expect(distrustful.progress.connected).toBe(0);
  distrustful.stop();
  await running;
}, 60_000);

test('what is wrong in an inventory is told by its key, or by its file', async () => {
  const dir = await tempDir();
  const file = join(dir, 'inventory.yaml');
  const edge = { id: 'edge-01', siteFile: 'nowhere.yaml', broker: { host: 'localhost', port: 1883 } };
  const load = async (content: object) => {
    await writeFile(file, stringify(content));
    return loadInventory(file);
  };
  await expect(load({ ...INVENTORY, edges: [{ ...edge, port: 1 }] })).rejects.toThrow(/edges\.0\.port/);
  await expect(load({ ...INVENTORY, edges: [edge, edge] })).rejects.toThrow(/edges\.1\.id.*twice/s);
  await expect(load({ ...INVENTORY, edges: [edge] })).rejects.toMatchObject({ code: 'GEWU_CONFIG_UNREADABLE' });
});
