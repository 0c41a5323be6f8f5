import { silentAfterS } from '#grid/mod.ts';
import type { HealthRecord, HealthState } from '#grid/wire/mod.ts';
import { type Clock, type Log, type Service, VERSION } from '#service/mod.ts';
import type { HealthSink } from '../events.ts';
import type { DeviceRegistry } from '../registry.ts';
import type { Announced } from '../sensors/mod.ts';

/** How often the node says how it is. */
const NODE_REPORT_MS = 10_000;
const SILENCE_CHECK_MS = 30_000;

export interface NodeHealthDeps {
  edge: string;
  registry: DeviceRegistry;
  health: HealthSink;
  /** Counters and gauges of the node, read at each report. */
  values(): Record<string, number>;
  clock: Clock;
  log: Log;
}

interface DeviceState {
  state: HealthState;
  firmware?: string | undefined;
  since: number;
  seenAt: number;
}

/** States of the node and of its sensors, into the health lane: on change, and the node's own every ten seconds. */
export class NodeHealth implements Service {
  readonly #deps: NodeHealthDeps;
  readonly #devices = new Map<string, DeviceState>();
  #startedAt = 0;
  #timers: NodeJS.Timeout[] = [];

  constructor(deps: NodeHealthDeps) {
    this.#deps = deps;
  }

  async start(): Promise<void> {
    this.#startedAt = this.#deps.clock.now();
    this.#reportNode('started');
    this.#timers = [
      setInterval(() => this.#reportNode('running'), NODE_REPORT_MS),
      setInterval(() => this.checkSilence(), SILENCE_CHECK_MS),
    ];
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
  }

  /** A device sent something usable. */
  seen(device: string): void {
    const known = this.#devices.get(device);
    if (known?.state === 'online') known.seenAt = this.#deps.clock.now();
    else this.#tell(device, 'online', 'reporting');
  }

  /**
   * A device signed in. The end of a connection changes nothing: a battery device sleeps between its reports, and
   * silence is what counts.
   */
  connected(name: string): void {
    if (this.#deps.registry.has(name) && this.#devices.get(name)?.state !== 'online') this.#tell(name, 'online', 'connected');
  }

  /** A device said so itself, by its birth or its will. Durable when it resolves. */
  async announced(device: string, { state, firmware }: Announced): Promise<void> {
    const known = this.#devices.get(device);
    const isSame = known?.state === state;
    const isUpdated = firmware !== undefined && firmware !== known?.firmware;
    if (isSame) known.seenAt = this.#deps.clock.now();
    if (isSame && !isUpdated) return;
    await this.#put({ ...this.#change(device, state, 'announced', firmware), ...(isUpdated ? { firmware } : {}) });
  }

  /** Devices that are silent for too long are off line; runs by itself every half minute. */
  checkSilence(): void {
    const now = this.#deps.clock.now();
    for (const [id, { kind }] of this.#deps.registry) {
      const state = this.#devices.get(id);
      const seenAt = state?.seenAt ?? this.#startedAt;
      if (state?.state === 'offline' || now - seenAt < silentAfterS(kind) * 1000) continue;
      this.#tell(id, 'offline', 'silent');
    }
  }

  #tell(device: string, state: HealthState, reason: string): void {
    this.#report(this.#change(device, state, reason));
  }

  /** Since when a state holds is kept where only the firmware is another. */
  #change(id: string, state: HealthState, reason: string, firmware?: string): HealthRecord {
    const now = this.#deps.clock.now();
    const known = this.#devices.get(id);
    const since = known?.state === state ? known.since : now;
    this.#devices.set(id, { state, since, seenAt: now, firmware: firmware ?? known?.firmware });
    return { ts: now, edge: this.#deps.edge, of: 'device', id, state, reason, since };
  }

  #reportNode(reason: string): void {
    const { edge, clock, values } = this.#deps;
    this.#report({
      ts: clock.now(),
      edge,
      of: 'edge',
      id: edge,
      state: 'online',
      reason,
      since: this.#startedAt,
      values: values(),
      firmware: VERSION,
    });
  }

  #report(record: HealthRecord): void {
    this.#put(record).catch((error: Error) => this.#deps.log.warn({ error: error.message }, 'a health record was lost'));
  }

  /** A state that could not be made durable is not held to be told: the next sign of the device tells it again. */
  async #put(record: HealthRecord): Promise<void> {
    try {
      await this.#deps.health.report(record);
    } catch (error) {
      if (record.of === 'device') this.#devices.delete(record.id);
      throw error;
    }
  }
}
