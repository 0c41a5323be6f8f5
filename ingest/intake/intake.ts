import { randomBytes } from 'node:crypto';
import { Value } from 'typebox/value';
import {
  type Ack,
  type EventRecord,
  encodeFrame,
  type HealthReport,
  type Lane as LaneName,
  parseUpTopic,
  upTopic,
} from '#grid/wire/mod.ts';
import { type Clock, GewuError, type Log, type Metrics, type Service } from '#service/mod.ts';
import type { DeadLetterSink, EventsSink, HealthSink, ReadingsSink } from '../ports.ts';
import { deadLetterId } from './dead_letter.ts';
import { headerLine } from './frame.ts';
import { Lane, type LaneDeps } from './lane.ts';
import { IntakeLimits } from './limits.ts';
import { createIntakeMetrics } from './metrics.ts';
import type { IntakePort } from './port.ts';
import { parseEvents, parseHealth, readingsParser, storeRecords } from './records.ts';

export interface IntakeDeps {
  port: IntakePort;
  readings: ReadingsSink;
  events: EventsSink;
  health: HealthSink;
  deadLetters: DeadLetterSink;
  clock: Clock;
  log: Log;
  metrics: Metrics;
  /** Those not given have the defaults of the schema. */
  limits?: Partial<IntakeLimits>;
}

const RECORDS_PER_WRITE_FEW = 200;
/** A replayed record must be durable within this. */
const REPLAY_MS_MAX = 10_000;
/** Replays that wait at a time. */
const REPLAYS_MAX = 100;

/**
 * The door of the centre: frames in, checked records out to the sinks, acks back when all of a frame is durable.
 *
 *   port --frame--> [events lane]   --> events sink      \
 *                   [health lane]   --> health sink       +--> dead letters --> ack
 *                   [readings lane] --> readings sink    /
 *
 * It owns the port: `start` opens it last, `stop` closes it last. Start the sinks before, stop them after.
 */
export class Intake implements Service {
  readonly #deps: IntakeDeps;
  readonly #lanes: Record<LaneName, Pick<Lane<unknown>, 'offer' | 'open' | 'close'>>;
  readonly #metrics: ReturnType<typeof createIntakeMetrics>;
  /** Replays that wait for their ack, by epoch. */
  readonly #replays = new Map<string, () => void>();

  constructor(deps: IntakeDeps) {
    this.#deps = deps;
    this.#metrics = createIntakeMetrics(deps.metrics);
    const { port, deadLetters, clock, log } = deps;
    const limits = Value.Default(IntakeLimits, { ...deps.limits }) as IntakeLimits;
    // Events and health are few and each costs a transaction: small writes lose less when one fails.
    const few = { ...limits, recordsPerWriteMax: Math.min(limits.recordsPerWriteMax, RECORDS_PER_WRITE_FEW) };
    const ack = (edge: string, told: Ack) => {
      const replay = this.#replays.get(told.epoch);
      if (replay === undefined) port.ack(edge, told);
      else replay();
    };
    const common = { deadLetters, limits: few, clock, log, metrics: this.#metrics, ack };
    const lane = <T>(own: Pick<LaneDeps<T>, 'lane' | 'parse' | 'store' | 'lingerMs'> & Partial<LaneDeps<T>>) =>
      new Lane<T>({ ...common, ...own });
    this.#lanes = {
      events: lane({
        lane: 'events',
        parse: parseEvents,
        store: storeRecords((r: readonly EventRecord[]) => deps.events.accept(r)),
        lingerMs: 0,
      }),
      health: lane({
        lane: 'health',
        parse: parseHealth,
        store: storeRecords((r: readonly HealthReport[]) => deps.health.accept(r)),
        lingerMs: 0,
      }),
      readings: lane({
        lane: 'readings',
        parse: readingsParser(limits.futureMsMax),
        store: (blocks) => deps.readings.write(blocks),
        lingerMs: limits.readingsLingerMs,
        limits,
      }),
    };
    port.onFrame((topic, payload) => this.#receive(topic, payload));
  }

  async start(): Promise<void> {
    for (const lane of Object.values(this.#lanes)) lane.open();
    await this.#deps.port.start();
  }

  async stop(): Promise<void> {
    await Promise.all(Object.values(this.#lanes).map((lane) => lane.close()));
    await this.#deps.port.stop();
  }

  /**
   * Sends one record the way of its lane once more: a frame of its own, through the same queue, checks and stores. Resolves when it is durable, with the id that its
   * dead letter has if it is refused again. Throws GEWU_STORE_UNAVAILABLE when that is not known in time.
   */
  async replay(edge: string, lane: LaneName, record: Buffer): Promise<{ letter: string }> {
    if (this.#replays.size >= REPLAYS_MAX) throw new GewuError('GEWU_STORE_UNAVAILABLE', `${REPLAYS_MAX} replays wait already`);
    const epoch = `replay-${randomBytes(12).toString('hex')}`;
    const frame = encodeFrame({ edge, epoch, lane, first: 1, last: 1, count: 1 }, Buffer.concat([record, Buffer.from('\n')]));
    let timer: NodeJS.Timeout | undefined;
    const durable = new Promise<void>((resolve, reject) => {
      this.#replays.set(epoch, resolve);
      timer = setTimeout(
        () => reject(new GewuError('GEWU_STORE_UNAVAILABLE', 'the record is not stored yet; look whether it comes')),
        REPLAY_MS_MAX,
      );
    });
    try {
      this.#receive(upTopic(edge, lane), frame);
      await durable;
    } finally {
      clearTimeout(timer);
      this.#replays.delete(epoch);
    }
    return { letter: deadLetterId({ edge, lane, epoch, sequence: 1 }, record) };
  }

  #receive(topic: string, payload: Buffer): void {
    const from = parseUpTopic(topic);
    if (!from) {
      this.#metrics.frames.inc({ lane: 'none', outcome: 'foreign' });
      return;
    }
    const arrivedAt = this.#deps.clock.monotonic();
    this.#lanes[from.lane].offer({ edge: from.edge, lane: from.lane, payload, key: headerLine(payload), arrivedAt });
  }
}

/** Wires the lanes; nothing runs before `start`. */
export function createIntake(deps: IntakeDeps): Intake {
  return new Intake(deps);
}
