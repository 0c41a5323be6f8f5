import { connect, type Socket } from 'node:net';
import { CONNACK, connectPacket, PacketReader, PINGREQ, PUBACK, publishPacket } from '#simulators/load/packets.ts';

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
  readonly #packets = new PacketReader();
  #socket: Socket | undefined;
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
    const socket = connect(port, '127.0.0.1');
    socket.setNoDelay(true);
    this.#socket = socket;
    await new Promise<void>((resolve, reject) => {
      socket.once('close', () => reject(new Error(`${id}: the broker closed the connection`)));
      socket.on('error', reject);
      socket.on('data', (chunk) => this.#packets.push(chunk, (type) => this.#take(type, resolve)));
      socket.write(connectPacket({ id, username: id, password }));
    });
    this.#ping = setInterval(() => socket.write(PINGREQ), PING_MS);
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
    this.#socket?.destroy();
  }

  #take(type: number, connected: () => void): void {
    if (type === CONNACK) connected();
    if (type !== PUBACK) return;
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
    const packets: Buffer[] = [];
    const ts = Date.now();
    for (let i = 0; i < count; i++) {
      const seq = firstSeq + this.#sent++;
      const payload = Buffer.from(JSON.stringify({ ts, seq, ...fields(seq) }));
      packets.push(publishPacket(this.#topic, (this.#sent % 65_535) + 1, payload));
    }
    this.#socket?.write(packets.length === 1 ? (packets[0] as Buffer) : Buffer.concat(packets));
  }
}
