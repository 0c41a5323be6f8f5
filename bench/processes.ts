import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GewuError } from '#service/mod.ts';

const STOP_MS_MAX = 6_000;
const MAIN = join(import.meta.dirname, '../cli/main.ts');
/** Clock ticks a second, in which the kernel counts CPU time. */
const TICKS_PER_S = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

export interface PinnedOptions {
  /** A module of ours and its arguments; without one it is `gewu` itself. */
  module?: string;
  args: readonly string[];
  /** The one core that it may use; any when left out. */
  core?: number;
  logFile: string;
}

/** A process of ours, its output in a file, pinned to a core if asked. */
export class Pinned {
  readonly #options: PinnedOptions;
  #process: ChildProcess | undefined;

  constructor(options: PinnedOptions) {
    this.#options = options;
  }

  get pid(): number {
    return this.#process?.pid ?? -1;
  }

  async start(): Promise<void> {
    const { module = MAIN, args, core, logFile } = this.#options;
    const log = await open(logFile, 'a');
    const command = [process.execPath, '--disable-warning=ExperimentalWarning', module, ...args];
    const [program = '', ...rest] = core === undefined ? command : ['taskset', '-c', String(core), ...command];
    // The channel carries what they say to each other, and its loss ends the child.
    const child = spawn(program, rest, { stdio: ['ignore', log.fd, log.fd, 'ipc'] });
    await once(child, 'spawn');
    await log.close();
    this.#process = child;
  }

  send(message: object): void {
    this.#process?.send(message);
  }

  /** The next message. Throws GEWU_INTERNAL when the process ends instead. */
  async message<T>(): Promise<T> {
    const child = this.#process as ChildProcess;
    const asked = new AbortController();
    const { signal } = asked;
    const ended = once(child, 'exit', { signal }).then(() => {
      throw new GewuError('GEWU_INTERNAL', `a process of the bench has ended; see ${this.#options.logFile}`);
    });
    ended.catch(() => undefined);
    try {
      const [message] = (await Promise.race([once(child, 'message', { signal }), ended])) as [T];
      return message;
    } finally {
      asked.abort();
    }
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const child = this.#process;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS_MAX);
    await gone;
    clearTimeout(late);
  }

  /** User and system time of all its threads so far, µs. */
  async cpuUs(): Promise<number> {
    return cpuUs(this.pid);
  }

  /** Memory that it holds now, and at most so far, MiB. */
  async memoryMb(): Promise<{ rss: number; peak: number }> {
    const status = await readFile(`/proc/${this.pid}/status`, 'utf8');
    const kib = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1]);
    return { rss: Math.round(kib('VmRSS') / 1024), peak: Math.round(kib('VmHWM') / 1024) };
  }
}

/** MiB of memory that a process holds now; 0 when it has gone. */
export async function rssMb(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1024;
}

/** Source: proc(5), /proc/[pid]/stat, fields 14 and 15. */
export async function cpuUs(pid: number): Promise<number> {
  return ticksUs((await statOf(pid)) ?? [], [14, 15]);
}

/** Of a process, its children that run, and those that have ended: fields 16 and 17. */
export async function familyCpuUs(pid: number): Promise<number> {
  const all = await Promise.all([pid, ...(await childrenOf(pid))].map((one) => statOf(one)));
  return all.reduce((sum, fields) => sum + ticksUs(fields ?? [], [14, 15, 16, 17]), 0);
}

export async function childrenOf(pid: number): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const parents = await Promise.all(pids.map(async (one) => Number((await statOf(one))?.[PPID])));
  return pids.filter((_, i) => parents[i] === pid);
}

const PPID = 4;

/** Fields of /proc/[pid]/stat by their number in proc(5), from the third on; null when the process has gone. */
async function statOf(pid: number): Promise<string[] | null> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  return stat === null ? null : ['', '', '', ...stat.slice(stat.lastIndexOf(')') + 2).split(' ')];
}

function ticksUs(fields: readonly string[], numbers: readonly number[]): number {
  return (numbers.reduce((sum, n) => sum + Number(fields[n] ?? 0), 0) * 1_000_000) / TICKS_PER_S;
}
