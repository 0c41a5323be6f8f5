import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { GewuError } from '#service/mod.ts';

/** A server program that we started, and only we end. */
export interface ServerProcess {
  /** How clients reach it. */
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** Asks it to end, then insists. */
  stop(): Promise<void>;
  /** SIGKILL, at once. */
  kill(): Promise<void>;
  /** Starts it again on the same port and data. */
  restart(): Promise<void>;
}

export interface ServerSpec {
  name: string;
  command: string;
  args: readonly string[];
  /** Its output goes there. */
  logFile: string;
  url: string;
  port: number;
  /** Answers whether it serves; an error means "not yet". */
  ready(): Promise<boolean>;
  /** Runs as this user, where the program refuses to be root. */
  uid?: number;
  gid?: number;
  stopSignal?: NodeJS.Signals;
}

const READY_MS_MAX = 30_000;
const STOP_MS_MAX = 10_000;

/** Of those that run: whoever goes without having stopped them leaves none behind. */
const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** A loopback port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

/** Throws GEWU_PORT_IN_USE when somebody listens on this loopback port. */
export async function mustBeFree(port: number): Promise<void> {
  const server = createServer().listen(port, '127.0.0.1');
  await once(server, 'listening').catch((cause: Error) => {
    throw new GewuError('GEWU_PORT_IN_USE', `127.0.0.1:${port}: ${cause.message}`, { cause });
  });
  server.close();
  await once(server, 'close');
}

export async function startServer(spec: ServerSpec): Promise<ServerProcess> {
  let child = await launch(spec);
  return {
    url: spec.url,
    port: spec.port,
    get pid() {
      return child.pid ?? -1;
    },
    stop: () => end(child, spec.stopSignal ?? 'SIGTERM'),
    kill: () => end(child, 'SIGKILL'),
    async restart() {
      await end(child, spec.stopSignal ?? 'SIGTERM');
      child = await launch(spec);
    },
  };
}

async function launch(spec: ServerSpec): Promise<ChildProcess> {
  const log = await open(spec.logFile, 'a');
  const identity = spec.uid === undefined ? {} : { uid: spec.uid, gid: spec.gid ?? spec.uid };
  const child = spawn(spec.command, spec.args, { stdio: ['ignore', log.fd, log.fd], ...identity });
  const failed = new Promise<never>((_, reject) =>
    child.once('error', (cause) =>
      reject(new GewuError('GEWU_MISSING_PROGRAM', `${spec.name}: ${spec.command} does not start: ${cause.message}`, { cause })),
    ),
  );
  failed.catch(() => undefined);
  running.add(child);
  child.once('exit', () => running.delete(child));
  await Promise.race([untilReady(spec, child), failed]).finally(() => log.close());
  return child;
}

async function untilReady(spec: ServerSpec, child: ChildProcess): Promise<void> {
  const deadline = performance.now() + READY_MS_MAX;
  while (performance.now() < deadline) {
    if (child.exitCode !== null) break;
    if (await spec.ready().catch(() => false)) return;
    await pause(50);
  }
  await end(child, 'SIGKILL');
  throw new GewuError('GEWU_STORE_UNAVAILABLE', `${spec.name} did not come up; see ${spec.logFile}`);
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill(signal);
  const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS_MAX);
  await gone;
  clearTimeout(late);
}
