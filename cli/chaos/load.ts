import { setTimeout as pause } from 'node:timers/promises';
import type { Ledger } from '#simulators/report/mod.ts';
import { AlarmStage } from './alarms.ts';
import { GatewayLink, type Message } from './link.ts';
import { type Gateway, type LoadDevice, tiltOf } from './site.ts';

export interface LoadOptions {
  ledger: Ledger;
  /** With the port at which each finds its edge. */
  gateways: readonly (Gateway & { port: number })[];
  /** Samples a second that the devices make, of all together. */
  ratePerS: number;
  /** Alarms are staged evenly over this time, ms. */
  stageMs: number;
}

/** A load device sends so often, all samples since the last time in one message. */
const PERIOD_MS = 250;
const TICK_MS = 50;
const ALARM_PERIOD_MS = 1_000;
/** Messages that a gateway keeps without PUBACK; its devices measure nothing while it is full. */
const KEPT_MAX = 4_000;
/** The slowest stretch is told for windows of this length. */
const WINDOW_S = 10;

/** Sensors that measure at a fixed rate whatever happens, keep what is not acknowledged, and write everything into the ledger. */
export class Load {
  readonly #options: LoadOptions;
  readonly #links: { gateway: Gateway; link: GatewayLink }[];
  readonly #timed: { device: LoadDevice; link: GatewayLink; nextAt: number; lastTs: number }[] = [];
  readonly #samplesPerMessage: number;
  readonly alarms: AlarmStage;
  #timer: NodeJS.Timeout | undefined;
  #alarmTimer: NodeJS.Timeout | undefined;
  #startedAt = 0;
  #stoppedAt = 0;
  #startedUtc = 0;
  readonly #ackedPerS: number[] = [];
  /** Samples that a device could not keep and therefore did not make. */
  starved = 0;

  constructor(options: LoadOptions) {
    this.#options = options;
    const devices = options.gateways.reduce((sum, g) => sum + g.load.length, 0);
    this.#samplesPerMessage = Math.max(1, Math.round((options.ratePerS * PERIOD_MS) / 1000 / Math.max(1, devices)));
    this.#links = options.gateways.map((gateway) => ({
      gateway,
      link: new GatewayLink({ ...gateway, onAcked: (message) => this.#acked(message) }),
    }));
    this.alarms = new AlarmStage(
      this.#links.flatMap(({ gateway, link }) => gateway.alarms.map((device) => ({ device, link }))),
      options,
    );
  }

  start(): void {
    this.#startedAt = performance.now();
    this.#startedUtc = Date.now();
    let n = 0;
    for (const { gateway, link } of this.#links) {
      link.open();
      // Not all in the same moment.
      for (const device of gateway.load)
        this.#timed.push({ device, link, nextAt: this.#startedAt + ((n++ * 37) % PERIOD_MS), lastTs: 0 });
    }
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    this.#alarmTimer = setInterval(() => this.alarms.tick(performance.now() - this.#startedAt), ALARM_PERIOD_MS);
  }

  /** No more samples. Resolves true when the last one is acknowledged, false when that takes longer than `waitMs`. */
  async finish(waitMs: number, signal?: AbortSignal): Promise<boolean> {
    clearInterval(this.#timer);
    clearInterval(this.#alarmTimer);
    this.#stoppedAt = performance.now();
    while (this.pending > 0 && performance.now() - this.#stoppedAt < waitMs) await pause(50, undefined, { signal });
    return this.pending === 0;
  }

  close(): void {
    clearInterval(this.#timer);
    clearInterval(this.#alarmTimer);
    for (const { link } of this.#links) link.close();
  }

  /** Messages without PUBACK. */
  get pending(): number {
    return this.#links.reduce((sum, { link }) => sum + link.pending, 0);
  }

  /** UTC ms. */
  get startedAt(): number {
    return this.#startedUtc;
  }

  /**
   * Samples with PUBACK a second over the whole load, outages included: `ackedPerS` is everything acknowledged until now by the
   * time from the first sample to the last; `slowestPerS` the poorest ten seconds in a row of it.
   */
  rates(): { loadS: number; ackedPerS: number; slowestPerS: number; resent: number; connects: number } {
    const loadS = ((this.#stoppedAt || performance.now()) - this.#startedAt) / 1000;
    const whole = Array.from({ length: Math.floor(loadS) }, (_, i) => this.#ackedPerS[i] ?? 0);
    let slowest = Number.POSITIVE_INFINITY;
    for (let i = 0; i + WINDOW_S <= whole.length; i++)
      slowest = Math.min(slowest, whole.slice(i, i + WINDOW_S).reduce((a, b) => a + b, 0) / WINDOW_S);
    return {
      loadS: Math.round(loadS * 10) / 10,
      ackedPerS: Math.round(whole.reduce((a, b) => a + b, 0) / Math.max(1, whole.length)),
      slowestPerS: Number.isFinite(slowest) ? Math.round(slowest) : 0,
      resent: this.#links.reduce((sum, { link }) => sum + link.resent, 0),
      connects: this.#links.reduce((sum, { link }) => sum + link.connects, 0),
    };
  }

  #acked(message: Message): void {
    const { ledger } = this.#options;
    ledger.ack(message.device, message.first, message.last);
    const second = Math.floor((performance.now() - this.#startedAt) / 1000);
    this.#ackedPerS[second] = (this.#ackedPerS[second] ?? 0) + message.last - message.first + 1;
    this.alarms.acked(message);
  }

  #tick(): void {
    const now = performance.now();
    for (const timed of this.#timed)
      for (; timed.nextAt <= now; timed.nextAt += PERIOD_MS) {
        if (timed.link.pending >= KEPT_MAX) this.starved += this.#samplesPerMessage;
        else this.#measure(timed, now);
      }
  }

  #measure(timed: { device: LoadDevice; link: GatewayLink; nextAt: number; lastTs: number }, madeAt: number): void {
    const { device, link, nextAt } = timed;
    const count = this.#samplesPerMessage;
    const first = this.#options.ledger.issue(device.id, count);
    // By the plan and not by the clock of the moment, so that a device that falls behind repeats no time.
    const endTs = Math.round(this.#startedUtc + nextAt - this.#startedAt);
    const samples: object[] = [];
    for (let i = 0; i < count; i++) {
      const seq = first + i;
      samples.push({ tilt_deg: tiltOf(device.salt, seq), seq, ts: stamp(device, endTs, count, i) });
    }
    link.send({ device: device.id, first, last: first + count - 1, payload: JSON.stringify(samples), madeAt });
  }
}

function stamp({ stamp: kind }: LoadDevice, endTs: number, count: number, i: number): number {
  if (kind === 'coarse') return Math.floor(endTs / 1000) * 1000;
  if (kind === 'dense') return endTs - count + 1 + i;
  return endTs - (count - 1 - i) * Math.floor(PERIOD_MS / count);
}
