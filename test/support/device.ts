import { connect, type MqttClient } from 'mqtt';
import { secretOf } from './edge.ts';

/** A device that counts: it sends seq 1, 2, 3, ... and keeps each until its PUBACK, over any number of connections. */
export class CountingDevice {
  readonly id: string;
  readonly acked = new Set<number>();
  readonly #port: number;
  readonly #everyMs: number;
  readonly #fields: () => object;
  readonly #unacked = new Map<number, string>();
  #client: MqttClient | undefined;
  #timer: NodeJS.Timeout | undefined;
  #seq = 0;

  constructor({
    id,
    port,
    everyMs,
    fields = () => ({ tilt_deg: 1 }),
  }: { id: string; port: number; everyMs: number; fields?: () => object }) {
    this.id = id;
    this.#port = port;
    this.#everyMs = everyMs;
    this.#fields = fields;
  }

  get sent(): number {
    return this.#seq;
  }

  start(): void {
    const client = connect(`mqtt://127.0.0.1:${this.#port}`, {
      protocolVersion: 4,
      clientId: this.id,
      username: this.id,
      password: secretOf(this.id),
      reconnectPeriod: 100,
      // What was not acknowledged we send again ourselves.
      queueQoSZero: false,
    });
    client.on('error', () => undefined);
    client.on('connect', () => {
      for (const seq of this.#unacked.keys()) this.#send(seq);
    });
    this.#client = client;
    this.#timer = setInterval(() => {
      const seq = ++this.#seq;
      this.#unacked.set(seq, JSON.stringify({ ...this.#fields(), seq, ts: Date.now() }));
      this.#send(seq);
    }, this.#everyMs);
  }

  /** Makes no more samples; those without PUBACK go on being sent. */
  pause(): void {
    clearInterval(this.#timer);
  }

  async stop(): Promise<void> {
    this.pause();
    await this.#client?.endAsync(true);
  }

  #send(seq: number): void {
    const payload = this.#unacked.get(seq);
    if (payload === undefined || !this.#client?.connected) return;
    this.#client.publish(`devices/${this.id}/telemetry`, payload, { qos: 1 }, (error) => {
      if (error) return;
      this.acked.add(seq);
      this.#unacked.delete(seq);
    });
  }
}
