import type { Ledger } from '#simulators/report/mod.ts';
import type { GatewayLink, Message } from './link.ts';
import { type AlarmDevice, tiltOf } from './site.ts';

/** One staged alarm: the cover is open for a while, or until the end. */
interface Staged {
  device: AlarmDevice;
  link: GatewayLink;
  openAtMs: number;
  /** Every second one is closed again. */
  closes: boolean;
  phase: 'before' | 'open' | 'closed';
  /** Samples of this phase that were acknowledged while they were fresh: only those tell the edge how long something lasts. */
  heard: number;
  /** From this number on samples are of the present phase. */
  since: number;
}

/** What must be known at the centre about one device that was staged. */
export interface StagedAlarm {
  device: string;
  component: string;
  /** It was open long enough that there must be an event; otherwise there may be one. */
  certain: boolean;
  /** It was closed again at some time; long enough that the event must be over. */
  closes: boolean;
  cleared: boolean;
}

/** A sample that was acknowledged so soon was looked at when it happened. */
const FRESH_MS = 1_500;
/** Confirm time 3 s and clear time 4 s in the demo profile; each second brings a sample. */
const OPEN_HEARD_MIN = 10;
const CLOSED_HEARD_MIN = 10;
/** A device says nothing before this, to keep the machine free. */
const QUIET_BEFORE_MS = 3_000;

/** Covers that are opened one after the other, evenly over the run. */
export class AlarmStage {
  readonly #staged: Staged[];
  readonly #byDevice: Map<string, Staged>;
  readonly #ledger: Ledger;

  constructor(
    devices: readonly { device: AlarmDevice; link: GatewayLink }[],
    { ledger, stageMs }: { ledger: Ledger; stageMs: number },
  ) {
    this.#ledger = ledger;
    this.#staged = devices.map(({ device, link }, i) => ({
      device,
      link,
      openAtMs: ((i + 0.5) / devices.length) * stageMs,
      closes: i % 2 === 1,
      phase: 'before',
      heard: 0,
      since: 1,
    }));
    this.#byDevice = new Map(this.#staged.map((s) => [s.device.id, s]));
  }

  /** Once a second: every device that is awake sends one sample. */
  tick(elapsedMs: number): void {
    for (const s of this.#staged) {
      if (elapsedMs < s.openAtMs - QUIET_BEFORE_MS) continue;
      if (s.phase === 'before' && elapsedMs >= s.openAtMs) this.#turn(s, 'open');
      if (s.phase === 'open' && s.closes && s.heard >= OPEN_HEARD_MIN) this.#turn(s, 'closed');
      this.#send(s);
    }
  }

  acked({ device, first, madeAt }: Message): void {
    const s = this.#byDevice.get(device);
    if (s && first >= s.since && performance.now() - madeAt <= FRESH_MS) s.heard++;
  }

  /** Whether every alarm has been said for long enough. */
  get settled(): boolean {
    return this.#staged.every((s) => {
      if (s.phase === 'before') return false;
      return s.phase === 'closed' ? s.heard >= CLOSED_HEARD_MIN : !s.closes && s.heard >= OPEN_HEARD_MIN;
    });
  }

  get truth(): StagedAlarm[] {
    return this.#staged
      .filter((s) => s.phase !== 'before')
      .map(({ device, phase, heard }) => ({
        device: device.id,
        component: device.component,
        certain: phase === 'closed' || heard >= OPEN_HEARD_MIN,
        closes: phase === 'closed',
        cleared: phase === 'closed' && heard >= CLOSED_HEARD_MIN,
      }));
  }

  #turn(s: Staged, phase: 'open' | 'closed'): void {
    s.phase = phase;
    s.heard = 0;
    s.since = this.#ledger.sentBy(s.device.id) + 1;
  }

  #send({ device, link, phase }: Staged): void {
    const seq = this.#ledger.issue(device.id, 1);
    const sample = { opened: phase === 'open', tilt_deg: tiltOf(device.salt, seq), seq, ts: Date.now() };
    link.send({ device: device.id, first: seq, last: seq, payload: JSON.stringify(sample), madeAt: performance.now() });
  }
}
