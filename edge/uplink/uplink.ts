import { randomBytes } from 'node:crypto';
import { connect, type MqttClient } from 'mqtt';
import { type Ack, ackTopic, checkAck, commandTopic, encodeFrame, LANES, type Lane, upTopic } from '#grid/wire/mod.ts';
import { type Clock, Counter, Gauge, type Log, type Metrics, type Service } from '#service/mod.ts';
import { type ClientTls, clientTlsOptions } from '#service/mqtt/mod.ts';
import type { Chunk, Outbox } from '../outbox/mod.ts';
import type { CommandReceiver } from './cases.ts';
import { LaneCursor } from './cursor.ts';
import { Backoff, RoundTrip } from './rtt.ts';

/**
 * Sends what the outbox holds, a fixed window of frames in flight, and removes rows only on the centre's ack.
 * Events go before health, health before readings, live before backlog.
 *
 *   outbox --take--> frame --publish--> centre
 *      ^                | in flight: resent until acknowledged
 *      +----remove------+<---ack-----
 */
export interface UplinkOptions {
  edge: string;
  url: string;
  password: string;
  tls?: ClientTls | undefined;
  outbox: Outbox;
  commands: CommandReceiver;
  clock: Clock;
  log: Log;
  metrics: Metrics;
}

/** Frames in flight. Fixed, so that a slow centre is not answered with a storm. */
const WINDOW = 8;
/** Fits the wire limit of a frame even when it does not compress. */
const BODY_BYTES_MAX = 240 * 1024;
const RECORDS_MAX = 5_000;
/** Readings wait so long for company; events do not wait. */
const LINGER_MS = 20;
/** After the outbox could not be read. */
const RETRY_MS = 1_000;
const RESEND_CHECK_MS = 100;
/** A dead connection is noticed after one and a half of these, seconds. */
const KEEPALIVE_S = 15;

interface Frame {
  lane: Lane;
  first: number;
  last: number;
  payload: Buffer;
  attempts: number;
  sentAt: number;
  /** Of the latest sending, while the client may still hold it for its PUBACK. */
  messageId: number | null;
}

export class Uplink implements Service {
  readonly #options: UplinkOptions;
  readonly #epoch = randomBytes(9).toString('base64url');
  readonly #inFlight = new Map<string, Frame>();
  readonly #rtt = new RoundTrip();
  readonly #backoff = new Backoff();
  readonly #acked: Counter<'lane'>;
  readonly #resent: Counter;
  #cursors: Record<Lane, LaneCursor> | undefined;
  #client: MqttClient | undefined;
  #resendTimer: NodeJS.Timeout | undefined;
  #lingering: NodeJS.Timeout | undefined;
  /** Connected, and acks can reach us. */
  #ready = false;
  #pumping = false;
  #again = false;

  constructor(options: UplinkOptions) {
    this.#options = options;
    const registers = [options.metrics];
    this.#acked = new Counter({
      name: 'gewu_uplink_acked_frames_total',
      help: 'Frames that the centre acknowledged',
      labelNames: ['lane'],
      registers,
    });
    this.#resent = new Counter({ name: 'gewu_uplink_resent_frames_total', help: 'Frames sent again', registers });
    const connected = () => this.connected;
    new Gauge({
      name: 'gewu_uplink_connected',
      help: '1 while the centre is connected',
      registers,
      collect() {
        this.set(connected() ? 1 : 0);
      },
    });
  }

  get connected(): boolean {
    return this.#client?.connected ?? false;
  }

  get roundTripMs(): number {
    return this.#rtt.meanMs;
  }

  async start(): Promise<void> {
    const { edge, url, password, tls, outbox, log } = this.#options;
    this.#cursors = Object.fromEntries(LANES.map((lane) => [lane, new LaneCursor(lane, outbox)])) as Record<Lane, LaneCursor>;
    outbox.onAppended((lane) => this.#onAppended(lane));
    const client = connect(url, {
      ...(await clientTlsOptions(tls)),
      clientId: edge,
      username: edge,
      password,
      protocolVersion: 4,
      clean: true,
      keepalive: KEEPALIVE_S,
      connectTimeout: 10_000,
      reconnectPeriod: this.#backoff.next(),
      reconnectOnConnackError: true,
      resubscribe: false,
      queueQoSZero: false,
    });
    this.#client = client;
    client.on('connect', () => this.#onConnect(client));
    client.on('message', (topic, payload) => this.#onMessage(topic, payload));
    client.on('close', () => {
      this.#ready = false;
      for (const frame of this.#inFlight.values()) this.#forget(client, frame);
      client.options.reconnectPeriod = this.#backoff.next();
    });
    client.on('error', (error) => log.warn({ error: error.message }, 'uplink'));
    this.#resendTimer = setInterval(() => this.#resendDue(), RESEND_CHECK_MS);
  }

  async stop(): Promise<void> {
    clearInterval(this.#resendTimer);
    clearTimeout(this.#lingering);
    const client = this.#client;
    this.#client = undefined;
    // What is in flight stays in the outbox and is sent after the next start.
    if (client) await client.endAsync(true);
  }

  #onConnect(client: MqttClient): void {
    this.#options.log.info({ url: this.#options.url }, 'uplink connected');
    for (const lane of LANES) this.#cursors?.[lane].fallBehind();
    // Acks are lost until the subscription stands, so nothing is sent before.
    client.subscribe([ackTopic(this.#options.edge), commandTopic(this.#options.edge)], { qos: 1 }, (error) => {
      if (error || !client.connected) {
        // Without acks nothing can be sent for good: the next connection tries again.
        client.stream.destroy();
        return;
      }
      this.#ready = true;
      this.#backoff.reset();
      for (const frame of this.#inFlight.values()) this.#send(frame);
      this.#pump();
    });
  }

  #onAppended(lane: Lane): void {
    if (lane !== 'readings') {
      this.#pump();
      return;
    }
    this.#pumpIn(LINGER_MS);
  }

  #pumpIn(ms: number): void {
    this.#lingering ??= setTimeout(() => {
      this.#lingering = undefined;
      this.#pump();
    }, ms);
  }

  /** Fills the window. One at a time: taking rows is asynchronous. */
  #pump(): void {
    if (this.#pumping) {
      this.#again = true;
      return;
    }
    this.#pumping = true;
    this.#fillWindow()
      .catch((error: Error) => {
        if (this.#client === undefined) return;
        this.#options.log.error({ error: error.message }, 'uplink could not read the outbox');
        this.#pumpIn(RETRY_MS);
      })
      .finally(() => {
        this.#pumping = false;
        if (!this.#again) return;
        this.#again = false;
        this.#pump();
      });
  }

  async #fillWindow(): Promise<void> {
    while (this.#ready && this.#inFlight.size < WINDOW) {
      const next = await this.#next();
      if (next === null) return;
      const frame: Frame = { ...next, attempts: 0, sentAt: 0, messageId: null };
      this.#inFlight.set(keyOf(frame), frame);
      this.#send(frame);
    }
  }

  async #next(): Promise<{ lane: Lane; first: number; last: number; payload: Buffer } | null> {
    for (const lane of LANES) {
      const chunk = await this.#cursors?.[lane].next(BODY_BYTES_MAX, RECORDS_MAX);
      if (chunk) return { lane, first: chunk.first, last: chunk.last, payload: this.#encode(lane, chunk) };
    }
    return null;
  }

  #encode(lane: Lane, { first, last, count, body }: Chunk): Buffer {
    return encodeFrame(
      { edge: this.#options.edge, epoch: this.#epoch, lane, first, last, count },
      Buffer.from(body.buffer, body.byteOffset, body.byteLength),
    );
  }

  #send(frame: Frame): void {
    const client = this.#client;
    if (client === undefined || !this.#ready) return;
    if (frame.attempts > 0) this.#resent.inc();
    this.#forget(client, frame);
    frame.attempts++;
    frame.sentAt = this.#options.clock.monotonic();
    // PUBACK says that the broker has it, which is worth nothing: only the centre's own ack counts.
    client.publish(upTopic(this.#options.edge, frame.lane), frame.payload, { qos: 1 }, () => undefined);
    frame.messageId = client.getLastMessageId();
  }

  /** The client sends again what had no PUBACK when a connection ended; we do so ourselves, and once is enough. */
  #forget(client: MqttClient, frame: Frame): void {
    if (frame.messageId !== null) client.removeOutgoingMessage(frame.messageId);
    frame.messageId = null;
  }

  #resendDue(): void {
    const now = this.#options.clock.monotonic();
    for (const frame of this.#inFlight.values())
      if (now - frame.sentAt >= this.#rtt.resendAfterMs(frame.attempts)) this.#send(frame);
  }

  #onMessage(topic: string, payload: Buffer): void {
    const { edge, commands, log } = this.#options;
    try {
      const message: unknown = JSON.parse(payload.toString());
      if (topic === ackTopic(edge) && checkAck.Check(message)) this.#onAck(message);
      else if (topic === commandTopic(edge)) commands.receive(message);
    } catch (error) {
      log.warn({ topic, error: (error as Error).message }, 'the centre sent something unreadable');
    }
  }

  /** Frees only a frame of this epoch that is in flight: an ack of an earlier life says nothing about these rows. */
  #onAck(ack: Ack): void {
    const frame = this.#inFlight.get(keyOf(ack));
    if (ack.epoch !== this.#epoch || frame === undefined || frame.last !== ack.last) return;
    if (frame.attempts === 1) this.#rtt.measured(this.#options.clock.monotonic() - frame.sentAt);
    this.#inFlight.delete(keyOf(ack));
    this.#options.outbox.remove(frame.lane, frame.first, frame.last);
    this.#acked.inc({ lane: frame.lane });
    this.#pump();
  }
}

function keyOf({ lane, first }: { lane: Lane; first: number }): string {
  return `${lane}/${first}`;
}
