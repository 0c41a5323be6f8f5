import { setTimeout as pause } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { createMetrics, silentLog } from '#service/mod.ts';
import { createBroker, type MqttBroker } from '#service/mqtt/mod.ts';
import { BROKER_LIMITS } from '../../support/limits.ts';

export const SECRET = 'a-device-secret';

interface Heard {
  device: string;
  channel: string;
  /** Samples of one message. */
  objects: Record<string, unknown>[];
}

/** A real broker that takes what devices with the right secret publish, notes it, and can be told not to answer. */
export class ListeningBroker {
  readonly heard: Heard[] = [];
  /** Refuses messages without PUBACK while true: the connection ends. */
  refuses = false;
  /** Asks for no secret: for devices whose secrets the test does not know. */
  readonly open: boolean;
  /** Takes so long for each message. */
  delayMs = 0;
  #broker: MqttBroker | undefined;
  #port = 0;

  constructor({ open = false } = {}) {
    this.open = open;
  }

  get url(): string {
    return `mqtt://127.0.0.1:${this.#port}`;
  }

  async start(): Promise<this> {
    const broker = createBroker({
      listener: { host: '127.0.0.1', port: this.#port },
      limits: BROKER_LIMITS,
      policy: {
        authenticate: (_session, password) => this.open || password.toString() === SECRET,
        publish: async (_session, { topic, payload }) => {
          if (this.delayMs > 0) await pause(this.delayMs);
          if (this.refuses) throw new Error('not now');
          const [, device, channel] = topic.split('/') as [string, string, string];
          const value: unknown = JSON.parse(payload.toString());
          this.heard.push({ device, channel, objects: (Array.isArray(value) ? value : [value]) as Heard['objects'] });
        },
        subscribe: () => false,
      },
      log: silentLog,
      metrics: createMetrics(),
    });
    await broker.start();
    this.#port = broker.port;
    this.#broker = broker;
    return this;
  }

  async stop(): Promise<void> {
    await this.#broker?.stop();
    this.#broker = undefined;
  }

  /** Telemetry of one device, sample by sample, in the order of arrival. */
  samples(device: string): Record<string, unknown>[] {
    return this.heard.filter((h) => h.device === device && h.channel === 'telemetry').flatMap((h) => h.objects);
  }

  seqs(device: string): number[] {
    return this.samples(device).map((o) => o.seq as number);
  }

  states(device: string): unknown[] {
    return this.heard.filter((h) => h.device === device && h.channel === 'status').map((h) => h.objects[0]?.state);
  }
}

export async function listeningBroker(options: { open?: boolean } = {}): Promise<ListeningBroker> {
  const broker = await new ListeningBroker(options).start();
  onTestFinished(() => broker.stop());
  return broker;
}
