import { GewuError } from '#service/mod.ts';
import { type Command, print, say } from './command.ts';

/** Every command: its summary here, its code loaded when it is called. */
const COMMANDS: readonly { name: string; summary: string; load: () => Promise<Command> }[] = [
  {
    name: 'demo',
    summary: 'a small city on this machine: centre, two edges, sensors, cameras',
    load: async () => (await import('./demo/command.ts')).demo,
  },
  { name: 'edge', summary: 'run an edge node', load: async () => (await import('./edge.ts')).edge },
  { name: 'ingest', summary: 'run a centre', load: async () => (await import('./ingest.ts')).ingest },
  {
    name: 'simulate',
    summary: 'a simulated city: sensors, cameras, load; training data',
    load: async () => (await import('./simulate.ts')).simulate,
  },
  {
    name: 'edges',
    summary: 'see and set what the centre wants of its edges',
    load: async () => (await import('./edges.ts')).edges,
  },
  { name: 'init', summary: 'write commented example configurations', load: async () => (await import('./init.ts')).init },
  { name: 'validate', summary: 'check a configuration file', load: async () => (await import('./validate.ts')).validate },
  {
    name: 'mapping',
    summary: "try a mapping of a vendor's payloads",
    load: async () => (await import('./mapping.ts')).mapping,
  },
  {
    name: 'models',
    summary: 'models: check, evaluate, train, import, sign, push',
    load: async () => (await import('./models/command.ts')).models,
  },
  {
    name: 'evidence',
    summary: 'prove who took a picture or clip, when, and that nothing changed',
    load: async () => (await import('./evidence/command.ts')).evidence,
  },
  { name: 'doctor', summary: 'check this machine, stores and brokers', load: async () => (await import('./doctor.ts')).doctor },
  {
    name: 'bench',
    summary: 'measure the data plane, each figure beside its yardstick',
    load: async () => (await import('./bench.ts')).bench,
  },
  {
    name: 'chaos',
    summary: 'hurt a small city in every way and count what was lost',
    load: async () => (await import('./chaos/command.ts')).chaos,
  },
  {
    name: 'screenshots',
    summary: 'pictures of the console on a running demo, for the documentation',
    load: async () => (await import('./screenshots.ts')).screenshots,
  },
  { name: 'test', summary: 'install what the tests need and run them', load: async () => (await import('./test.ts')).test },
];

function help(): string {
  const width = Math.max(...COMMANDS.map((c) => c.name.length));
  const list = COMMANDS.map((c) => `  ${c.name.padEnd(width)}  ${c.summary}`).join('\n');
  return `Gewu 格物: a city's cameras and sensors report by themselves\n\nusage: gewu COMMAND [flags]\n\n${list}\n\n\`gewu help COMMAND\` says more.`;
}

async function main(argv: readonly string[]): Promise<number> {
  const [name = 'help', ...args] = argv;
  if (name === '--version' || name === 'version') {
    const { default: manifest } = await import('../package.json', { with: { type: 'json' } });
    print(manifest.version);
    return 0;
  }
  const wanted = name === 'help' ? args[0] : name;
  const asksHelp = name === 'help' || args.includes('--help') || args.includes('-h');
  if (wanted === undefined || wanted === '--help' || wanted === '-h') {
    print(help());
    return 0;
  }
  const entry = COMMANDS.find((c) => c.name === wanted);
  if (!entry) throw new GewuError('GEWU_USAGE', `there is no command \`${wanted}\``);
  const command = await entry.load();
  if (asksHelp) {
    print(`gewu ${command.name}: ${command.summary}\n\n${command.usage}`);
    return 0;
  }
  return command.run(args);
}

/** Coded errors are for the user: code, message, what to do. Everything else is a fault of ours, with its stack. */
function complain(error: unknown): number {
  if (!(error instanceof GewuError)) {
    say(`gewu: GEWU_INTERNAL: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    return 1;
  }
  say(`gewu: ${error.code}: ${error.message}\n  -> ${error.hint}`);
  return error.code === 'GEWU_USAGE' || error.code.startsWith('GEWU_CONFIG') ? 2 : 1;
}

// What failed to start may have left handles open: they must not keep a finished command alive.
process.exit(await main(process.argv.slice(2)).catch(complain));
