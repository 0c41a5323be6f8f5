import { createCellIndex, type Site, type SiteDevice } from '#grid/mod.ts';
import type { Lane } from '#grid/wire/mod.ts';
import { createMetrics, type Service, silentLog, systemClock } from '#service/mod.ts';
import type { BrokerPolicy, MqttSession } from '#service/mqtt/mod.ts';
import { Accounts } from '../../edge/accounts.ts';
import { createDevicePolicy } from '../../edge/broker/mod.ts';
import { Mappings } from '../../edge/mapping/mod.ts';
import type { Outbox } from '../../edge/outbox/mod.ts';
import { createRegistry } from '../../edge/registry.ts';
import { RuleEngine } from '../../edge/rules/mod.ts';
import { SensorIntake } from '../../edge/sensors/mod.ts';
import { coverDevice, edgeConfig } from '../support/edge.ts';

export const EDGE = 'edge-01';
export const DEVICES = ['mc-1', 'sl-1', 'fh-1'] as const;

/** What one message of a device left behind. */
export interface Taken {
  readings: string[];
  health: string[];
  /** States announced. */
  announced: number;
}

/** Keeps what is appended; commits at once. */
class MemoryOutbox {
  readonly lanes: Record<Lane, string[]> = { events: [], health: [], readings: [] };
  async append(lane: Lane, bodies: readonly Uint8Array[]): Promise<void> {
    for (const body of bodies) this.lanes[lane].push(Buffer.from(body).toString('utf8'));
  }
  async state(): Promise<Map<string, string>> {
    return new Map();
  }
}

/** The edge's door without sockets and disk: topic and bytes in as the broker hands them over, records out as the outbox gets them. */
export class EdgeBench implements Service {
  readonly outbox = new MemoryOutbox();
  readonly #policy: BrokerPolicy;
  readonly #rules: RuleEngine;
  #announced = 0;

  constructor() {
    const site = siteOf();
    const registry = createRegistry(site, createCellIndex(site.cells), 'demo');
    // Only these two methods are used, and the class cannot be made without a file.
    const outbox = this.outbox as unknown as Outbox;
    const common = { edge: EDGE, registry, outbox, clock: systemClock };
    this.#rules = new RuleEngine({ ...common, log: silentLog });
    const metrics = createMetrics();
    const sensors = new SensorIntake({
      ...common,
      rules: this.#rules,
      seen: () => undefined,
      announced: async () => {
        this.#announced++;
      },
      report: {},
      metrics,
    });
    this.#policy = createDevicePolicy({
      accounts: new Accounts(registry, []),
      mappings: new Mappings({ mappers: [], sensors, clock: systemClock, metrics }),
      sensors,
      connected: () => undefined,
    });
  }

  start(): Promise<void> {
    return this.#rules.start();
  }

  stop(): Promise<void> {
    return this.#rules.stop();
  }

  /** Null: the broker would end the connection, without PUBACK. */
  async publish(session: MqttSession, topic: string, payload: Buffer): Promise<Taken | null> {
    const { lanes } = this.outbox;
    for (const lane of Object.values(lanes)) lane.length = 0;
    this.#announced = 0;
    try {
      await this.#policy.publish(session, { topic, payload, qos: 1 });
    } catch {
      return null;
    }
    return { readings: [...lanes.readings], health: [...lanes.health], announced: this.#announced };
  }
}

function siteOf(): Site {
  const like = (id: string, kind: string, serial: number): SiteDevice => ({ ...coverDevice(id, serial), kind });
  const devices = [coverDevice('mc-1'), like('sl-1', 'streetlight', 2), like('fh-1', 'fire_hydrant', 3)];
  return edgeConfig({ dataDir: '/nowhere', centreUrl: 'mqtt://127.0.0.1:9', devices }).site;
}
