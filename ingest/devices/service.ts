import { EventEmitter } from 'node:events';
import type { HealthRecord } from '#grid/wire/mod.ts';
import { type Clock, GewuError, type Log, type Metrics } from '#service/mod.ts';
import type { Database } from '../database/mod.ts';
import { ACCEPTED, type Verdict } from '../ports.ts';
import { createHealthMetrics } from './metrics.ts';
import type { Registry } from './registry.ts';
import { SilenceBook } from './silence.ts';
import { HealthStore } from './store.ts';
import type {
  CameraStatus,
  DeviceService,
  DeviceStatus,
  EdgeStatus,
  FirmwareCount,
  Health,
  HealthChange,
  HealthConfig,
  HealthKind,
  HealthState,
  HistoryEntry,
  SickThing,
  ThingFilter,
} from './types.ts';

export interface DeviceServiceDependencies {
  config: HealthConfig;
  registry: Registry;
  database: Database;
  clock: Clock;
  log: Log;
  metrics: Metrics;
}

const LIMIT_DEFAULT = 100;
/** Things whose health one query reads. */
const CHUNK = 1000;
const TRIM_EVERY_MS = 10 * 60_000;
const LISTENERS_MAX = 100;
const SILENCE_CHECK_MS = 5_000;
const UNHEARD: Health = { state: 'unknown', reason: 'never-reported', since: null, lastSeenAt: null, values: {}, firmware: null };

/** Builds the device service; the database must be started before it, and stopped after it. */
export function createDeviceService(dependencies: DeviceServiceDependencies): DeviceService {
  return new RegisteredDevices(dependencies);
}

class RegisteredDevices implements DeviceService {
  readonly #deps: DeviceServiceDependencies;
  readonly #store: HealthStore;
  readonly #emitter = new EventEmitter<{ change: [HealthChange] }>();
  readonly #metrics: ReturnType<typeof createHealthMetrics>;
  readonly #silence: SilenceBook;
  #timers: NodeJS.Timeout[] = [];
  #startedAt = 0;

  constructor(dependencies: DeviceServiceDependencies) {
    this.#deps = dependencies;
    this.#store = new HealthStore(dependencies);
    this.#silence = new SilenceBook(dependencies);
    this.#metrics = createHealthMetrics(dependencies.metrics);
    this.#emitter.setMaxListeners(LISTENERS_MAX);
  }

  async start(): Promise<void> {
    const trim = () =>
      this.trim().catch((error: unknown) =>
        this.#deps.log.warn({ err: error }, 'health history could not be trimmed; tried again'),
      );
    this.#startedAt = this.#deps.clock.monotonic();
    const listen = () =>
      this.checkSilence().catch((error: unknown) =>
        this.#deps.log.debug({ err: error }, 'silent edges could not be written down; tried again'),
      );
    this.#timers = [setInterval(() => void trim(), TRIM_EVERY_MS), setInterval(() => void listen(), SILENCE_CHECK_MS)];
    for (const timer of this.#timers) timer.unref();
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    this.#timers = [];
  }

  async accept(records: readonly HealthRecord[]): Promise<Verdict[]> {
    const verdicts = records.map((record) => this.#verdict(record));
    const good = records.filter((_, i) => verdicts[i]?.ok === true);
    for (const change of await this.#store.put(good)) {
      this.#metrics.changed(change);
      this.#emitter.emit('change', change);
    }
    return verdicts;
  }

  async edges(): Promise<EdgeStatus[]> {
    const { edges } = this.#deps.registry;
    const health = await this.#healthOf(
      'edge',
      [...edges.values()].map(({ id }) => ({ id, edge: id })),
    );
    return [...edges.values()].map((e) => ({ ...toEdge(e), ...health(e.id) }));
  }

  async edge(id: string): Promise<EdgeStatus> {
    const edge = found(this.#deps.registry.edges.get(id), 'edge', id);
    const health = await this.#healthOf('edge', [{ id, edge: id }]);
    return { ...toEdge(edge), ...health(id) };
  }

  async device(id: string): Promise<DeviceStatus> {
    const device = found(this.#deps.registry.devices.get(id), 'device', id);
    return { ...device, ...(await this.#healthOf('device', [device]))(id) };
  }

  async camera(id: string): Promise<CameraStatus> {
    const camera = found(this.#deps.registry.cameras.get(id), 'camera', id);
    return { ...camera, ...(await this.#healthOf('camera', [camera]))(id) };
  }

  devices(filter: ThingFilter): Promise<{ items: DeviceStatus[]; cursor: string | null }> {
    const { kind } = filter;
    return this.#page('device', this.#deps.registry.devices.values(), filter, (d) => kind === undefined || d.kind === kind);
  }

  cameras(filter: ThingFilter): Promise<{ items: CameraStatus[]; cursor: string | null }> {
    return this.#page('camera', this.#deps.registry.cameras.values(), filter, () => true);
  }

  async states(): Promise<{ of: HealthKind; id: string; state: HealthState }[]> {
    const { edges, devices, cameras } = this.#deps.registry;
    const [known, silent] = await Promise.all([this.#store.states(), this.#silentEdges([...edges.keys()])]);
    const all = (of: HealthKind, things: Iterable<{ id: string }>, edgeOf: (id: string) => string | undefined) =>
      [...things].map(({ id }) => {
        const edge = edgeOf(id) ?? '';
        const state = known.get(`${edge} ${of} ${id}`) ?? UNHEARD.state;
        return { of, id, state: silent.has(edge) ? silentState(of, state) : state };
      });
    return [
      ...all('edge', edges.values(), (id) => id),
      ...all('device', devices.values(), (id) => devices.get(id)?.edge),
      ...all('camera', cameras.values(), (id) => cameras.get(id)?.edge),
    ];
  }

  async sick(): Promise<SickThing[]> {
    const [rows, silent] = await Promise.all([this.#store.sick(), this.silentEdges()]);
    return rows.filter((row) => this.#isRegistered(row) && !silent.has(row.edge));
  }

  async firmware(): Promise<FirmwareCount[]> {
    const rows = (await this.#store.firmware()).filter((row) => this.#isRegistered(row));
    const cameras = [...this.#deps.registry.cameras.values()].flatMap(({ firmware }) =>
      firmware === null ? [] : [{ of: 'camera' as const, firmware }],
    );
    const counts = Map.groupBy([...rows, ...cameras], ({ of, firmware }) => `${of} ${firmware}`);
    return [...counts.values()]
      .map(([{ of, firmware } = { of: 'device' as const, firmware: '' }, ...others]) => ({
        of,
        firmware,
        count: others.length + 1,
      }))
      .sort((a, b) => b.count - a.count || (a.firmware < b.firmware ? -1 : 1));
  }

  /** An id may have moved from one edge to another, or be no more. */
  #isRegistered({ of, id, edge }: { of: HealthKind; id: string; edge: string }): boolean {
    const { edges, devices, cameras } = this.#deps.registry;
    const known = { edge: edges, device: devices, camera: cameras }[of].get(id);
    return known !== undefined && ('edge' in known ? known.edge : known.id) === edge;
  }

  silentEdges(): Promise<ReadonlyMap<string, number>> {
    return this.#silentEdges([...this.#deps.registry.edges.keys()]);
  }

  silentMs(from: number): Promise<ReadonlyMap<string, number>> {
    return this.#silence.silentMs(from);
  }

  /** Not before it could have heard of all: a centre that was down has heard of nobody. */
  async checkSilence(): Promise<void> {
    const { clock, config } = this.#deps;
    if (clock.monotonic() - this.#startedAt < config.edgeSilentS * 1000) return;
    for (const change of await this.#silence.note(await this.silentEdges())) {
      this.#metrics.changed(change);
      this.#emitter.emit('change', change);
    }
  }

  async history(
    of: HealthKind,
    id: string,
    { since = 0, limit = LIMIT_DEFAULT }: { since?: number | undefined; limit?: number | undefined },
  ): Promise<HistoryEntry[]> {
    const { edges, devices, cameras } = this.#deps.registry;
    const edge = of === 'edge' ? edges.get(id)?.id : { device: devices, camera: cameras }[of].get(id)?.edge;
    return this.#store.history({ edge: found(edge, of, id), of, id }, since, limit);
  }

  trim(): Promise<number> {
    return this.#store.trim();
  }

  on(_event: 'change', listener: (change: HealthChange) => void): () => void {
    this.#emitter.on('change', listener);
    return () => this.#emitter.off('change', listener);
  }

  /** What is not registered has no place and no owner: it is refused, and so becomes a dead letter. */
  #verdict(record: HealthRecord): Verdict {
    const { edge, id } = record;
    const { edges, devices, cameras } = this.#deps.registry;
    const refuse = (code: 'GEWU_HEALTH_INVALID' | 'GEWU_DEVICE_UNKNOWN', reason: string): Verdict => ({
      ok: false,
      code,
      reason,
    });
    switch (record.of) {
      case 'edge':
        if (id !== edge) return refuse('GEWU_HEALTH_INVALID', `${edge} speaks for edge ${id}`);
        return edges.has(id) ? ACCEPTED : refuse('GEWU_DEVICE_UNKNOWN', `edge ${id} is not registered`);
      case 'device':
        return devices.get(id)?.edge === edge ? ACCEPTED : refuse('GEWU_DEVICE_UNKNOWN', `${edge} has no device ${id}`);
      case 'camera':
        return cameras.get(id)?.edge === edge ? ACCEPTED : refuse('GEWU_DEVICE_UNKNOWN', `${edge} has no camera ${id}`);
    }
  }

  async #page<T extends { id: string; edge: string; cell: string | null; component: string | null }>(
    of: HealthKind,
    all: Iterable<T>,
    { edge, cell, state, firmware, q, ids, limit = LIMIT_DEFAULT, cursor = '' }: ThingFilter,
    wanted: (thing: T) => boolean,
  ): Promise<{ items: (T & Health)[]; cursor: string | null }> {
    const candidates = [...all].filter(
      (t) =>
        t.id > cursor &&
        (ids === undefined || ids.has(t.id)) &&
        (edge === undefined || t.edge === edge) &&
        (cell === undefined || t.cell === cell) &&
        (q === undefined || t.id.toLowerCase().includes(q.toLowerCase()) || t.component?.startsWith(q)) &&
        wanted(t),
    );
    const items: (T & Health)[] = [];
    const isWanted = (t: Health) =>
      (state === undefined || t.state === state) && (firmware === undefined || t.firmware === firmware);
    // With nothing of its health to look for, one query reads exactly the page.
    const chunk = state === undefined && firmware === undefined ? limit + 1 : CHUNK;
    for (let i = 0; i < candidates.length && items.length <= limit; i += chunk) {
      const part = candidates.slice(i, i + chunk);
      const health = await this.#healthOf(of, part);
      items.push(...part.map((t) => ({ ...t, ...health(t.id) })).filter(isWanted));
    }
    const page = items.slice(0, limit);
    return { items: page, cursor: items.length > limit ? (page.at(-1)?.id ?? null) : null };
  }

  /** `firmware`: of a thing that cannot say it itself. */
  async #healthOf(
    of: HealthKind,
    things: readonly { id: string; edge: string; firmware?: string | null }[],
  ): Promise<(id: string) => Health> {
    const registered = new Map(things.map((thing) => [thing.id, thing]));
    const edges = [...new Set(things.map((t) => t.edge))];
    const [known, silent] = await Promise.all([this.#store.read(of, things), this.#silentEdges(edges)]);
    return (id) => {
      const { edge = '', firmware = null } = registered.get(id) ?? {};
      const said = known.get(id) ?? UNHEARD;
      const health = { ...said, firmware: said.firmware ?? firmware };
      const since = silent.get(edge);
      const state = since === undefined ? health.state : silentState(of, health.state);
      if (since === undefined || state === health.state) return health;
      return { ...health, state, reason: of === 'edge' ? 'silent' : 'edge-silent', since };
    };
  }

  /** Edges that have reported and no longer do, with the time of their last report. */
  async #silentEdges(ids: readonly string[]): Promise<Map<string, number>> {
    const before = this.#deps.clock.now() - this.#deps.config.edgeSilentS * 1000;
    const edges = await this.#store.read(
      'edge',
      ids.map((id) => ({ id, edge: id })),
    );
    return new Map(
      [...edges].flatMap(([id, { lastSeenAt }]) => (lastSeenAt !== null && lastSeenAt < before ? [[id, lastSeenAt]] : [])),
    );
  }
}

/** Of a silent edge: itself is off line, what hangs on it may be anything unless it was known to be off line. */
function silentState(of: HealthKind, state: HealthState): HealthState {
  if (of === 'edge') return 'offline';
  return state === 'offline' ? state : 'unknown';
}

function toEdge({ id, cells, devices, cameras }: { id: string; cells: readonly unknown[]; devices: number; cameras: number }) {
  return { id, cells: cells.length, devices, cameras };
}

function found<T>(thing: T | undefined, of: HealthKind, id: string): T {
  if (thing === undefined) throw new GewuError('GEWU_NOT_FOUND', `there is no ${of} ${id}`);
  return thing;
}
