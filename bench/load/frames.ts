import { encodeFrame, toLine } from '#grid/wire/mod.ts';
import { FrameLink, type FrameOf } from '#simulators/load/mod.ts';
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

/** Sends frames as an edge's uplink does, on the application's acks, as fast as these come. */
export class FrameSender {
  readonly #frames: FrameOf<null>[];
  readonly #link: FrameLink<null>;
  #next = 0;
  #acked = 0;
  #up: () => void = () => undefined;
  #failed: (error: Error) => void = () => undefined;
  #done: () => void = () => undefined;

  constructor({ edge, password, port, points }: { edge: string; password: string; port: number; points: Points }) {
    const epoch = `bench${Date.now()}`;
    let first = 1;
    this.#frames = points.bodies.map((body) => {
      const count = Math.min(FRAME_LINES, points.count - first + 1);
      const packet = encodeFrame({ edge, epoch, lane: 'readings', first, last: first + count - 1, count }, body);
      const frame: FrameOf<null> = { lane: 'readings', first, packet, content: null };
      first += count;
      return frame;
    });
    this.#link = new FrameLink({
      address: { host: '127.0.0.1', port },
      edge,
      password,
      epoch,
      hooks: {
        up: () => this.#up(),
        down: () => this.#failed(new Error(`${edge}: the broker closed the connection`)),
        acked: () => this.#onAck(),
      },
    });
  }

  get bytes(): number {
    return this.#frames.reduce((sum, { packet }) => sum + packet.length, 0);
  }

  async connect(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#up = resolve;
      this.#failed = reject;
      this.#link.connect();
    });
  }

  /** Resolves when every frame is acknowledged. */
  async send(): Promise<void> {
    const done = new Promise<void>((resolve, reject) => {
      this.#done = resolve;
      this.#failed = reject;
    });
    this.#fill();
    await done;
  }

  async close(): Promise<void> {
    this.#failed = () => undefined;
    this.#link.close();
  }

  #fill(): void {
    while (this.#link.room > 0) {
      const frame = this.#frames[this.#next++];
      if (frame === undefined) break;
      this.#link.send(frame, performance.now());
    }
    this.#link.flush();
  }

  #onAck(): void {
    this.#acked++;
    if (this.#acked === this.#frames.length) this.#done();
    else this.#fill();
  }
}
