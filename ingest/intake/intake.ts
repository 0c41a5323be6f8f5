import { Value } from 'typebox/value';
import { type EventRecord, type HealthReport, type Lane as LaneName, parseUpTopic } from '#grid/wire/mod.ts';
import type { Clock, Log, Metrics, Service } from '#service/mod.ts';
import type { DeadLetterSink, EventsSink, HealthSink, ReadingsSink } from '../ports.ts';
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

  constructor(deps: IntakeDeps) {
    this.#deps = deps;
    this.#metrics = createIntakeMetrics(deps.metrics);
    const { port, deadLetters, clock, log } = deps;
    const limits = Value.Default(IntakeLimits, { ...deps.limits }) as IntakeLimits;
    // Events and health are few and each costs a transaction: small writes lose less when one fails.
    const few = { ...limits, recordsPerWriteMax: Math.min(limits.recordsPerWriteMax, RECORDS_PER_WRITE_FEW) };
    const common = { deadLetters, limits: few, clock, log, metrics: this.#metrics, ack: port.ack.bind(port) };
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
export function createIntake(deps: IntakeDeps): Service {
  return new Intake(deps);
}
