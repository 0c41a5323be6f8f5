import { createEdgeNode, loadEdgeConfig, openDesired, openStartingModel } from '#edge/mod.ts';
import { createLog, GewuError, InputGather, runUntilSignal, startAll, stopAll, systemClock } from '#service/mod.ts';
import { type Command, parseFlags } from './command.ts';
import { ensurePrograms } from './programs.ts';

/** A node stops within this: what its outbox holds is durable anyway. */
const STOP_MS_MAX = 4_500;

export const edge: Command = {
  name: 'edge',
  summary: 'run an edge node',
  usage:
    'usage: gewu edge --config FILE [--ignore-desired]\n\nRuns until SIGINT or SIGTERM. `gewu init` writes an example, `gewu validate` checks it.\nWhat the centre has set (zones, calibrations, maintenance) stands over the file; --ignore-desired runs with the file alone and\ntakes nothing until the next start without it.',
  async run(args) {
    const { values } = parseFlags(args, { config: { type: 'string' }, 'ignore-desired': { type: 'boolean' } });
    if (values.config === undefined) throw new GewuError('GEWU_USAGE', '--config FILE is needed');
    const config = await loadEdgeConfig(values.config);
    if (config.site.cameras.length > 0) await ensurePrograms(['ffmpeg', 'chineseFont']);
    const log = createLog(config.edge.id);
    const ignored = values['ignore-desired'] === true;
    const { dataDir } = config.edge;
    const desired = await openDesired({ site: config.site, dataDir, ignored, log });
    const model = await openStartingModel({ ownFolder: config.vision.model, dataDir, ignored, log });
    const node = createEdgeNode({ config, fromCentre: { desired, model }, log, clock: systemClock });
    const services = [node, new InputGather()];
    await runUntilSignal({ start: () => startAll(services), stop: () => stopAll(services) }, STOP_MS_MAX);
    return 0;
  },
};
