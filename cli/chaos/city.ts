import { chmod, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { GewuError } from '#service/mod.ts';
import { FaultProxy, type Targets } from '#simulators/mod.ts';
import { ApiClient } from '#simulators/target/mod.ts';
import { freePort, type ServerProcess, startInfluxdb, startMosquitto, startPostgres } from '../servers/mod.ts';
import { SmallDisk } from './disk.ts';
import { type ChaosFiles, writeChaosFiles } from './files.ts';
import { NodeVictim, ServerVictim, type Victim } from './process.ts';
import type { EdgeSite } from './site.ts';

export interface ChaosCityOptions {
  dir: string;
  sites: readonly EdgeSite[];
  influxdb: boolean;
  postgres: boolean;
  mosquitto: boolean;
  /** Of the centre; more than one needs all three. */
  replicas: number;
  /** Loaded into every edge before our code; see `broken/`. */
  edgeImports: readonly string[];
  /** Ends waiting. */
  signal?: AbortSignal;
  /** Told of processes that ended by themselves. */
  onCrash(name: string, code: number | null): void;
}

interface Edge {
  name: string;
  victim: NodeVictim;
  disk: SmallDisk;
  /** Devices reach it here, through the faulty link. */
  devicePort: number;
  probesUrl: string;
}

const START_MS_MAX = 60_000;

/**
 * Every process that faults are done to, and the links between them, on loopback.
 *
 *   devices --[edge-01/devices]--> edge-01 --[edge-01/uplink]--> broker --> centre --[influxdb]--> InfluxDB
 *                                                                                 \--[postgres]--> PostgreSQL
 */
export class ChaosCity {
  readonly #options: ChaosCityOptions;
  readonly #links = new Map<string, FaultProxy>();
  readonly #servers: ServerProcess[] = [];
  #disks: SmallDisk[] = [];
  readonly victims = new Map<string, Victim>();
  edges: Edge[] = [];
  centres: NodeVictim[] = [];
  #apis: ApiClient[] = [];
  influxdbUrl: string | null = null;
  /** Whether the edges' disks can be filled. */
  smallDisks = false;

  constructor(options: ChaosCityOptions) {
    this.#options = options;
  }

  /** All of them: any replica answers for all. */
  get apis(): readonly ApiClient[] {
    return this.#apis;
  }

  link(name: string): FaultProxy {
    const link = this.#links.get(name);
    if (link === undefined) throw new RangeError(`there is no link ${name}`);
    return link;
  }

  async start(): Promise<void> {
    const { dir, sites } = this.#options;
    await mkdir(join(dir, 'logs'), { recursive: true });
    // PostgreSQL runs as a user of its own and must reach its folder.
    await chmod(dir, 0o711);
    const { influxdb, postgres, mosquitto } = await this.#startServers();
    const disks = sites.map(({ edge }) => new SmallDisk(join(dir, edge)));
    this.#disks = disks;
    this.smallDisks = (await Promise.all(disks.map((disk) => disk.mount()))).every(Boolean);
    const centreBroker = mosquitto === null ? await freePort() : null;
    const edges = await Promise.all(
      sites.map(async ({ edge }) => ({
        broker: await freePort(),
        probes: await freePort(),
        uplink: await this.#addLink(`${edge}/uplink`, mosquitto?.port ?? (centreBroker as number)),
      })),
    );
    const api = await Promise.all(Array.from({ length: this.#options.replicas }, () => freePort()));
    const files = await writeChaosFiles({
      dir,
      sites,
      ports: { api, edges, centreBroker },
      dataDirs: disks.map((d) => d.path),
      replicas: this.#options.replicas,
      externalBrokerUrl: mosquitto?.url,
      influxdbUrl: influxdb === null ? undefined : await this.#linked('influxdb', influxdb),
      postgresUrl: postgres === null ? undefined : await this.#linked('postgres', postgres),
    });
    this.#apis = api.map((port) => new ApiClient(`http://127.0.0.1:${port}`, files.token));
    this.centres = files.centres.map(({ name, file }) => this.#node(name, ['ingest', '--config', file]));
    await this.#addEdges(files, disks, edges);
    await Promise.all([...this.centres, ...this.edges.map((e) => e.victim)].map((victim) => victim.start()));
    await this.untilReady(START_MS_MAX);
  }

  /** Throws GEWU_INTERNAL when a centre or an edge does not become ready, and the signal's reason. */
  async untilReady(msMax: number): Promise<void> {
    const deadline = performance.now() + msMax;
    const waiting = new Set<string>([...this.centres.map((c) => c.name), ...this.edges.map((e) => e.name)]);
    while (waiting.size > 0) {
      for (const [i, { name }] of this.centres.entries()) if (await this.#apis[i]?.ready()) waiting.delete(name);
      for (const { name, probesUrl } of this.edges) if (await ready(`${probesUrl}/readyz`)) waiting.delete(name);
      if (waiting.size === 0) return;
      this.#options.signal?.throwIfAborted();
      if (performance.now() > deadline)
        throw new GewuError(
          'GEWU_INTERNAL',
          `not ready after ${msMax / 1000} s: ${[...waiting].join(', ')}; see ${this.#options.dir}/logs`,
        );
      await pause(100);
    }
  }

  /** What can be hurt, for the schedule. Our own processes are killed more often than what is others' work. */
  targets(): Targets {
    const ours = [...this.edges, ...this.centres].map((v) => v.name);
    const has = (name: string) => (this.victims.has(name) ? [name] : []);
    const stores = [...has('influxdb'), ...has('postgres')];
    const servers = [...stores, ...has('mosquitto')];
    const links = [...this.#links.keys()];
    // Who hears its own echo late is a slow link; a store that answers late is a slow store. Slices show framing mistakes.
    return {
      kill: [...ours, ...ours, ...servers],
      freeze: [...ours, ...servers],
      restart: stores,
      wipe: has('mosquitto'),
      'disk-full': this.smallDisks ? this.edges.map((e) => e.name) : [],
      'clock-step': ours,
      cut: links,
      blackhole: links,
      'drop-response': links,
      delay: links,
      slice: links,
    };
  }

  /** Where a process answers: an edge its devices, a centre the edges, a store the centre. */
  answersOn(): Record<string, string> {
    const stores = ['influxdb', 'postgres'].filter((name) => this.victims.has(name)).map((name) => [name, name]);
    const edges = this.edges.map(({ name }) => [name, `${name}/devices`]);
    // With replicas any of them might have answered.
    const centres = this.centres.map(({ name }, i) => [
      name,
      `${(this.edges[i % this.edges.length] ?? { name: '' }).name}/uplink`,
    ]);
    return Object.fromEntries([...stores, ...edges, ...centres]) as Record<string, string>;
  }

  /** Where an edge's disk gets room: what the centre has, the outbox forgets. */
  relievedOn(): Record<string, string> {
    return Object.fromEntries(this.edges.map(({ name }) => [name, `${name}/uplink`]));
  }

  /** Shifts the clock that a process of ours sees. In one step: it never reads half a number. */
  async setClock(name: string, shiftMs: number): Promise<void> {
    const file = this.#clockFile(name);
    await writeFile(`${file}.new`, String(shiftMs));
    await rename(`${file}.new`, file);
  }

  /** What a broker remembers between its lives. */
  async wipeBroker(): Promise<void> {
    await rm(join(this.#options.dir, 'mosquitto', 'mosquitto.db'), { force: true });
  }

  /** Safe in any state, and twice. */
  async stop(): Promise<void> {
    const ours = [...this.edges.map((e) => e.victim), ...this.centres];
    await Promise.allSettled(ours.map((victim) => victim.stop()));
    for (const victim of this.victims.values()) await victim.thaw().catch(() => undefined);
    await Promise.allSettled(this.#servers.map((server) => server.stop()));
    await Promise.allSettled([...this.#links.values()].map((link) => link.stop()));
    for (const disk of this.#disks) await disk.unmount();
  }

  async #startServers() {
    const { dir, influxdb, postgres, mosquitto } = this.#options;
    const start = async (name: string, wanted: boolean, starting: () => Promise<ServerProcess>) => {
      if (!wanted) return null;
      const server = await starting();
      this.#servers.push(server);
      this.victims.set(name, new ServerVictim(name, server));
      return server;
    };
    const started = {
      influxdb: await start('influxdb', influxdb, () => startInfluxdb({ dir })),
      postgres: await start('postgres', postgres, () => startPostgres({ dir })),
      mosquitto: await start('mosquitto', mosquitto, () => startMosquitto({ dir })),
    };
    this.influxdbUrl = started.influxdb?.url ?? null;
    return started;
  }

  async #addEdges(files: ChaosFiles, disks: readonly SmallDisk[], ports: readonly { broker: number; probes: number }[]) {
    for (const [i, { name, file }] of files.edges.entries()) {
      const { broker, probes } = ports[i] as { broker: number; probes: number };
      this.edges.push({
        name,
        victim: this.#node(name, ['edge', '--config', file], this.#options.edgeImports),
        disk: disks[i] as SmallDisk,
        devicePort: await this.#addLink(`${name}/devices`, broker),
        probesUrl: `http://127.0.0.1:${probes}`,
      });
    }
  }

  #node(name: string, args: readonly string[], imports: readonly string[] = []): NodeVictim {
    const logFile = join(this.#options.dir, 'logs', `${name}.log`);
    const victim = new NodeVictim({ name, args, logFile, imports, env: { GEWU_CLOCK_FILE: this.#clockFile(name) } });
    victim.on('crash', (code) => this.#options.onCrash(name, code));
    this.victims.set(name, victim);
    return victim;
  }

  #clockFile(name: string): string {
    return join(this.#options.dir, `${name}.clock`);
  }

  async #addLink(name: string, targetPort: number): Promise<number> {
    const link = new FaultProxy({ targetPort, seed: this.#links.size + 1 });
    await link.start();
    this.#links.set(name, link);
    return link.port;
  }

  async #linked(name: string, { url, port }: ServerProcess): Promise<string> {
    return url.replace(`:${port}`, `:${await this.#addLink(name, port)}`);
  }
}

function ready(url: string): Promise<boolean> {
  return fetch(url, { signal: AbortSignal.timeout(2_000) }).then(
    (response) => response.ok,
    () => false,
  );
}
