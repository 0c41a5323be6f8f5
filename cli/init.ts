import { readdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { GewuError } from '#service/mod.ts';
import { type Command, parseFlags, parseInteger, print } from './command.ts';
import { smallCity, writeInstallation } from './installation/mod.ts';

const EDGES_MAX = 2;

export const init: Command = {
  name: 'init',
  summary: 'write commented example configurations',
  usage:
    'usage: gewu init DIR [--seed N] [--profile default|demo]\n\nWrites ingest.yaml, edge-01.yaml, edge-02.yaml, their sites and simulate.yaml with new passwords and tokens into DIR, which must be empty or new.\nThey fit together as they are on one machine; on several, change the addresses.',
  async run(args) {
    const options = { seed: { type: 'string', default: '7' }, profile: { type: 'string', default: 'demo' } } as const;
    const { values, positionals } = parseFlags(args, options, 1);
    const { profile } = values;
    if (positionals[0] === undefined) throw new GewuError('GEWU_USAGE', 'a folder is needed');
    if (profile !== 'default' && profile !== 'demo')
      throw new GewuError('GEWU_USAGE', `--profile ${profile}: default or demo is wanted`);
    const dir = resolve(positionals[0]);
    // Passwords that are in use must not be overwritten.
    if ((await readdir(dir).catch(() => [])).length > 0) throw new GewuError('GEWU_USAGE', `${dir} is not empty`);
    const written = await writeInstallation({
      dir,
      ...smallCity(parseInteger('seed', values.seed, 0, 2 ** 31), EDGES_MAX),
      profile,
      ports: { api: 8080, centreBroker: 1884, rtsp: 8554, edgeBrokers: Array.from({ length: EDGES_MAX }, (_, i) => 18831 + i) },
      durationS: 3600,
    });
    print(`Written to ${dir}. Start, each in a terminal of its own:\n`);
    print(`  ./gewu ingest --config ${written.ingestFile}`);
    for (const edge of written.edges) print(`  ./gewu edge --config ${edge.file}`);
    print(`  ./gewu simulate --config ${written.simulateFile}\n`);
    const { name, password } = written.administrator;
    print(`Console: ${written.apiUrl}/   account ${name}, password ${password}   (said only now; it is kept as a hash)`);
    print(`API: ${written.apiUrl}/docs   token of the account ops: ${written.token}`);
    return 0;
  },
};
