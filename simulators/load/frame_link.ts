import { type Ack, ackTopic, checkAck, type Lane, upTopic } from '#grid/wire/mod.ts';
import { type Address, LoadConnection } from './connection.ts';

/** A frame under way; `content` is whatever its sender wants back with the ack. */
export interface FrameOf<T> {
  lane: Lane;
  first: number;
  /** Whole, as it goes out. */
  packet: Buffer;
  content: T;
}

export interface FrameLinkOptions<T> {
  address: Address;
  edge: string;
  password: string;
  /** Different in each run: an edge that starts anew has another. */
  epoch: string;
  hooks: {
    up(): void;
    /** `refused` when it never came up. */
    down(refused: boolean): void;
    acked(frame: FrameOf<T>, nowMs: number): void;
    resent?(frame: FrameOf<T>): void;
  };
}

/** Frames without ack at a time, as an edge's uplink has them. */
const WINDOW = 8;
/** A frame without ack for so long is sent again. */
const RESEND_MS = 10_000;

/** A whole edge node as the centre sees it: a connection, and frames that are sent until the application acknowledges them. */
export class FrameLink<T> {
  readonly #options: FrameLinkOptions<T>;
  readonly #connection: LoadConnection;
  readonly #inFlight = new Map<string, { frame: FrameOf<T>; sentMs: number }>();

  constructor(options: FrameLinkOptions<T>) {
    this.#options = options;
    const { address, edge, password, hooks } = options;
    this.#connection = new LoadConnection(
      address,
      { id: edge, password },
      {
        up: () => {
          this.#connection.subscribe(ackTopic(edge));
          this.resend(performance.now(), 0);
          hooks.up();
        },
        down: hooks.down,
        // It promises nothing: the application's ack does.
        acked: () => undefined,
        message: (_topic, payload) => this.#acked(payload),
      },
    );
  }

  get up(): boolean {
    return this.#connection.up;
  }

  /** Under way or up. */
  get open(): boolean {
    return this.#connection.open;
  }

  /** Frames that may be sent now. */
  get room(): number {
    return WINDOW - this.#inFlight.size;
  }

  connect(): void {
    this.#connection.connect();
  }

  cut(): void {
    this.#connection.cut();
  }

  close(): void {
    this.#connection.close();
  }

  ping(): void {
    this.#connection.ping();
  }

  /** With the next `flush`. Only while it is up. */
  send(frame: FrameOf<T>, nowMs: number): void {
    this.#inFlight.set(`${frame.lane}/${frame.first}`, { frame, sentMs: nowMs });
    this.#connection.publish(upTopic(this.#options.edge, frame.lane), frame.packet);
  }

  flush(): void {
    this.#connection.flush();
  }

  /** Frames that have waited for so long go out once more. */
  resend(nowMs: number, olderMs = RESEND_MS): void {
    for (const waiting of this.#inFlight.values()) {
      if (nowMs - waiting.sentMs < olderMs) continue;
      waiting.sentMs = nowMs;
      this.#options.hooks.resent?.(waiting.frame);
      this.#connection.publish(upTopic(this.#options.edge, waiting.frame.lane), waiting.frame.packet);
    }
    this.#connection.flush();
  }

  #acked(payload: Buffer): void {
    const ack: unknown = JSON.parse(payload.toString());
    if (!checkAck.Check(ack) || ack.epoch !== this.#options.epoch) return;
    const { lane, first } = ack as Ack;
    const found = this.#inFlight.get(`${lane}/${first}`);
    if (found === undefined) return;
    this.#inFlight.delete(`${lane}/${first}`);
    this.#options.hooks.acked(found.frame, performance.now());
  }
}
