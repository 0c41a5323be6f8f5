import { mkdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { GewuError, type Service, setShare } from '#service/mod.ts';
import type { ApiClient } from '#simulators/target/mod.ts';
import { Child } from '../demo/child.ts';
import type { Installation } from './write.ts';

const START_MS_MAX = 180_000;
const PROBE_MS = 50;
/** All edges wait for the centre: on a full machine it gets three times what one of them does. */
const CENTRE_NICE = -5;

export interface RunningDeps {
  installation: Installation;
  /** Of the centre. */
  api: ApiClient;
  logsDir: string;
}

/** A centre and its edges, each a process of its own, started as a user would start it. */
export class RunningInstallation implements Service {
  readonly #deps: RunningDeps;
  readonly #children: Child[] = [];
  #fallen: string | null = null;
  #stopping = false;

  constructor(deps: RunningDeps) {
    this.#deps = deps;
  }

  /** The part that ended by itself, or null. */
  get fallen(): string | null {
    return this.#fallen;
  }

  /** By name: the centre first. */
  get processes(): readonly { name: string; pid: number }[] {
    return this.#children.flatMap(({ name, pid }) => (pid === undefined ? [] : [{ name, pid }]));
  }

  /** Resolves when the centre is ready and every edge listens. Throws GEWU_INTERNAL when one ends, or none comes in three minutes. */
  async start(): Promise<void> {
    const { installation, api, logsDir } = this.#deps;
    await mkdir(logsDir, { recursive: true });
    const centre = this.#child('centre', ['ingest', '--config', installation.ingestFile]);
    await centre.start();
    if (centre.pid !== undefined) setShare(centre.pid, CENTRE_NICE);
    await this.#until('the centre', () => api.ready());
    for (const { id, file, brokerPort } of installation.edges) {
      await this.#child(id, ['edge', '--config', file]).start();
      // One after the other: their beginnings are the heaviest that they ever do.
      await this.#until(id, () => listens(brokerPort));
    }
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    const [centre, ...edges] = this.#children;
    await Promise.all(edges.map((child) => child.stop()));
    await centre?.stop();
  }

  #child(name: string, args: readonly string[]): Child {
    const child = new Child({ name, args, logFile: join(this.#deps.logsDir, `${name}.log`) });
    child.on('exit', (code) => {
      if (!this.#stopping) this.#fallen ??= `${name} ended with ${code}; see ${child.logFile}`;
    });
    this.#children.push(child);
    return child;
  }

  async #until(what: string, done: () => Promise<boolean>): Promise<void> {
    const deadline = performance.now() + START_MS_MAX;
    while (!(await done())) {
      if (this.#fallen !== null) throw new GewuError('GEWU_INTERNAL', this.#fallen);
      if (performance.now() > deadline)
        throw new GewuError('GEWU_INTERNAL', `${what}: not there after ${START_MS_MAX / 1000} s; see ${this.#deps.logsDir}`);
      await pause(PROBE_MS);
    }
  }
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
