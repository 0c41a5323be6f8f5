import { type Payload, validatePayload } from '#grid/mod.ts';
import { type EdgeDeadLetter, HEALTH_STATES, type HealthState, toLine } from '#grid/wire/mod.ts';
import { type Clock, Counter, type ErrorCode, type Metrics } from '#service/mod.ts';
import type { Outbox } from '../outbox/mod.ts';
import type { DeviceRegistry, RegisteredDevice } from '../registry.ts';
import type { RuleEngine } from '../rules/mod.ts';
import { DeviceTimes, type GivenTime } from './times.ts';

/** Samples in one payload, at most. */
const SAMPLES_MAX = 500;
const DEAD_LETTER_BYTES_MAX = 4096;
const STATUS_BYTES_MAX = 1024;

export interface SensorIntakeDeps {
  edge: string;
  registry: DeviceRegistry;
  outbox: Outbox;
  rules: RuleEngine;
  /** Told of every device that sent something usable. */
  seen(device: string): void;
  /** Durable when it resolves. */
  announced(device: string, state: HealthState): Promise<void>;
  clock: Clock;
  metrics: Metrics;
}

interface Sample {
  line: Buffer;
  time: GivenTime;
  fields: Record<string, number | boolean>;
  implausible: readonly string[];
}

/** Bytes of a device to readings in the outbox, or to a dead letter there. */
export class SensorIntake {
  readonly #deps: SensorIntakeDeps;
  readonly #times = new Map<string, DeviceTimes>();
  readonly #utf8 = new TextDecoder('utf-8', { fatal: true });
  readonly #readings: Counter;
  readonly #deadLetters: Counter<'code'>;
  readonly #sequence: Counter<'what'>;
  readonly #totals = { readings: 0, deadLetters: 0, sequenceGaps: 0, repeats: 0 };

  constructor(deps: SensorIntakeDeps) {
    this.#deps = deps;
    const registers = [deps.metrics];
    this.#readings = new Counter({ name: 'gewu_edge_readings_total', help: 'Readings accepted from devices', registers });
    this.#deadLetters = new Counter({
      name: 'gewu_edge_dead_letters_total',
      help: 'Payloads that could not be used, by code',
      labelNames: ['code'],
      registers,
    });
    this.#sequence = new Counter({
      name: 'gewu_edge_sequence_faults_total',
      help: 'Numbers that devices skipped, and samples that they sent again',
      labelNames: ['what'],
      registers,
    });
  }

  /** Since the start. `sequenceGaps`: numbers that devices skipped; `repeats`: samples that came again. */
  get totals(): { readings: number; deadLetters: number; sequenceGaps: number; repeats: number } {
    return { ...this.#totals };
  }

  /**
   * Resolves when the payload is durable, as readings or as a dead letter; the PUBACK waits for it.
   * A payload of several samples is taken whole or not at all.
   */
  async accept(sender: string, deviceId: string, topic: string, payload: Buffer): Promise<void> {
    const device = this.#deps.registry.get(deviceId);
    if (device === undefined) return this.#bury(sender, topic, payload, 'GEWU_DEVICE_UNKNOWN', deviceId);
    const parsed = this.#parse(payload);
    if ('code' in parsed) return this.#bury(sender, topic, payload, parsed.code, parsed.reason);
    const checked = parsed.objects.map((o) => validatePayload(device.kind, o));
    const bad = checked.find((c) => !c.ok);
    if (bad && !bad.ok) return this.#bury(sender, topic, payload, bad.code, bad.reason);
    const samples = checked.flatMap((c) => (c.ok ? [this.#toSample(device, c.value, checked.length)] : []));
    const lines = samples.map((s) => s.line);
    // Rules run before anything is awaited: what they conclude is appended in this turn and commits with the readings.
    const concluded = samples.map((s) => (s.time.late ? undefined : this.#deps.rules.sample(deviceId, s.fields, s.implausible)));
    await Promise.all([this.#deps.outbox.append('readings', lines), ...concluded]);
    this.#readings.inc(samples.length);
    this.#totals.readings += samples.length;
    this.#deps.seen(deviceId);
  }

  /** A birth, a will or a word in between on the status topic: `online`, or `{"state":"online"}`. */
  async announced(sender: string, deviceId: string, topic: string, payload: Buffer): Promise<void> {
    const state = this.#state(payload);
    if (!this.#deps.registry.has(deviceId)) return this.#bury(sender, topic, payload, 'GEWU_DEVICE_UNKNOWN', deviceId);
    if (state === null)
      return this.#bury(sender, topic, payload, 'GEWU_READING_TYPE', `state: one of ${HEALTH_STATES.join(', ')}`);
    await this.#deps.announced(deviceId, state);
  }

  #state(payload: Buffer): HealthState | null {
    const text = payload.toString('utf8', 0, STATUS_BYTES_MAX);
    const parsed = this.#parse(Buffer.from(text));
    const said = 'objects' in parsed ? (parsed.objects[0] as { state?: unknown } | null)?.state : text.trim();
    return HEALTH_STATES.find((s) => s === said) ?? null;
  }

  #parse(payload: Buffer): { objects: unknown[] } | { code: ErrorCode; reason: string } {
    try {
      const value: unknown = JSON.parse(this.#utf8.decode(payload));
      const objects = Array.isArray(value) ? value : [value];
      if (objects.length === 0) return { code: 'GEWU_PAYLOAD_EMPTY', reason: 'an empty array' };
      if (objects.length > SAMPLES_MAX)
        return { code: 'GEWU_PAYLOAD_TOO_LARGE', reason: `${objects.length} samples, at most ${SAMPLES_MAX}` };
      return { objects };
    } catch (error) {
      return { code: 'GEWU_PAYLOAD_NOT_JSON', reason: (error as Error).message };
    }
  }

  #toSample({ device, kind, place }: RegisteredDevice, { fields, implausible, ts, seq }: Payload, together: number): Sample {
    let times = this.#times.get(device.id);
    if (times === undefined) {
      times = new DeviceTimes();
      this.#times.set(device.id, times);
    }
    const [gaps, repeats] = [times.gaps, times.repeats];
    const time = times.give({ ts, seq, content: () => JSON.stringify(fields) }, this.#deps.clock.now(), together);
    this.#count('sequenceGaps', times.gaps - gaps);
    this.#count('repeats', times.repeats - repeats);
    const stored = { ...fields, ...(seq === undefined ? {} : { seq }), ...(time.skewed ? { clock_skew: true } : {}) };
    const line = toLine({
      kind: kind.kind,
      device: device.id,
      cell: place.cell,
      edge: this.#deps.edge,
      ts: time.ts,
      fields: stored,
    });
    return { line: Buffer.from(line), time, fields, implausible };
  }

  #count(what: 'sequenceGaps' | 'repeats', by: number): void {
    if (by === 0) return;
    this.#sequence.inc({ what }, by);
    this.#totals[what] += by;
  }

  async #bury(sender: string, topic: string, payload: Buffer, code: ErrorCode, reason: string): Promise<void> {
    const letter: EdgeDeadLetter = {
      ts: this.#deps.clock.now(),
      edge: this.#deps.edge,
      of: 'dead-letter',
      id: sender.slice(0, 64),
      code,
      reason: reason.slice(0, 512),
      topic: topic.slice(0, 256),
      payload: payload.subarray(0, DEAD_LETTER_BYTES_MAX).toString('base64'),
    };
    await this.#deps.outbox.append('health', [Buffer.from(JSON.stringify(letter))]);
    this.#deadLetters.inc({ code });
    this.#totals.deadLetters++;
  }
}
