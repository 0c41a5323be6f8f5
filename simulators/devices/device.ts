import type { DeviceKind } from '#grid/mod.ts';
import { telemetryTopic } from '#grid/wire/mod.ts';
import type { Clock, Log, Service } from '#service/mod.ts';
import { type Dice, diceOf } from '../cameras/street/mod.ts';
import { History, type Sample } from './history.ts';
import { DeviceLink, type LinkConfig } from './link.ts';
import { createSampler, type Fields, type Sampler, withIncident } from './sampler.ts';
import { SeqSet } from './seqs.ts';

export interface SimulatedDeviceConfig extends LinkConfig {
  kind: DeviceKind;
  /** Its values, its noise and its place in the interval follow from it. */
  seed: number;
  intervalMs: number;
  /** Samples kept while nobody acknowledges. */
  historyMax: number;
  /** Samples in one message when it catches up. */
  batchMax: number;
  /** Hour of the day that it always has; the clock's where not given. */
  hour?: number;
  utcOffsetH: number;
}

export interface SimulatedDeviceDeps {
  config: SimulatedDeviceConfig;
  clock: Clock;
  log: Log;
}

/** Samples, not messages. `produced = acked + pending + dropped` at rest. */
export interface DeviceStats {
  produced: number;
  /** Handed to the connection, repeats counted again. */
  sent: number;
  /** With a PUBACK. */
  acked: number;
  /** Sent, and no PUBACK came: sent again, unless it was dropped meanwhile. */
  failed: number;
  /** Lost from a full history. */
  dropped: number;
  pending: number;
  /** Times at which no sample was taken because the process was late by more than CATCH_UP_MAX intervals. */
  skipped: number;
  connects: number;
  refused: number;
}

/** When a device said what an incident makes it say, UTC ms of the samples. */
export interface Told {
  firstAt: number;
  lastAt: number;
  /** Of the first TOLD_TIMES_MAX samples: rules that count samples are complete with one of them. */
  times: readonly number[];
}

/** More than any rule counts. */
const TOLD_TIMES_MAX = 8;

const CATCH_UP_MAX = 60;
const INCIDENTS_MAX = 8;

/**
 * A sensor as the edge sees it: a real MQTT client that samples by the clock, whether anybody listens or not, and at once
 * when something goes wrong. Source: docs/domain/sensors.md, alarms are sent at once, reports at intervals.
 *
 *   every intervalMs --sample--+
 *   an incident begins --------+--> history --batch, QoS 1--> broker
 *                                      ^--no PUBACK--+
 */
export class SimulatedDevice implements Service {
  readonly #deps: SimulatedDeviceDeps;
  readonly #dice: Dice;
  readonly #sampler: Sampler;
  readonly #history: History;
  readonly #link: DeviceLink;
  readonly #ackedSeqs = new SeqSet();
  readonly #incidents = new Map<string, Readonly<Fields>>();
  readonly #told = new Map<string, Told>();
  readonly #counts = { produced: 0, sent: 0, failed: 0, skipped: 0 };
  #timer: NodeJS.Timeout | undefined;
  #sampling = false;
  #startedMs = 0;
  /** Number of the next sample's time. */
  #tick = 0;
  #settled: (() => void)[] = [];

  constructor(deps: SimulatedDeviceDeps) {
    const { config, log } = deps;
    this.#deps = deps;
    this.#dice = diceOf(config.seed, 92);
    this.#sampler = createSampler(config.kind, config.seed);
    this.#history = new History(config.historyMax);
    this.#link = new DeviceLink({ config, dice: diceOf(config.seed, 93), log, onUp: () => this.#pump() });
  }

  /** Begins to sample and to connect; does not wait for the broker, as no device does. */
  async start(): Promise<void> {
    const { config, clock } = this.#deps;
    this.#startedMs = clock.monotonic() + this.#dice.next() * config.intervalMs;
    this.#tick = 0;
    this.#sampling = true;
    this.#schedule();
    await this.#link.open();
  }

  /** Takes no more samples, and waits until those it has are acknowledged or the time is over. True when all are. */
  async quiesce(msMax: number): Promise<boolean> {
    this.#endSampling();
    if (this.#history.pending === 0) return true;
    await new Promise<void>((resolve) => {
      const late = setTimeout(resolve, msMax);
      this.#settled.push(() => {
        clearTimeout(late);
        resolve();
      });
    });
    return this.#history.pending === 0;
  }

  async stop(): Promise<void> {
    this.#endSampling();
    await this.#link.close();
  }

  /**
   * It says `fields` until `recover`: at once, as an alarm is, then with each sample. A device that does not sample says
   * nothing. Throws RangeError on a field that its kind has not.
   */
  stage(incident: string, fields: Readonly<Fields>): void {
    const { config, clock } = this.#deps;
    const { kind, device } = config;
    const unknown = Object.keys(fields).find((name) => !Object.hasOwn(kind.fields, name));
    if (unknown !== undefined) throw new RangeError(`${device}: ${kind.kind} has no field ${unknown}`);
    if (this.#incidents.size >= INCIDENTS_MAX) throw new RangeError(`${device}: ${INCIDENTS_MAX} incidents at once`);
    if (!this.#sampling) {
      this.#incidents.set(incident, fields);
      return;
    }
    // What was due before the incident is of the time before it.
    this.#takeDue();
    this.#incidents.set(incident, fields);
    this.#history.push(this.#sample(clock.now()));
    this.#pump();
  }

  /** Ends one incident, or all. */
  recover(incident?: string): void {
    if (incident === undefined) this.#incidents.clear();
    else this.#incidents.delete(incident);
  }

  /** Cuts the connection; the device notices and comes again. */
  cut(): void {
    this.#link.cut();
  }

  get connected(): boolean {
    return this.#link.up;
  }

  get stats(): DeviceStats {
    const { pending, dropped } = this.#history;
    return { ...this.#counts, acked: this.#ackedSeqs.size, dropped, pending, ...this.#link.stats };
  }

  get ackedSeqs(): Pick<SeqSet, 'has' | 'size' | 'ranges'> & Iterable<number> {
    return this.#ackedSeqs;
  }

  /** By incident; once it has said something of it. */
  get told(): ReadonlyMap<string, Told> {
    return this.#told;
  }

  #endSampling(): void {
    clearTimeout(this.#timer);
    this.#sampling = false;
  }

  /** By number, not by interval: a late sample does not shift those after it. */
  #schedule(): void {
    const { config, clock } = this.#deps;
    const dueMs = this.#startedMs + this.#tick * config.intervalMs;
    this.#timer = setTimeout(
      () => {
        this.#takeDue();
        this.#schedule();
        this.#pump();
      },
      Math.max(0, dueMs - clock.monotonic()),
    );
  }

  #takeDue(): void {
    const { config, clock } = this.#deps;
    const [now, nowMs] = [clock.now(), clock.monotonic()];
    const due = Math.floor((nowMs - this.#startedMs) / config.intervalMs);
    if (due - this.#tick > CATCH_UP_MAX) {
      this.#counts.skipped += due - this.#tick - CATCH_UP_MAX;
      this.#tick = due - CATCH_UP_MAX;
    }
    for (; this.#tick <= due; this.#tick++) {
      const agoMs = nowMs - (this.#startedMs + this.#tick * config.intervalMs);
      this.#history.push(this.#sample(Math.round(now - agoMs)));
    }
  }

  #sample(ts: number): Sample {
    const { config } = this.#deps;
    const hour = config.hour ?? (ts / 3_600_000 + config.utcOffsetH) % 24;
    const elapsedS = (this.#tick * config.intervalMs) / 1000;
    let fields = this.#sampler({ hour, elapsedS });
    for (const [incident, wrong] of this.#incidents) {
      fields = withIncident(fields, wrong, this.#dice);
      const { firstAt = ts, times = [] } = this.#told.get(incident) ?? {};
      this.#told.set(incident, { firstAt, lastAt: ts, times: times.length < TOLD_TIMES_MAX ? [...times, ts] : times });
    }
    return { seq: ++this.#counts.produced, ts, fields };
  }

  /** Sends what waits, batch after batch, one on its way at a time: so PUBACKs come in the order of the samples. */
  #pump(): void {
    if (!this.#link.up) return;
    const batch = this.#history.take(this.#deps.config.batchMax);
    if (batch.length === 0) return;
    this.#counts.sent += batch.length;
    void this.#link.publish(telemetryTopic(this.#deps.config.device), encode(batch)).then((acked) => {
      if (acked) {
        for (const { seq } of batch) this.#ackedSeqs.add(seq);
        this.#history.settle();
      } else this.#counts.failed += this.#history.restore();
      if (this.#history.pending === 0) for (const done of this.#settled.splice(0)) done();
      this.#pump();
    });
  }
}

function encode(batch: readonly Sample[]): string {
  const objects = batch.map(({ fields, seq, ts }) => ({ ...fields, seq, ts }));
  return JSON.stringify(objects.length === 1 ? objects[0] : objects);
}
