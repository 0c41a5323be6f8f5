import { type ChildProcess, spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { open } from 'node:fs/promises';
import { join } from 'node:path';

const MAIN = join(import.meta.dirname, '../main.ts');
const STOP_MS_MAX = 4_000;

interface ChildEvents {
  message: [unknown];
  exit: [code: number | null];
}

/** One of our own commands as a process of its own, its output in a log file. */
export class Child extends EventEmitter<ChildEvents> {
  readonly name: string;
  readonly #args: readonly string[];
  readonly #logFile: string;
  #process: ChildProcess | undefined;

  constructor({ name, args, logFile }: { name: string; args: readonly string[]; logFile: string }) {
    super();
    this.name = name;
    this.#args = args;
    this.#logFile = logFile;
  }

  get logFile(): string {
    return this.#logFile;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  async start(): Promise<void> {
    const log = await open(this.#logFile, 'a');
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', MAIN, ...this.#args], {
      // The channel carries results, and its loss tells the child that we are gone.
      stdio: ['ignore', log.fd, log.fd, 'ipc'],
      // Its own group: Ctrl-C reaches only us, and we end the children in order.
      detached: true,
    });
    const spawned = once(child, 'spawn');
    child.on('message', (message) => this.emit('message', message));
    child.on('exit', (code) => this.emit('exit', code));
    this.#process = child;
    await spawned;
    await log.close();
  }

  send(message: string | object): void {
    this.#process?.send(message);
  }

  /** SIGTERM, and SIGKILL when that takes too long. */
  async stop(): Promise<void> {
    await this.#end('SIGTERM');
  }

  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS_MAX);
    await gone;
    clearTimeout(late);
  }
}
