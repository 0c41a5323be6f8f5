import { connect, type MqttClient } from 'mqtt';
import { ackTopic, encodeFrame, toLine, upTopic } from '#grid/wire/mod.ts';
import { lampFields } from './main.ts';

/** What an edge would send, made before the clock starts: the same points for both sides. */
export interface Points {
  /** Line protocol, `perBody` lines each, without a newline at the end. */
  bodies: Buffer[];
  count: number;
  lineBytes: number;
}

/** Points of `devices` lamps, one a second each, in the order in which an edge would have them. */
export function makePoints(
  edge: string,
  { count, perBody, devices }: { count: number; perBody: number; devices: number },
): Points {
  const startMs = Date.now() - Math.ceil(count / devices) * 1000;
  const bodies: Buffer[] = [];
  let bytes = 0;
  for (let first = 0; first < count; first += perBody) {
    const lines: string[] = [];
    for (let i = first; i < Math.min(count, first + perBody); i++) {
      const [device, second] = [i % devices, Math.floor(i / devices)];
      lines.push(
        toLine({
          kind: 'streetlight',
          cell: '110101001001001',
          device: `sl-${String(device).padStart(5, '0')}`,
          edge,
          ts: startMs + second * 1000,
          us: 0,
          fields: { ...lampFields(i), seq: second + 1 },
        }),
      );
    }
    const body = Buffer.from(lines.join('\n'));
    bytes += body.length + 1;
    bodies.push(body);
  }
  return { bodies, count, lineBytes: bytes / count };
}

/** Lines of a frame, as the uplink packs them: as many as fit its body. */
export const FRAME_LINES = 1_700;
/** Frames without ack at a time: the uplink's own window. */
const WINDOW = 8;

/** Sends frames as an edge's uplink does, on the application's acks, with the least client that there can be. */
export class FrameSender {
  readonly #edge: string;
  readonly #frames: Buffer[];
  readonly #client: MqttClient;
  #next = 0;
  #acked = 0;
  #done: () => void = () => undefined;

  constructor({ edge, password, port, points }: { edge: string; password: string; port: number; points: Points }) {
    this.#edge = edge;
    const epoch = `bench${Date.now()}`;
    let first = 1;
    this.#frames = points.bodies.map((body) => {
      const count = Math.min(FRAME_LINES, points.count - first + 1);
      const frame = encodeFrame({ edge, epoch, lane: 'readings', first, last: first + count - 1, count }, body);
      first += count;
      return frame;
    });
    this.#client = connect(`mqtt://127.0.0.1:${port}`, {
      clientId: edge,
      username: edge,
      password,
      protocolVersion: 4,
      reconnectPeriod: 0,
      manualConnect: true,
    });
  }

  get bytes(): number {
    return this.#frames.reduce((sum, f) => sum + f.length, 0);
  }

  async connect(): Promise<void> {
    const connected = new Promise<void>((resolve, reject) => {
      this.#client.once('connect', () => resolve());
      this.#client.once('error', reject);
    });
    this.#client.connect();
    await connected;
    await this.#client.subscribeAsync(ackTopic(this.#edge), { qos: 1 });
    this.#client.on('message', () => this.#onAck());
  }

  /** Resolves when every frame is acknowledged. The loss of the connection would make it wait for ever: it is loopback. */
  async send(): Promise<void> {
    const done = new Promise<void>((resolve) => {
      this.#done = resolve;
    });
    for (let i = 0; i < WINDOW; i++) this.#sendNext();
    await done;
  }

  async close(): Promise<void> {
    await this.#client.endAsync(true);
  }

  #sendNext(): void {
    const frame = this.#frames[this.#next++];
    if (frame) this.#client.publish(upTopic(this.#edge, 'readings'), frame, { qos: 1 });
  }

  #onAck(): void {
    this.#acked++;
    if (this.#acked === this.#frames.length) this.#done();
    else this.#sendNext();
  }
}
