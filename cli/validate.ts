import { type EdgeConfig, loadEdgeConfig } from '#edge/mod.ts';
import { deviceKind, fitGround, Site } from '#grid/mod.ts';
import { loadIngestConfig } from '#ingest/mod.ts';
import { checkConfig, GewuError, readConfigFile } from '#service/mod.ts';
import { loadInventory } from '#simulators/load/mod.ts';
import { loadCityPlan, loadSimulateConfig } from '#simulators/mod.ts';
import { loadScenario } from '#simulators/scenarios/mod.ts';
import { type Command, parseFlags, print } from './command.ts';
import { loadMapping } from './mapping.ts';

/** A stored reading with its row in the outbox, bytes. Measured: a manhole cover's line of 10 fields is 190 B, its row 40 B more. */
const OUTBOX_BYTES_PER_READING = 230;

/** What a configuration file is for, by the key that only it has. */
const KINDS: readonly { key: string; name: string; check: (file: string) => Promise<string> }[] = [
  { key: 'edge', name: 'an edge node', check: async (file) => edgeSummary(await loadEdgeConfig(file)) },
  {
    key: 'centre',
    name: 'a centre',
    check: async (file) => {
      const { edges, timeseries, database } = await loadIngestConfig(file);
      return `${edges.length} edges, readings in ${timeseries.store}, cases in ${database.store}`;
    },
  },
  {
    key: 'city',
    name: 'a simulation',
    check: async (file) => {
      const { city, seed } = await loadSimulateConfig(file);
      return `${city.sensors} sensors, ${city.cameras} cameras, seed ${seed}`;
    },
  },
  {
    key: 'district',
    name: 'a simulated city',
    check: async (file) => {
      const { cells, edges, sensors, cameras, seed } = (await loadCityPlan(file)).district;
      return `${cells} unit grids, ${edges} edges, ${sensors} sensors, ${cameras} cameras, seed ${seed}`;
    },
  },
  {
    key: 'inventory',
    name: 'an inventory',
    check: async (file) => {
      const { edges } = (await loadInventory(file)).city;
      return `${edges.length} edges, ${edges.reduce((sum, e) => sum + e.devices.length, 0)} devices`;
    },
  },
  {
    key: 'scenario',
    name: 'a scenario',
    check: async (file) => {
      const { scenario, stages, incidents } = await loadScenario(file);
      return `${scenario}, ${stages.reduce((sum, s) => sum + s.forS, 0)} s, ${incidents.length} kinds of incident`;
    },
  },
  {
    key: 'mapping',
    name: 'a mapping',
    check: async (file) => {
      const { from, codec, fields } = await loadMapping(file);
      return `${codec} ${from.topic === undefined ? `by HTTP on ${from.path}` : `by MQTT on ${from.topic}`}, ${Object.keys(fields).length} fields`;
    },
  },
  {
    key: 'cells',
    name: 'a site',
    check: async (file) => {
      const site = checkConfig(file, Site, await readConfigFile(file));
      return `${site.cells.length} unit grids, ${site.devices.length} devices, ${site.cameras.length} cameras`;
    },
  },
];

function edgeSummary({ site, outbox }: EdgeConfig): string {
  const perS = site.devices.reduce((sum, d) => sum + 1 / (deviceKind(d.kind)?.intervalS.normal ?? 3600), 0);
  const hours = perS === 0 ? Number.POSITIVE_INFINITY : outbox.quotaBytes / (perS * OUTBOX_BYTES_PER_READING) / 3600;
  const covers = Math.min(hours, outbox.ageHoursMax);
  const size = `${site.cells.length} unit grids, ${site.devices.length} devices, ${site.cameras.length} cameras`;
  return `${size}; ${calibrations(site.cameras)}at the devices' usual rates (${perS.toFixed(3)}/s) the outbox covers ${Math.floor(covers)} h without a centre`;
}

/** How well calibration points agree; four always do. */
function calibrations(cameras: Site['cameras']): string {
  const said = cameras.flatMap((camera) => {
    const { ok, residualsM } = fitGround(camera);
    return ok && residualsM.length > 4 ? [`${camera.id} ${Math.max(...residualsM).toFixed(2)} m`] : [];
  });
  return said.length === 0 ? '' : `calibration points off by at most: ${said.join(', ')}; `;
}

export const validate: Command = {
  name: 'validate',
  summary: 'check a configuration file',
  usage:
    'usage: gewu validate FILE\n\nFILE configures an edge, a centre, a simulation, a simulated city, a scenario, a site or a mapping. Every mistake is named with its key and value; exit status 2 when there is one.',
  async run(args) {
    const { positionals } = parseFlags(args, {}, 1);
    const file = positionals[0];
    if (file === undefined) throw new GewuError('GEWU_USAGE', 'a file is needed');
    const input = await readConfigFile(file);
    const kind = KINDS.find((k) => typeof input === 'object' && input !== null && k.key in input);
    if (kind === undefined)
      throw new GewuError(
        'GEWU_CONFIG_INVALID',
        `${file}: none of the keys ${KINDS.map((k) => k.key).join(', ')} tells what it is for`,
      );
    print(`${file}: ${kind.name}, valid: ${await kind.check(file)}`);
    return 0;
  },
};
