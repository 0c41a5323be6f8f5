import { setImmediate as turn } from 'node:timers/promises';
import { type EventRecord, encodeFrame, type HealthLine, type Lane, upTopic } from '#grid/wire/mod.ts';
import { createIntake } from '#ingest/intake/mod.ts';
import type { ReadingsBlock } from '#ingest/lines/mod.ts';
import type { DeadLetter, LineRefusal, ReadingsSink } from '#ingest/ports.ts';
import { createMetrics, type Service, silentLog, systemClock } from '#service/mod.ts';
import { DirectPort, metric, Sink } from '../ingest/intake/support.ts';
import type { ExpectedAck } from './oracle.ts';

const LINES_PER_FRAME = 500;
const FUTURE_MS_MAX = 24 * 3_600_000;
const OUTCOMES = ['acked', 'unacked', 'failed', 'dropped', 'duplicate', 'foreign'] as const;

/** What became of a batch of frames. */
export interface Settled {
  acks: ExpectedAck[];
  /** Readings by their line, events and health by their JSON. */
  stored: { readings: string[]; events: object[]; health: object[] };
  letters: DeadLetter[];
  /** Frames by outcome, records by outcome, as the metrics say. */
  frames: Record<(typeof OUTCOMES)[number], number>;
  records: { stored: number; dead: number };
}

/** The centre's intake without broker and stores: bytes in, and what it told each of its sinks. */
export class CentreBench implements Service {
  readonly port = new DirectPort();
  readonly #readings: string[] = [];
  readonly #events = new Sink<EventRecord>();
  readonly #health = new Sink<HealthLine>();
  readonly #letters: DeadLetter[] = [];
  readonly #metrics = createMetrics();
  readonly #intake: Service;
  #taken = 0;
  /** Which letters reach the store: all of them, unless a test breaks it. */
  keeps: (letter: DeadLetter) => boolean = () => true;

  /** `store`: a real one; what it does not refuse is remembered here. */
  constructor(store: ReadingsSink = { write: async (blocks) => blocks.map(() => []) }) {
    const put = async (letters: readonly DeadLetter[]) => void this.#letters.push(...letters.filter((l) => this.keeps(l)));
    this.#intake = createIntake({
      port: this.port,
      readings: { write: (blocks) => this.#write(store, blocks) },
      events: this.#events,
      health: this.#health,
      deadLetters: { put },
      clock: systemClock,
      log: silentLog,
      metrics: this.#metrics,
      limits: { readingsLingerMs: 0, futureMsMax: FUTURE_MS_MAX, drainMsMax: 50 },
    });
  }

  start(): Promise<void> {
    return this.#intake.start();
  }

  stop(): Promise<void> {
    return this.#intake.stop();
  }

  /** Hands in all of them in one turn, and waits until each has its outcome. */
  async settle(frames: readonly { topic: string; payload: Buffer }[]): Promise<Settled> {
    const before = await this.#counters();
    for (const { topic, payload } of frames) this.port.receive(topic, payload);
    const done = ({ frames: f }: Counters) => OUTCOMES.reduce((sum, o) => sum + f[o] - before.frames[o], 0);
    let after = await this.#counters();
    for (let turns = 0; done(after) < frames.length; turns++) {
      if (turns > 100_000) throw new Error(`${frames.length - done(after)} of ${frames.length} frames have no outcome`);
      await turn();
      after = await this.#counters();
    }
    return { ...this.#collect(), ...difference(after, before) };
  }

  /** Well-formed frames of these lines, as an edge sends them; what of it was stored or refused. */
  async take(
    edge: string,
    lanes: { readings: string[]; health: string[] },
  ): Promise<{ readings: number; letters: number; refused: number }> {
    const frames = (['readings', 'health'] as const).flatMap((lane) => this.#framesOf(edge, lane, lanes[lane]));
    const { stored, letters } = await this.settle(frames);
    const forwarded = letters.filter((l) => l.hop === 'device').length;
    return { readings: stored.readings.length, letters: forwarded, refused: letters.length - forwarded };
  }

  #framesOf(edge: string, lane: Lane, lines: readonly string[]) {
    const frames: { topic: string; payload: Buffer }[] = [];
    for (let i = 0; i < lines.length; i += LINES_PER_FRAME) {
      const part = lines.slice(i, i + LINES_PER_FRAME);
      const header = { edge, epoch: `t${this.#taken++}`, lane, first: 1, last: part.length, count: part.length };
      frames.push({ topic: upTopic(edge, lane), payload: encodeFrame(header, Buffer.from(part.join('\n'))) });
    }
    return frames;
  }

  async #write(store: ReadingsSink, blocks: readonly ReadingsBlock[]): Promise<LineRefusal[][]> {
    const refusals = await store.write(blocks);
    for (const [i, block] of blocks.entries()) {
      const refused = new Set(refusals[i]?.map((r) => r.index));
      for (const { index, line } of block.lines()) if (!refused.has(index)) this.#readings.push(line);
    }
    return refusals;
  }

  async #counters(): Promise<Counters> {
    const metrics = this.#metrics;
    const frames = await Promise.all(OUTCOMES.map((outcome) => metric(metrics, 'gewu_intake_frames_total', { outcome })));
    const records = (outcome: string) => metric(metrics, 'gewu_intake_records_total', { outcome });
    return {
      frames: Object.fromEntries(OUTCOMES.map((o, i) => [o, frames[i] ?? 0])) as Settled['frames'],
      records: { stored: await records('stored'), dead: await records('dead') },
    };
  }

  #collect(): Pick<Settled, 'acks' | 'stored' | 'letters'> {
    return {
      acks: this.port.acks.splice(0) as ExpectedAck[],
      stored: {
        readings: this.#readings.splice(0),
        events: this.#events.records.splice(0),
        health: this.#health.records.splice(0),
      },
      letters: this.#letters.splice(0),
    };
  }
}

type Counters = Pick<Settled, 'frames' | 'records'>;

function difference(after: Counters, before: Counters): Counters {
  const frames = Object.fromEntries(OUTCOMES.map((o) => [o, after.frames[o] - before.frames[o]])) as Settled['frames'];
  const records = { stored: after.records.stored - before.records.stored, dead: after.records.dead - before.records.dead };
  return { frames, records };
}
