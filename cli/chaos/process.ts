import { type ChildProcess, spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { open, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { isGewuError } from '#service/mod.ts';
import type { ServerProcess } from '../servers/mod.ts';

/** A process that faults are done to. Everything is safe to call in any state. */
export interface Victim {
  readonly name: string;
  /** SIGKILL, of the whole family. */
  kill(): Promise<void>;
  /** In order, as an operator would; SIGKILL when that takes too long. */
  stop(): Promise<void>;
  start(): Promise<void>;
  freeze(): Promise<void>;
  thaw(): Promise<void>;
}

const MAIN = join(import.meta.dirname, '../main.ts');
const STOP_MS_MAX = 6_000;
/** A process that ended by itself is started again after this, as a supervisor does. */
const RESPAWN_MS = 500;

export interface NodeVictimOptions {
  name: string;
  args: readonly string[];
  logFile: string;
  env?: Readonly<Record<string, string>>;
  /** Modules that are loaded before ours (`node --import`). */
  imports?: readonly string[];
}

interface NodeVictimEvents {
  /** It ended, and nobody had asked for it. */
  crash: [code: number | null];
}

/** One of our own commands, started as a user starts it. */
export class NodeVictim extends EventEmitter<NodeVictimEvents> implements Victim {
  readonly #options: NodeVictimOptions;
  #child: ChildProcess | undefined;
  /** Whether it should run. */
  #wanted = false;

  constructor(options: NodeVictimOptions) {
    super();
    this.#options = options;
  }

  get name(): string {
    return this.#options.name;
  }

  get running(): boolean {
    const child = this.#child;
    return child?.pid !== undefined && child.exitCode === null && child.signalCode === null;
  }

  async start(): Promise<void> {
    this.#wanted = true;
    if (this.running) return;
    const { args, logFile, env = {}, imports = [] } = this.#options;
    const log = await open(logFile, 'a');
    const flags = ['--disable-warning=ExperimentalWarning', ...imports.flatMap((module) => ['--import', module])];
    const child = spawn(process.execPath, [...flags, MAIN, ...args], {
      // Our end of the channel closes with us, and then it stops by itself.
      stdio: ['ignore', log.fd, log.fd, 'ipc'],
      // Its own group: Ctrl-C reaches only us, and we end everything in order.
      detached: true,
      env: { ...process.env, ...env },
    });
    this.#child = child;
    child.once('exit', (code) => this.#exited(child, code));
    await once(child, 'spawn').finally(() => log.close());
  }

  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  async stop(): Promise<void> {
    await this.#end('SIGTERM');
  }

  async freeze(): Promise<void> {
    if (this.running) this.#child?.kill('SIGSTOP');
  }

  async thaw(): Promise<void> {
    if (this.running) this.#child?.kill('SIGCONT');
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    this.#wanted = false;
    const child = this.#child;
    if (!this.running || !child) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    // A frozen one hears SIGTERM only when it wakes up.
    child.kill('SIGCONT');
    const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS_MAX);
    await gone;
    clearTimeout(late);
  }

  #exited(child: ChildProcess, code: number | null): void {
    if (!this.#wanted || child !== this.#child) return;
    this.emit('crash', code);
    setTimeout(() => {
      if (this.#wanted) void this.start();
    }, RESPAWN_MS);
  }
}

const RESTART_MS_MAX = 60_000;

/** A server program. PostgreSQL is many processes: a signal goes to all of them. */
export class ServerVictim implements Victim {
  readonly name: string;
  readonly #server: ServerProcess;

  constructor(name: string, server: ServerProcess) {
    this.name = name;
    this.#server = server;
  }

  async kill(): Promise<void> {
    await this.#signal('SIGKILL');
    await this.#server.kill();
  }

  async stop(): Promise<void> {
    await this.#signal('SIGCONT');
    await this.#server.stop();
  }

  /** What it left behind may keep it from starting for a moment (a lock, a shared memory segment): tried until it runs. */
  async start(): Promise<void> {
    const deadline = performance.now() + RESTART_MS_MAX;
    for (;;) {
      try {
        return await this.#server.restart();
      } catch (error) {
        if (!isGewuError(error, 'GEWU_STORE_UNAVAILABLE') || performance.now() > deadline) throw error;
        await pause(RESPAWN_MS);
      }
    }
  }

  async freeze(): Promise<void> {
    await this.#signal('SIGSTOP');
  }

  async thaw(): Promise<void> {
    await this.#signal('SIGCONT');
  }

  async #signal(signal: NodeJS.Signals): Promise<void> {
    const { pid } = this.#server;
    for (const one of [pid, ...(await childrenOf(pid))])
      try {
        if (one > 0) process.kill(one, signal);
      } catch {
        // It has ended meanwhile.
      }
  }
}

/** Direct children: the fourth field of proc(5)'s /proc/[pid]/stat is the parent. */
async function childrenOf(parent: number): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const parents = await Promise.all(
    pids.map(async (pid) => {
      const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
      return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
    }),
  );
  return pids.filter((_, i) => parents[i] === parent);
}
