import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { access, chown, constants, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { GewuError } from '#service/mod.ts';
import { freePort, type ServerProcess, startServer } from './process.ts';

const run = promisify(execFile);
const BINARIES = '/usr/lib/postgresql';

/**
 * A real PostgreSQL on loopback, data under `dir/postgres`. As root it runs as the user `postgres`, because the
 * server refuses root; where that user cannot reach `dir`, the data lie in a folder of /var/tmp that is removed on stop.
 */
export async function startPostgres({ dir, port }: { dir: string; port?: number }): Promise<ServerProcess> {
  const bin = await binaries();
  const user = process.getuid?.() === 0 ? await postgresUser() : undefined;
  const home = await homeFor(dir, user);
  const data = join(home.path, 'data');
  const listen = port ?? (await freePort());
  const password = await initialise(bin, home.path, data, user);
  const url = `postgres://gewu:${password}@127.0.0.1:${listen}/postgres`;
  const settings = [
    `port=${listen}`,
    'listen_addresses=127.0.0.1',
    `unix_socket_directories=${home.path}`,
    'shared_buffers=64MB',
  ];
  const server = await startServer({
    name: 'PostgreSQL',
    command: join(bin, 'postgres'),
    args: ['-D', data, ...settings.flatMap((s) => ['-c', s])],
    logFile: join(dir, 'postgres.log'),
    url,
    port: listen,
    ready: () => answers(url),
    // "Fast" shutdown: ends the sessions, then itself.
    stopSignal: 'SIGINT',
    ...(user ?? {}),
  });
  if (!home.temporary) return server;
  return {
    url,
    port: listen,
    get pid() {
      return server.pid;
    },
    stop: () => server.stop().finally(() => rm(home.path, { recursive: true, force: true })),
    kill: () => server.kill(),
    restart: () => server.restart(),
  };
}

interface User {
  uid: number;
  gid: number;
}

async function binaries(): Promise<string> {
  const versions = await readdir(BINARIES).catch(() => []);
  const newest = versions.sort((a, b) => Number(b) - Number(a))[0];
  if (newest === undefined)
    throw new GewuError('GEWU_MISSING_PROGRAM', 'PostgreSQL is not installed: apt-get install postgresql-15');
  return join(BINARIES, newest, 'bin');
}

async function postgresUser(): Promise<User> {
  const line = (await readFile('/etc/passwd', 'utf8')).split('\n').find((l) => l.startsWith('postgres:'));
  const [, , uid, gid] = line?.split(':') ?? [];
  if (uid === undefined)
    throw new GewuError('GEWU_MISSING_PROGRAM', 'there is no user `postgres`: apt-get install postgresql-15');
  return { uid: Number(uid), gid: Number(gid) };
}

async function homeFor(dir: string, user: User | undefined): Promise<{ path: string; temporary: boolean }> {
  const wanted = join(dir, 'postgres');
  await mkdir(wanted, { recursive: true, mode: 0o700 });
  if (user === undefined) return { path: wanted, temporary: false };
  await chown(wanted, user.uid, user.gid);
  if (await reachable(wanted, user)) return { path: wanted, temporary: false };
  const path = await mkdtemp('/var/tmp/gewu-postgres-');
  await chown(path, user.uid, user.gid);
  return { path, temporary: true };
}

/** May this user pass every folder above? Ours are plain POSIX modes: "others" need the x bit. */
async function reachable(path: string, user: User): Promise<boolean> {
  const parents: string[] = [];
  for (let p = dirname(path); p !== dirname(p); p = dirname(p)) parents.push(p);
  const tests = await Promise.all(
    parents.map((p) =>
      run('test', ['-x', p], user).then(
        () => true,
        () => false,
      ),
    ),
  );
  return tests.every(Boolean);
}

async function initialise(bin: string, home: string, data: string, user: User | undefined): Promise<string> {
  const secret = join(home, 'password');
  if (
    await access(join(data, 'PG_VERSION'), constants.F_OK).then(
      () => true,
      () => false,
    )
  )
    return readFile(secret, 'utf8');
  const password = randomBytes(16).toString('hex');
  await writeFile(secret, password, { mode: 0o600 });
  if (user) await chown(secret, user.uid, user.gid);
  const args = [
    '-D',
    data,
    '-U',
    'gewu',
    '--pwfile',
    secret,
    '--auth=scram-sha-256',
    '-E',
    'UTF8',
    '--locale=C',
    '--no-instructions',
  ];
  await run(join(bin, 'initdb'), args, { ...(user ?? {}), cwd: home });
  return password;
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 1000 });
  // A server that is just coming up may drop the connection after the handshake.
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('select 1');
    return true;
  } finally {
    await client.end().catch(() => undefined);
  }
}
