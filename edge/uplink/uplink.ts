import { randomBytes } from 'node:crypto';
import { type Ack, ackTopic, checkAck, commandTopic, configTopic, LANES, type Lane, packFrame, upTopic } from '#grid/wire/mod.ts';
import type { Clock, Log, Metrics, Service } from '#service/mod.ts';
import type { ClientTls } from '#service/mqtt/mod.ts';
import type { Chunk } from '../outbox/mod.ts';
import type { CommandReceiver } from './commands.ts';
import { type Connect, Connection } from './connection.ts';
import type { Rows } from './cursor.ts';
import { ATTEMPTS_OF_PATH_MAX, FLIGHT_FRAMES_MAX, Flight, type Frame } from './flight.ts';
import { BODY_BYTES_MAX, createLanes, type LaneState, LIVE_FRAMES } from './lane.ts';
import { createUplinkMetrics, type UplinkMetrics } from './metrics.ts';

/**
 * Sends what the outbox holds, a window of frames in flight per lane, and removes rows only on the centre's ack.
 * Live goes before backlog, events before health, health before readings. A lane whose acks are overdue holds up no other:
 * behind each there is another store.
 *
 *   outbox --take--> frame (held) --publish--> sent --ack--> gone, rows removed
 *                       ^                       |
 *                       +--- ack overdue, ------+
 *                            connection lost
 */
export interface UplinkOptions {
  edge: string;
  url: string;
  password: string;
  tls?: ClientTls | undefined;
  outbox: Rows;
  commands: CommandReceiver;
  /** What comes on `down/config`. */
  config?: CommandReceiver;
  clock: Clock;
  log: Log;
  metrics: Metrics;
  /** Instead of mqtt.js: a simulated network. */
  connect?: Connect;
}

const RECORDS_MAX = 5_000;
/** Readings wait so long for company, unless there are many; events do not wait. */
const LINGER_MS = 100;
const LINGER_RECORDS_MAX = 1_000;
/** After the outbox could not be read. */
const RETRY_MS = 1_000;
const RESEND_CHECK_MS = 100;

export class Uplink implements Service {
  readonly #options: UplinkOptions;
  readonly #connection: Connection;
  readonly #epoch = randomBytes(9).toString('base64url');
  readonly #flight = new Flight();
  readonly #metrics: UplinkMetrics;
  /** While it runs. */
  #lanes: Record<Lane, LaneState> | undefined;
  #resendTimer: NodeJS.Timeout | undefined;
  #lingering: NodeJS.Timeout | undefined;
  /** Monotonic ms from when on live readings may go. */
  #lingerUntil = 0;
  /** Counts connections lost: rows that were live when their taking began may be backlog when it ends. */
  #losses = 0;
  #pumping = false;
  #again = false;

  constructor(options: UplinkOptions) {
    this.#options = options;
    this.#connection = new Connection({
      ...options,
      onUp: () => this.#onUp(),
      onDown: () => this.#onDown(),
      onMessage: (topic, payload) => this.#onMessage(topic, payload),
    });
    this.#metrics = createUplinkMetrics(options.metrics, this);
  }

  get connected(): boolean {
    return this.#connection.connected;
  }

  get roundTripMs(): number {
    return Math.max(0, ...Object.values(this.#lanes ?? {}).map((lane) => lane.rtt.meanMs));
  }

  /** Frames and bytes in memory, and the window of the readings. */
  get flight(): { frames: number; bytes: number; windowFrames: number } {
    const windowFrames = this.#lanes?.readings.window.frames ?? 0;
    return { frames: this.#flight.size, bytes: this.#flight.bytes, windowFrames };
  }

  async start(): Promise<void> {
    const { outbox } = this.#options;
    this.#lanes = createLanes(outbox);
    outbox.onAppended((lane) => this.#onAppended(lane));
    await this.#connection.start();
    this.#resendTimer = setInterval(() => this.#resendDue(), RESEND_CHECK_MS);
  }

  async stop(): Promise<void> {
    clearInterval(this.#resendTimer);
    clearTimeout(this.#lingering);
    this.#lanes = undefined;
    // What is in flight stays in the outbox and is sent after the next start.
    await this.#connection.stop();
    this.#flight.clear();
  }

  #onUp(): void {
    for (const { cursor, window, rtt } of Object.values(this.#lanes ?? {})) {
      window.reset(this.#options.clock.monotonic());
      rtt.reconnected();
      cursor.fallBehind();
    }
    this.#pump();
  }

  /** Frames are kept: on a path that breaks all the time, acks of an earlier connection are the only progress. */
  #onDown(): void {
    this.#losses++;
    for (const frame of this.#flight) {
      this.#forget(frame);
      this.#flight.hold(frame);
      frame.backlog = true;
      frame.attempts = 0;
    }
  }

  #onAppended(lane: Lane): void {
    if (lane === 'readings') this.#pumpIn(LINGER_MS);
    else this.#pump();
  }

  #pumpIn(ms: number): void {
    if (this.#lanes === undefined) return;
    this.#lingering ??= setTimeout(() => {
      this.#lingering = undefined;
      this.#pump();
    }, ms);
  }

  /** Fills the window. One at a time: taking rows is asynchronous. */
  #pump(): void {
    this.#again = true;
    if (this.#pumping) return;
    this.#pumping = true;
    void this.#fillWindow();
  }

  async #fillWindow(): Promise<void> {
    try {
      while (this.#again) {
        this.#again = false;
        while (this.#connection.ready && (await this.#step()));
      }
    } catch (error) {
      if (this.#lanes === undefined) return;
      this.#options.log.error({ error: (error as Error).message }, 'uplink could not read the outbox');
      this.#pumpIn(RETRY_MS);
    } finally {
      this.#pumping = false;
    }
  }

  /** Takes or sends the most urgent frame there is room for; false when nothing is left to do. */
  async #step(): Promise<boolean> {
    for (const lane of LANES) if (await this.#advance(lane, false)) return true;
    for (const lane of LANES) {
      if (await this.#advance(lane, true)) return true;
      // A lane that waits for acks goes on first when they come; one whose acks do not come has had its chance.
      if (this.#hasBacklog(lane) && !this.#isOverdue(lane)) break;
    }
    return this.#prepare();
  }

  async #advance(lane: Lane, backlog: boolean): Promise<boolean> {
    const state = this.#lanes?.[lane];
    if (state === undefined || this.#flight.sent(lane) >= state.window.frames + (backlog ? 0 : LIVE_FRAMES)) return false;
    const held = this.#flight.held(lane, backlog);
    if (held) this.#send(held);
    return (
      held !== undefined || (this.#mayTake(lane, backlog) && this.#makeRoom(lane, backlog) && (await this.#take(lane, backlog)))
    );
  }

  #hasBacklog(lane: Lane): boolean {
    return this.#lanes?.[lane].cursor.hasBacklog === true || this.#flight.held(lane, true) !== undefined;
  }

  #mayTake(lane: Lane, backlog: boolean): boolean {
    const cursor = this.#lanes?.[lane].cursor;
    if (cursor === undefined) return false;
    if (backlog) return cursor.hasBacklog;
    if (cursor.liveCount === 0) return false;
    if (lane !== 'readings' || cursor.liveCount >= LINGER_RECORDS_MAX) return true;
    // Without the wait a stream of small frames would use up the window, and the backlog would never move.
    const waitMs = this.#lingerUntil - this.#options.clock.monotonic();
    if (waitMs > 0) this.#pumpIn(waitMs);
    return waitMs <= 0;
  }

  /** The memory is bounded: when it is full, a less urgent frame that waits goes back to the outbox. */
  #makeRoom(lane: Lane, backlog: boolean): boolean {
    if (this.#flight.size < FLIGHT_FRAMES_MAX) return true;
    const spare = this.#flight.spare(LANES.slice(LANES.indexOf(lane) + (backlog ? 1 : 0)));
    if (spare === undefined) return false;
    this.#forget(spare);
    this.#flight.remove(spare);
    this.#lanes?.[spare.lane].cursor.giveBack(spare.first, spare.last);
    return true;
  }

  /** With the window full, the next frame of the backlog is made ready. */
  async #prepare(): Promise<boolean> {
    if (this.#flight.held('readings', true) || this.#flight.size >= FLIGHT_FRAMES_MAX) return false;
    return this.#mayTake('readings', true) && (await this.#take('readings', true));
  }

  /** Takes the next rows, if there are any, and puts them into a frame that waits; false only after the end. */
  async #take(lane: Lane, backlog: boolean): Promise<boolean> {
    const cursor = this.#lanes?.[lane].cursor;
    if (cursor === undefined) return false;
    const losses = this.#losses;
    const chunk = await (backlog
      ? cursor.nextBacklog(BODY_BYTES_MAX[lane], RECORDS_MAX)
      : cursor.nextLive(BODY_BYTES_MAX[lane], RECORDS_MAX));
    if (lane === 'readings' && !backlog) this.#lingerUntil = this.#options.clock.monotonic() + LINGER_MS;
    // Also when there was nothing: while we waited, something more urgent may have come.
    if (chunk === null) return true;
    const payload = await this.#encode(lane, chunk);
    // Stopped meanwhile.
    if (this.#lanes === undefined) return false;
    const { first, last, count } = chunk;
    this.#flight.add({
      lane,
      first,
      last,
      count,
      payload,
      backlog: backlog || losses !== this.#losses,
      sentAt: null,
      attempts: 0,
      repeated: false,
      messageId: null,
    });
    return true;
  }

  #encode(lane: Lane, { first, last, count, body }: Chunk): Promise<Buffer> {
    return packFrame(
      { edge: this.#options.edge, epoch: this.#epoch, lane, first, last, count },
      Buffer.from(body.buffer, body.byteOffset, body.byteLength),
    );
  }

  #send(frame: Frame): void {
    if (frame.repeated) this.#metrics.resent.inc();
    this.#forget(frame);
    frame.messageId = this.#connection.send(upTopic(this.#options.edge, frame.lane), frame.payload);
    this.#flight.send(frame, this.#options.clock.monotonic());
  }

  #forget(frame: Frame): void {
    if (frame.messageId !== null) this.#connection.forget(frame.messageId);
    frame.messageId = null;
  }

  /** Frames whose acks are overdue wait for their turn in the window, which becomes smaller. */
  #resendDue(): void {
    const now = this.#options.clock.monotonic();
    let due = false;
    for (const frame of this.#flight) {
      const { lane, sentAt, attempts } = frame;
      const state = this.#lanes?.[lane];
      if (sentAt === null || state === undefined || now - sentAt < state.rtt.resendAfterMs(attempts)) continue;
      due = true;
      this.#flight.hold(frame);
      if (attempts > ATTEMPTS_OF_PATH_MAX) continue;
      state.window.timedOut(sentAt, now);
      state.rtt.timedOut(attempts);
    }
    if (due) this.#pump();
  }

  #onMessage(topic: string, payload: Buffer): void {
    const { edge, commands, config, log } = this.#options;
    try {
      const message: unknown = JSON.parse(payload.toString());
      if (topic === ackTopic(edge) && checkAck.Check(message)) this.#onAck(message);
      else if (topic === commandTopic(edge)) commands.receive(message);
      else if (topic === configTopic(edge)) config?.receive(message);
    } catch (error) {
      log.warn({ topic, error: (error as Error).message }, 'the centre sent something unreadable');
    }
  }

  /** Frees only a frame of this epoch that is in flight: an ack of an earlier life says nothing about these rows. */
  #onAck(ack: Ack): void {
    const frame = ack.epoch === this.#epoch ? this.#flight.find(ack) : undefined;
    const state = frame && this.#lanes?.[frame.lane];
    if (frame === undefined || state === undefined) return;
    const now = this.#options.clock.monotonic();
    const { lane, first, last, count, sentAt, repeated } = frame;
    const full = this.#flight.sent(lane) >= state.window.frames;
    this.#forget(frame);
    this.#flight.remove(frame);
    this.#options.outbox.remove(lane, first, last);
    this.#metrics.acked.inc({ lane });
    this.#metrics.records.inc({ lane }, count);
    this.#connection.worked();
    if (sentAt !== null) {
      const roundTripMs = repeated ? null : now - sentAt;
      if (roundTripMs !== null) state.rtt.measured(roundTripMs);
      state.window.acked({ sentAt, roundTripMs, full, overdue: this.#isOverdue(lane, ATTEMPTS_OF_PATH_MAX) }, now);
    }
    this.#pump();
  }

  #isOverdue(lane: Lane, attemptsMax?: number): boolean {
    const lateMs = this.#lanes?.[lane].rtt.resendAfterMs(1) ?? 0;
    return this.#flight.isOverdue(lane, this.#options.clock.monotonic() - lateMs, attemptsMax);
  }
}
