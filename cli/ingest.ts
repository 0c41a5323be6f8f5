import { createCentre, loadIngestConfig } from '#ingest/mod.ts';
import { createLog, GewuError, runUntilSignal, systemClock } from '#service/mod.ts';
import { type Command, parseFlags } from './command.ts';

const STOP_MS_MAX = 4_500;

export const ingest: Command = {
  name: 'ingest',
  summary: 'run a centre',
  usage:
    'usage: gewu ingest --config FILE\n\nRuns until SIGINT or SIGTERM. `gewu init` writes an example, `gewu validate` checks it.',
  async run(args) {
    const { values } = parseFlags(args, { config: { type: 'string' } });
    if (values.config === undefined) throw new GewuError('GEWU_USAGE', '--config FILE is needed');
    const config = await loadIngestConfig(values.config);
    const centre = createCentre({ config, log: createLog(config.centre.id), clock: systemClock });
    await runUntilSignal(centre, STOP_MS_MAX);
    return 0;
  },
};
