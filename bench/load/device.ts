import { LoadConnection } from '#simulators/load/connection.ts';

export interface DeviceLoad {
  port: number;
  id: string;
  password: string;
  /** Messages without PUBACK at a time, 1 to 1000. */
  window: number;
  /** Messages a second; as many as the window lets through when left out. */
  ratePerS?: number;
  /** Number of the first sample. */
  firstSeq?: number;
  /** Fields of a sample; `ts` and `seq` are added. */
  fields(seq: number): Record<string, number | boolean>;
}

const PING_MS = 20_000;
const TICK_MS = 10;

/** One device that publishes QoS 1 as fast as it is acknowledged, or at a rate, on a bare socket. */
export class LoadDevice {
  readonly #load: DeviceLoad;
  readonly #topic: string;
  #connection: LoadConnection | undefined;
  #timer: NodeJS.Timeout | undefined;
  #ping: NodeJS.Timeout | undefined;
  #running = false;
  #startedAt = 0;
  #sent = 0;
  acked = 0;

  constructor(load: DeviceLoad) {
    this.#load = load;
    this.#topic = `devices/${load.id}/telemetry`;
  }

  get pending(): number {
    return this.#sent - this.acked;
  }

  async connect(): Promise<void> {
    const { port, id, password } = this.#load;
    await new Promise<void>((resolve, reject) => {
      const connection = new LoadConnection(
        { host: '127.0.0.1', port },
        { id, password },
        {
          up: resolve,
          down: () => reject(new Error(`${id}: the broker closed the connection`)),
          acked: () => this.#acknowledged(),
        },
      );
      this.#connection = connection;
      connection.connect();
    });
    this.#ping = setInterval(() => this.#connection?.ping(), PING_MS);
  }

  start(): void {
    this.#running = true;
    this.#startedAt = performance.now();
    const { ratePerS, id } = this.#load;
    if (ratePerS === undefined) this.#fill();
    else {
      // Devices do not all speak in the same millisecond.
      const offset = (Number.parseInt(id.slice(-4), 36) % 1000) / 1000;
      this.#timer = setInterval(() => this.#keepRate(ratePerS, offset), Math.max(TICK_MS, 500 / ratePerS));
    }
  }

  /** One sample, now. */
  publishOne(): void {
    this.#publish(1);
  }

  /** Publishes no more; what is under way is still acknowledged. */
  pause(): void {
    this.#running = false;
    clearInterval(this.#timer);
  }

  close(): void {
    this.pause();
    clearInterval(this.#ping);
    this.#connection?.cut();
  }

  #acknowledged(): void {
    this.acked++;
    if (this.#load.ratePerS === undefined && this.#running) this.#fill();
  }

  #keepRate(ratePerS: number, offset: number): void {
    const due = Math.floor(((performance.now() - this.#startedAt) * ratePerS) / 1000 + offset);
    const count = Math.min(due - this.#sent, this.#load.window - this.pending);
    if (count > 0) this.#publish(count);
  }

  /** Half a window at a time: a packet a write would measure the sockets. */
  #fill(): void {
    const { window } = this.#load;
    const room = window - this.pending;
    if (room >= Math.max(1, window >> 1)) this.#publish(room);
  }

  #publish(count: number): void {
    const { fields, firstSeq = 1 } = this.#load;
    const ts = Date.now();
    for (let i = 0; i < count; i++) {
      const seq = firstSeq + this.#sent++;
      const payload = Buffer.from(JSON.stringify({ ts, seq, ...fields(seq) }));
      this.#connection?.publish(this.#topic, payload);
    }
    this.#connection?.flush();
  }
}
