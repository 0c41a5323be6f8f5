import { createEdgeNode, loadEdgeConfig } from '#edge/mod.ts';
import { createLog, GewuError, runUntilSignal, systemClock } from '#service/mod.ts';
import { type Command, parseFlags } from './command.ts';
import { ensurePrograms } from './programs.ts';

/** A node stops within this: what its outbox holds is durable anyway. */
const STOP_MS_MAX = 4_500;

export const edge: Command = {
  name: 'edge',
  summary: 'run an edge node',
  usage:
    'usage: gewu edge --config FILE\n\nRuns until SIGINT or SIGTERM. `gewu init` writes an example, `gewu validate` checks it.',
  async run(args) {
    const { values } = parseFlags(args, { config: { type: 'string' } });
    if (values.config === undefined) throw new GewuError('GEWU_USAGE', '--config FILE is needed');
    const config = await loadEdgeConfig(values.config);
    if (config.site.cameras.length > 0) await ensurePrograms(['ffmpeg', 'chineseFont']);
    const node = createEdgeNode({ config, log: createLog(config.edge.id), clock: systemClock });
    await runUntilSignal(node, STOP_MS_MAX);
    return 0;
  },
};
