import { once } from 'node:events';
import { mkdir, statfs } from 'node:fs/promises';
import { createServer, connect as tcpConnect } from 'node:net';
import pg from 'pg';
import { type EdgeConfig, loadEdgeConfig } from '#edge/mod.ts';
import { type IngestConfig, loadIngestConfig } from '#ingest/mod.ts';
import { readConfigFile } from '#service/mod.ts';
import { type Command, parseFlags, print } from './command.ts';
import { PROGRAMS, versionOf } from './programs.ts';

interface Finding {
  what: string;
  ok: boolean;
  detail: string;
  /** What to do, when it is not in order. */
  mend?: string;
}

const CONNECT_MS_MAX = 3_000;
const DISK_BYTES_MIN = 1024 ** 3;

/** Runs a check; what it throws is the finding. */
async function check(what: string, mend: string, run: () => Promise<string>): Promise<Finding> {
  try {
    return { what, ok: true, detail: await run() };
  } catch (error) {
    return { what, ok: false, detail: error instanceof Error && error.message ? error.message : String(error), mend };
  }
}

const node = () =>
  check('Node.js', 'Start Gewu by ./gewu, which brings Node 24.', async () => {
    if (Number(process.versions.node.split('.')[0]) < 24) throw new Error(`version ${process.versions.node}`);
    return process.versions.node;
  });

const ffmpeg = () =>
  check('ffmpeg', `Install it: apt-get install ${PROGRAMS.ffmpeg.package}`, async () => {
    const file = await PROGRAMS.ffmpeg.find();
    if (file === null) throw new Error('not installed');
    return versionOf(file, ['-version']);
  });

const portFree = (what: string, host: string, port: number) =>
  check(
    `port ${port} (${what})`,
    `Stop what listens on ${host}:${port}, or choose another port. If it is this very part of Gewu, all is well.`,
    async () => {
      if (port === 0) return 'any free one';
      const server = createServer().listen(port, host);
      await once(server, 'listening');
      server.close();
      return 'free';
    },
  );

const disk = (dir: string) =>
  check(`disk of ${dir}`, 'Free some space, or point dataDir at another disk.', async () => {
    await mkdir(dir, { recursive: true });
    const { bavail, bsize } = await statfs(dir);
    const gib = ((bavail * bsize) / 1024 ** 3).toFixed(1);
    if (bavail * bsize < DISK_BYTES_MIN) throw new Error(`${gib} GiB free, less than 1`);
    return `${gib} GiB free`;
  });

const reachable = (what: string, url: string) =>
  check(
    `${what} ${url.replace(/\/\/[^@/]*@/, '//')}`,
    'Start it, or mend the address; a firewall may be in between.',
    async () => {
      const { hostname, port, protocol } = new URL(url);
      const defaults: Record<string, number> = { 'mqtt:': 1883, 'mqtts:': 8883, 'http:': 80, 'https:': 443 };
      const socket = tcpConnect(Number(port) || (defaults[protocol] ?? 0), hostname);
      try {
        await once(socket, 'connect', { signal: AbortSignal.timeout(CONNECT_MS_MAX) });
        return 'answers';
      } finally {
        socket.destroy();
      }
    },
  );

const influxdb = (url: string) =>
  check(`InfluxDB ${url}`, 'Start InfluxDB 1.x there, or mend timeseries.url.', async () => {
    const response = await fetch(new URL('/ping', url), { signal: AbortSignal.timeout(CONNECT_MS_MAX) });
    return `version ${response.headers.get('x-influxdb-version') ?? 'unknown'}`;
  });

const postgres = (url: string) =>
  check('PostgreSQL', 'Start PostgreSQL there, or mend database.url (user, password, database).', async () => {
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: CONNECT_MS_MAX });
    try {
      await client.connect();
      const { rows } = await client.query<{ server_version: string }>('show server_version');
      return `version ${rows[0]?.server_version}`;
    } finally {
      await client.end();
    }
  });

function edgeChecks({ broker, edge, uplink, probes }: EdgeConfig): Promise<Finding>[] {
  return [
    portFree("the devices' broker", broker.host, broker.port),
    ...(probes ? [portFree('probes', probes.host, probes.port)] : []),
    disk(edge.dataDir),
    reachable("the centre's broker", uplink.url),
    reachable("the centre's API", uplink.apiUrl),
  ];
}

function centreChecks({ api, broker, centre, timeseries, database }: IngestConfig): Promise<Finding>[] {
  return [
    portFree('API', api.host, api.port),
    ...(broker.embedded ? [portFree("the edges' broker", broker.embedded.host, broker.embedded.port)] : []),
    ...(broker.external ? [reachable('broker', broker.external.url)] : []),
    disk(centre.dataDir),
    ...(timeseries.store === 'influxdb' ? [influxdb(timeseries.url)] : []),
    ...(database.store === 'postgres' ? [postgres(database.url)] : []),
  ];
}

async function fileChecks(file: string): Promise<Finding[]> {
  const input = await readConfigFile(file);
  const isEdge = typeof input === 'object' && input !== null && 'edge' in input;
  return Promise.all(isEdge ? edgeChecks(await loadEdgeConfig(file)) : centreChecks(await loadIngestConfig(file)));
}

export const doctor: Command = {
  name: 'doctor',
  summary: 'check this machine, stores and brokers',
  usage:
    'usage: gewu doctor [--json] [FILE ...]\n\nWith configuration files of an edge or a centre also their ports, disks, stores and brokers. Exit status 1 when something is wrong.',
  async run(args) {
    const { values, positionals } = parseFlags(args, { json: { type: 'boolean' } }, 100);
    const findings = await Promise.all([node(), ffmpeg(), ...(positionals.length === 0 ? [disk(process.cwd())] : [])]);
    for (const file of positionals) findings.push(...(await fileChecks(file)));
    const bad = findings.filter((f) => !f.ok);
    if (values.json) print(JSON.stringify({ ok: bad.length === 0, findings }));
    else
      for (const f of findings) print(`${f.ok ? 'ok  ' : 'BAD '} ${f.what}: ${f.detail}${f.mend ? `\n       -> ${f.mend}` : ''}`);
    return bad.length === 0 ? 0 : 1;
  },
};
