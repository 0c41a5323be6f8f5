import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import { loadEdgeConfig } from '#edge/mod.ts';
import type { Site } from '#grid/mod.ts';
import { ConfigError } from '#service/mod.ts';
import { coverDevice, edgeConfig } from '../support/edge.ts';
import { tempDir } from '../support/temp.ts';

const { site } = edgeConfig({
  dataDir: 'data',
  centreUrl: 'mqtt://h:1883',
  devices: [coverDevice('mc-1'), coverDevice('mc-2', 2)],
});

function file(changes: object = {}): Record<string, unknown> {
  return {
    version: 1,
    edge: { id: 'edge-01', dataDir: 'data' },
    broker: { port: 1883 },
    uplink: { url: 'mqtt://centre:1883', password: 'a password', apiUrl: 'https://centre:8443' },
    site,
    ...changes,
  };
}

async function load(content: object) {
  const dir = await tempDir();
  const path = join(dir, 'edge.yaml');
  await writeFile(path, stringify(content, { aliasDuplicateObjects: false }));
  return { dir, config: await loadEdgeConfig(path) };
}

/** `key: message` of every mistake. */
async function mistakes(content: object): Promise<string[]> {
  const error = await load(content).then(
    () => null,
    (e: unknown) => e,
  );
  if (!(error instanceof ConfigError)) throw error ?? new Error('no mistake was found');
  return error.mistakes.map((m) => `${m.key}: ${m.message}`);
}

const withSite = (change: (site: Site) => void) => {
  const copy = structuredClone(site);
  change(copy);
  return file({ site: copy });
};

test('what is not said has a default: loopback, bounded, the product’s own confirm times', async () => {
  const { dir, config } = await load(file());
  expect(config.edge).toEqual({ id: 'edge-01', dataDir: join(dir, 'data'), profile: 'default' });
  expect(config.broker).toMatchObject({ host: '127.0.0.1', limits: { clientsMax: 10_000, packetBytesMax: 65_536 } });
  expect(config.outbox.ageHoursMax).toBe(168);
  expect(config.probes).toBeUndefined();
});

test('the site may stand in a file of its own, relative to this one', async () => {
  const dir = await tempDir();
  await mkdir(join(dir, 'etc'));
  await writeFile(join(dir, 'etc', 'site.yaml'), stringify(site, { aliasDuplicateObjects: false }));
  await writeFile(join(dir, 'edge.yaml'), stringify(file({ site: undefined, siteFile: 'etc/site.yaml' })));
  const config = await loadEdgeConfig(join(dir, 'edge.yaml'));
  expect(config.site.devices.map((d) => d.id)).toEqual(['mc-1', 'mc-2']);
  expect(await mistakes(file({ siteFile: 'x' }))).toEqual(['site: exactly one of site and siteFile is wanted']);
});

test('unknown keys and values out of range are named', async () => {
  const found = await mistakes(file({ uplinks: 1, edge: { id: 'a b', dataDir: 'd' }, outbox: { quotaBytes: 5 } }));
  expect(found.join('\n')).toMatch(/uplinks: unknown key/);
  expect(found.some((m) => m.startsWith('edge.id:'))).toBe(true);
  expect(found.some((m) => m.startsWith('outbox.quotaBytes:'))).toBe(true);
});

test.each<[string, (site: Site) => void, string]>([
  [
    'the same device twice',
    (s) => s.devices.push(structuredClone(site.devices[0] as Site['devices'][number])),
    'devices.2.id: stands here twice',
  ],
  [
    'a component of another kind',
    (s) => Object.assign(s.devices[0] as object, { component: '1101010118000001' }),
    'devices.0.component: a manhole_cover sits on',
  ],
  [
    'a position outside of the site',
    (s) => Object.assign(s.devices[0] as object, { lat: 10 }),
    'devices.0.lon: the position is more than',
  ],
  ['an unknown kind', (s) => Object.assign(s.devices[0] as object, { kind: 'toaster' }), 'devices.0.kind: there is no such kind'],
  [
    'a gateway for nobody',
    (s) => s.gateways.push({ id: 'gw', secret: 'secret of gw', devices: ['mc-1', 'mc-7'] }),
    'gateways.0.devices.1: there is no such device',
  ],
  [
    'a rule under another name',
    (s) =>
      Object.assign(s.devices[0] as object, {
        rules: {
          mine: {
            id: 'cover-opened',
            when: [{ field: 'opened', op: 'eq', value: true }],
            confirm: { forS: 1, samples: 1 },
            clear: { when: [{ field: 'opened', op: 'eq', value: false }], forS: 1 },
            raises: { fault: 'cover_open' },
            severity: 'high',
          },
        },
      }),
    'devices.0.rules.mine.id: stands under the name mine',
  ],
  [
    'a cell code that is none',
    (s) => Object.assign(s.cells[0] as object, { code: '110101001001000' }),
    'cells.0.code: not a unit grid code',
  ],
])('%s is a mistake with its key', async (_name, change, wanted) => {
  expect((await mistakes(withSite(change))).some((m) => m.startsWith(wanted))).toBe(true);
});

test('evidence: kept for so long by class of event; the keys may lie elsewhere', async () => {
  const plain = await load(file());
  expect(plain.config.evidence).toMatchObject({ clips: true, retention: { '*': { days: 30 } } });
  const retention = { '*': { days: 30 }, '2:0501': { days: 7, share: 0.3 } };
  const { config, dir } = await load(file({ evidence: { retention, keysDir: 'keys', clips: false } }));
  expect(config.evidence).toMatchObject({ retention, keysDir: join(dir, 'keys'), clips: false });
  expect(await mistakes(file({ evidence: { retention: { stalls: { days: 7 } } } }))).toEqual([
    "evidence.retention.stalls: not a class key like 2:0501, nor '*'",
  ]);
});
