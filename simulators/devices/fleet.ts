import { deviceKind } from '#grid/mod.ts';
import { type Clock, GewuError, type Log, type Service } from '#service/mod.ts';
import type { ClientTls } from '#service/mqtt/mod.ts';
import { hash } from '../cameras/street/mod.ts';
import { type DeviceStats, SimulatedDevice, type Told } from './device.ts';
import type { Fields } from './sampler.ts';

/** A device of the fleet, and the broker it reports to. */
export interface FleetDevice {
  id: string;
  /** One of DEVICE_KINDS. */
  kind: string;
  secret: string;
  url: string;
  tls?: ClientTls;
}

export interface FleetConfig {
  devices: readonly FleetDevice[];
  seed: number;
  /** 1000 in the demo. */
  intervalMs: number;
  /** Samples that each device keeps while nobody acknowledges; an hour of them where not given. */
  historyMax?: number;
  batchMax?: number;
  /** Hour of the day that it always is for them: lamps that burn can go out. The clock's where not given. */
  hour?: number;
  /** China has one. */
  utcOffsetH?: number;
}

export interface FleetDeps {
  config: FleetConfig;
  clock: Clock;
  log: Log;
}

/** What a device is to say wrongly, times in ms from the script's beginning. */
export interface StagedFault {
  id: string;
  device: string;
  fields: Readonly<Fields>;
  fromMs: number;
  toMs: number;
}

export interface FleetStats extends DeviceStats {
  devices: number;
  connected: number;
}

const HISTORY_MAX = 3600;
const BATCH_MAX = 20;
const UTC_OFFSET_H = 8;
/** Connecting at once would be a storm: they come spread over so long. */
const CONNECT_SPREAD_MS = 1_000;
const STARTED_AT_ONCE = 64;

/** Simulated devices that belong together: started, staged and counted as one. */
export class DeviceFleet implements Service {
  readonly #deps: FleetDeps;
  readonly #devices = new Map<string, SimulatedDevice>();
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor(deps: FleetDeps) {
    this.#deps = deps;
  }

  /** Resolves when all are sampling; they connect on their own. Throws GEWU_DEVICE_UNKNOWN on a kind that does not exist. */
  async start(): Promise<void> {
    const { config } = this.#deps;
    for (const device of config.devices) this.#devices.set(device.id, this.#create(device));
    const all = [...this.#devices.values()];
    for (let first = 0; first < all.length; first += STARTED_AT_ONCE) {
      if (first > 0) await this.#pause((CONNECT_SPREAD_MS * STARTED_AT_ONCE) / all.length);
      await Promise.all(all.slice(first, first + STARTED_AT_ONCE).map((d) => d.start()));
    }
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    await Promise.all([...this.#devices.values()].map((d) => d.stop()));
  }

  /** No more samples; waits until all are acknowledged or the time is over. True when all are. */
  async quiesce(msMax: number): Promise<boolean> {
    return (await Promise.all([...this.#devices.values()].map((d) => d.quiesce(msMax)))).every(Boolean);
  }

  /** Makes a fault happen at its time; the script began at `startsAt`, UTC ms. What is over already is left out. */
  play({ id, device, fields, fromMs, toMs }: StagedFault, startsAt: number): void {
    const now = this.#deps.clock.now();
    if (startsAt + toMs <= now) return;
    this.#at(startsAt + fromMs - now, () => this.device(device).stage(id, fields));
    this.#at(startsAt + toMs - now, () => this.device(device).recover(id));
  }

  /** Throws GEWU_DEVICE_UNKNOWN. */
  device(id: string): SimulatedDevice {
    const device = this.#devices.get(id);
    if (device === undefined) throw new GewuError('GEWU_DEVICE_UNKNOWN', `the fleet has no device ${id}`);
    return device;
  }

  get devices(): ReadonlyMap<string, SimulatedDevice> {
    return this.#devices;
  }

  /** By incident: when it was told for the first and for the last time. */
  get told(): ReadonlyMap<string, Told> {
    return new Map([...this.#devices.values()].flatMap((d) => [...d.told]));
  }

  get stats(): FleetStats {
    const total: FleetStats = { devices: this.#devices.size, connected: 0, ...NO_STATS };
    for (const device of this.#devices.values()) {
      if (device.connected) total.connected++;
      const own = device.stats;
      for (const name of COUNTED) total[name] += own[name];
    }
    return total;
  }

  #create({ id, kind, secret, url, tls }: FleetDevice): SimulatedDevice {
    const { config, clock, log } = this.#deps;
    const known = deviceKind(kind);
    if (known === undefined) throw new GewuError('GEWU_DEVICE_UNKNOWN', `${id}: there is no kind ${kind}`);
    const { intervalMs, historyMax = HISTORY_MAX, batchMax = BATCH_MAX, utcOffsetH = UTC_OFFSET_H, hour } = config;
    const own = { device: id, secret, url, kind: known, seed: hash(config.seed, ...Buffer.from(id)) };
    const optional = { ...(tls === undefined ? {} : { tls }), ...(hour === undefined ? {} : { hour }) };
    const all = { ...own, intervalMs, historyMax, batchMax, utcOffsetH, ...optional };
    return new SimulatedDevice({ config: all, clock, log });
  }

  #at(ms: number, run: () => void): void {
    const timer = setTimeout(
      () => {
        this.#timers.delete(timer);
        run();
      },
      Math.max(0, ms),
    );
    this.#timers.add(timer);
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.#at(ms, resolve));
  }
}

const NO_STATS: DeviceStats = {
  produced: 0,
  sent: 0,
  acked: 0,
  failed: 0,
  dropped: 0,
  pending: 0,
  skipped: 0,
  connects: 0,
  refused: 0,
};
const COUNTED = Object.keys(NO_STATS) as (keyof DeviceStats)[];
