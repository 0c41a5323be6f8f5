import { FIRMWARE_PATTERN, type JsonObject, type Mapped, type Payload, validatePayload } from '#grid/mod.ts';
import { type EdgeDeadLetter, HEALTH_STATES, type HealthState, toLine } from '#grid/wire/mod.ts';
import { type Clock, Counter, type ErrorCode, type Metrics } from '#service/mod.ts';
import type { Outbox } from '../outbox/mod.ts';
import type { DeviceRegistry, RegisteredDevice } from '../registry.ts';
import { LATE_MS, type RuleEngine } from '../rules/mod.ts';
import { DeviceReports, type ReportRule } from './exception.ts';
import { DeviceTimes, type GivenTime } from './times.ts';

/** Samples in one payload, at most. */
const SAMPLES_MAX = 500;
const DEAD_LETTER_BYTES_MAX = 4096;
const STATUS_BYTES_MAX = 1024;
const FIRMWARE = new RegExp(FIRMWARE_PATTERN);
/** Dead letters of one mapped payload, at most; the last one counts the rest. */
const LETTERS_MAX = 16;

export interface SensorIntakeDeps {
  edge: string;
  registry: DeviceRegistry;
  outbox: Outbox;
  rules: RuleEngine;
  /** Told of every device that sent something usable. */
  seen(device: string): void;
  /** Durable when it resolves; with the firmware where the device says it. */
  announced(device: string, said: Announced): Promise<void>;
  /** By kind of device; kinds that are not named have every reading stored. */
  report: Readonly<Record<string, ReportRule>>;
  clock: Clock;
  metrics: Metrics;
}

/** What a device says of itself on its status topic. */
export interface Announced {
  state: HealthState;
  firmware?: string;
}

interface Sample extends Payload {
  time: GivenTime;
}

interface Letter {
  code: ErrorCode;
  reason: string;
  /** What it is about, where that is not the whole payload. */
  object?: JsonObject | undefined;
}

/** Where a mapped payload came from. */
export interface MappedSource {
  sender: string;
  /** Topic or path. */
  topic: string;
  payload: Buffer;
  speaksFor(device: string): boolean;
}

/** Bytes of a device to readings in the outbox, or to a dead letter there. */
export class SensorIntake {
  readonly #deps: SensorIntakeDeps;
  readonly #times = new Map<string, DeviceTimes>();
  readonly #utf8 = new TextDecoder('utf-8', { fatal: true });
  readonly #reports = new Map<string, DeviceReports>();
  readonly #readings: Counter;
  readonly #forwarded: Counter;
  readonly #suppressed: Counter;
  readonly #deadLetters: Counter<'code'>;
  readonly #sequence: Counter<'what'>;
  readonly #totals = { readings: 0, suppressed: 0, deadLetters: 0, sequenceGaps: 0, repeats: 0 };

  constructor(deps: SensorIntakeDeps) {
    this.#deps = deps;
    const registers = [deps.metrics];
    this.#readings = new Counter({ name: 'gewu_edge_readings_total', help: 'Readings accepted from devices', registers });
    this.#forwarded = new Counter({ name: 'gewu_edge_readings_forwarded_total', help: 'Of those, stored to be sent', registers });
    this.#suppressed = new Counter({
      name: 'gewu_edge_readings_suppressed_total',
      help: 'Of those, not stored because they said nothing new',
      registers,
    });
    this.#deadLetters = new Counter({
      name: 'gewu_edge_dead_letters_total',
      help: 'Payloads, and samples of mapped payloads, that could not be used, by code',
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

  /**
   * Since the start. `suppressed`: of the readings, those that were not stored because they said nothing new;
   * `sequenceGaps`: numbers that devices skipped; `repeats`: samples that came again.
   */
  get totals(): { readings: number; suppressed: number; deadLetters: number; sequenceGaps: number; repeats: number } {
    return { ...this.#totals };
  }

  /**
   * Resolves when the payload is durable, as readings or as a dead letter; the PUBACK waits for it.
   * A payload of several samples is taken whole or not at all.
   */
  accept(sender: string, deviceId: string, topic: string, payload: Buffer): Promise<void> {
    const device = this.#deps.registry.get(deviceId);
    if (device === undefined) return this.#bury(sender, topic, payload, 'GEWU_DEVICE_UNKNOWN', deviceId);
    const parsed = this.#parse(payload);
    if ('code' in parsed) return this.#bury(sender, topic, payload, parsed.code, parsed.reason);
    const payloads: Payload[] = [];
    for (const object of parsed.objects) {
      const checked = validatePayload(device.kind, object);
      if (!checked.ok) return this.#bury(sender, topic, payload, checked.code, checked.reason);
      payloads.push(checked.value);
    }
    return this.#take(device, payloads);
  }

  /**
   * Samples that a mapping made of a payload, which may hold those of many devices. Resolves when each is durable, as a
   * reading or as a dead letter: one sample's fault costs no other.
   */
  async acceptMapped(source: MappedSource, { samples, faults }: Mapped): Promise<void> {
    const letters: Letter[] = faults.map(({ device, code, reason, object }) => {
      return { code, reason: device === '' ? reason : `${device}: ${reason}`, object };
    });
    const usable = new Map<RegisteredDevice, Payload[]>();
    const firmwares = new Map<string, string>();
    for (const { device: id, object, firmware } of samples) {
      const refuse = (code: ErrorCode, reason: string) => letters.push({ code, reason: `${id}: ${reason}`, object });
      const device = this.#deps.registry.get(id);
      const checked = device && validatePayload(device.kind, object);
      if (!source.speaksFor(id)) refuse('GEWU_DEVICE_FOREIGN', `${source.sender} does not speak for it`);
      else if (device === undefined || checked === undefined) refuse('GEWU_DEVICE_UNKNOWN', 'not registered');
      else if (!checked.ok) refuse(checked.code, checked.reason);
      else {
        const own = usable.get(device);
        if (own) own.push(checked.value);
        else usable.set(device, [checked.value]);
        if (firmware !== undefined) firmwares.set(id, firmware);
      }
    }
    const said = [...firmwares].map(([id, firmware]) => this.#deps.announced(id, { state: 'online', firmware }));
    const taken = [...usable].map(([device, payloads]) => this.#take(device, inOrder(payloads)));
    await Promise.all([this.#buryAll(source, letters), ...taken, ...said]);
  }

  /** Runs for every message: no promise more than it takes. */
  #take(device: RegisteredDevice, payloads: readonly Payload[]): Promise<void> {
    const { outbox } = this.#deps;
    const id = device.device.id;
    const reports = this.#reportsOf(device);
    const lines: Buffer[] = [];
    const pending: Promise<unknown>[] = [];
    for (const payload of payloads) {
      const sample = this.#toSample(id, payload, payloads.length);
      // Rules run before anything is awaited: what they conclude is appended in this turn and commits with the readings.
      const concluded = this.#conclude(id, sample);
      if (concluded) pending.push(concluded);
      const line = this.#lineOf(device, sample, reports, concluded !== undefined);
      if (line) lines.push(line);
    }
    const writing = lines.length > 0 ? outbox.append('readings', lines) : (reports?.writing ?? Promise.resolve());
    if (reports && lines.length > 0) reports.written(writing);
    const durable = pending.length === 0 ? writing : Promise.all([writing, ...pending]);
    return durable.then(() => this.#taken(id, payloads.length, lines.length));
  }

  /** What the rules bring about: by the age of the sample, and not at all for one that was there before. */
  #conclude(id: string, { fields, implausible, time }: Sample): Promise<unknown> | undefined {
    const { rules, clock } = this.#deps;
    if (!time.skewed && clock.now() - time.ts > LATE_MS) return rules.lateSample(id, fields, implausible, time.ts);
    return time.late ? undefined : rules.sample(id, fields, implausible);
  }

  #taken(device: string, samples: number, stored: number): void {
    const suppressed = samples - stored;
    this.#readings.inc(samples);
    this.#forwarded.inc(stored);
    if (suppressed > 0) this.#suppressed.inc(suppressed);
    this.#totals.readings += samples;
    this.#totals.suppressed += suppressed;
    this.#deps.seen(device);
  }

  #reportsOf({ device, kind }: RegisteredDevice): DeviceReports | undefined {
    const { report } = this.#deps;
    const rule = Object.hasOwn(report, kind.kind) ? report[kind.kind] : undefined;
    let reports = this.#reports.get(device.id);
    if (rule !== undefined && reports === undefined) {
      reports = new DeviceReports(rule);
      this.#reports.set(device.id, reports);
    }
    return reports;
  }

  /** Null for a reading that says nothing new. One that is stored tells how many before it did not. */
  #lineOf(
    { device, kind, place }: RegisteredDevice,
    { fields, seq, time: { ts, us, skewed, late } }: Sample,
    reports: DeviceReports | undefined,
    concluded: boolean,
  ): Buffer | null {
    const before = late ? 0 : (reports?.suppressed ?? 0);
    if (reports && !reports.keeps({ ts, fields: { ...fields, clock_skew: skewed }, late, concluded })) return null;
    const line = toLine({
      kind: kind.kind,
      device: device.id,
      cell: place.cell,
      edge: this.#deps.edge,
      ts,
      us,
      fields: {
        ...fields,
        ...(seq === undefined ? {} : { seq }),
        ...(skewed ? { clock_skew: true } : {}),
        ...(before === 0 ? {} : { suppressed: before }),
      },
    });
    // ASCII by construction.
    return Buffer.from(line, 'latin1');
  }

  /** A birth, a will or a word in between on the status topic: `online`, or `{"state":"online","firmware":"1.4.2"}`. */
  async announced(sender: string, deviceId: string, topic: string, payload: Buffer): Promise<void> {
    const { said, fault } = this.#status(payload);
    if (!this.#deps.registry.has(deviceId)) return this.#bury(sender, topic, payload, 'GEWU_DEVICE_UNKNOWN', deviceId);
    if (said === null) return this.#bury(sender, topic, payload, 'GEWU_READING_TYPE', fault);
    await this.#deps.announced(deviceId, said);
  }

  #status(payload: Buffer): { said: Announced; fault: null } | { said: null; fault: string } {
    const text = payload.toString('utf8', 0, STATUS_BYTES_MAX);
    const parsed = this.#parse(Buffer.from(text));
    const object =
      'objects' in parsed ? (parsed.objects[0] as { state?: unknown; firmware?: unknown } | null) : { state: text.trim() };
    const state = HEALTH_STATES.find((s) => s === object?.state);
    if (state === undefined) return { said: null, fault: `state: one of ${HEALTH_STATES.join(', ')}` };
    const firmware = object?.firmware;
    if (firmware === undefined || firmware === null) return { said: { state }, fault: null };
    if (typeof firmware !== 'string' || !FIRMWARE.test(firmware))
      return { said: null, fault: 'firmware: a text of 1 to 64 printable ASCII characters is wanted' };
    return { said: { state, firmware }, fault: null };
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

  #toSample(id: string, payload: Payload, together: number): Sample {
    const { fields, ts, seq } = payload;
    let times = this.#times.get(id);
    if (times === undefined) {
      times = new DeviceTimes();
      this.#times.set(id, times);
    }
    const [gaps, repeats] = [times.gaps, times.repeats];
    const time = times.give({ ts, seq, content: () => JSON.stringify(fields) }, this.#deps.clock.now(), together);
    this.#count('sequenceGaps', times.gaps - gaps);
    this.#count('repeats', times.repeats - repeats);
    return { ...payload, time };
  }

  #count(what: 'sequenceGaps' | 'repeats', by: number): void {
    if (by === 0) return;
    this.#sequence.inc({ what }, by);
    this.#totals[what] += by;
  }

  async #bury(sender: string, topic: string, payload: Buffer, code: ErrorCode, reason: string): Promise<void> {
    await this.#buryAll({ sender, topic, payload }, [{ code, reason }]);
  }

  /** In one write. A payload full of faults makes no flood of letters. */
  async #buryAll({ sender, topic, payload }: Omit<MappedSource, 'speaksFor'>, letters: readonly Letter[]): Promise<void> {
    if (letters.length === 0) return;
    const { outbox, clock, edge } = this.#deps;
    const told = letters.slice(0, LETTERS_MAX);
    const rest = letters.length - told.length;
    const records = told.map(({ code, reason, object }, i): EdgeDeadLetter => {
      const more = rest > 0 && i === told.length - 1 ? ` (and ${rest} more samples of this payload)` : '';
      return {
        ts: clock.now(),
        edge,
        of: 'dead-letter',
        id: sender.slice(0, 64),
        code,
        reason: reason.slice(0, 448) + more,
        topic: topic.slice(0, 256),
        payload: bytesOf(object, payload).subarray(0, DEAD_LETTER_BYTES_MAX).toString('base64'),
      };
    });
    await outbox.append(
      'health',
      records.map((r) => Buffer.from(JSON.stringify(r))),
    );
    for (const { code } of letters) this.#deadLetters.inc({ code });
    this.#totals.deadLetters += letters.length;
  }
}

/** The part of a payload that a letter is about. All of it where there is none, or it is too deep to be written again. */
function bytesOf(object: JsonObject | undefined, payload: Buffer): Buffer {
  if (object === undefined) return payload;
  try {
    return Buffer.from(JSON.stringify(object));
  } catch {
    return payload;
  }
}

/** Platforms send the newest first as well; rules are to see a device's samples as they were made. */
function inOrder(payloads: Payload[]): Payload[] {
  if (payloads.some((p) => p.ts === undefined)) return payloads;
  return payloads.toSorted((a, b) => (a.ts as number) - (b.ts as number));
}
