import type { EventClass, Raises, Severity, ThresholdRule } from '#grid/mod.ts';
import type { Clock } from '#service/mod.ts';
import type { StateChange } from '../outbox/mod.ts';
import type { RegisteredDevice } from '../registry.ts';
import { type FlapState, movedFlap, STEADY } from './flapping.ts';
import { isUnderMaintenance } from './maintenance.ts';
import { type About, type OpenEvent, parseStored, Telling, toUtc } from './telling.ts';
import { movedThreshold, NORMAL, type ThresholdState } from './threshold.ts';

/** Who tells an alarm that is active: its own event, the one of many that it is among, or nobody yet. */
export type ToldBy = 'self' | 'held' | 'group' | 'unstable' | 'storm';

/** What every rule has in common. */
export interface AlarmRule {
  id: string;
  raises: Raises;
  severity: Severity;
}

/** What is kept across restarts; times are UTC ms. */
interface StoredAlarm {
  state: ThresholdState;
  open: OpenEvent | null;
  value: number | boolean;
  seenAt: number;
  raised?: { since: number; at: number } | null;
  by?: ToldBy | null;
}

const PHASES = ['pending', 'active', 'clearing'];

/** One rule on one device. Times inside are monotonic, so that nobody who sets the clock moves a confirm time. */
export class Alarm extends Telling {
  readonly device: RegisteredDevice;
  readonly rule: AlarmRule;
  /** What its events name as its field. */
  readonly field: string;
  state: ThresholdState = NORMAL;
  /** Value of the field when the condition last held, and UTC ms of that. */
  value: number | boolean = false;
  seenAt = 0;
  /** While it is active. */
  raised: { since: number; at: number } | null = null;
  by: ToldBy | null = null;
  /** While it is held back: who else is concerned may show until then. */
  heldUntil = 0;
  flap: FlapState = STEADY;

  constructor(device: RegisteredDevice, rule: AlarmRule, field: string) {
    super();
    this.device = device;
    this.rule = rule;
    this.field = field;
  }

  get isActive(): boolean {
    return this.state.phase === 'active' || this.state.phase === 'clearing';
  }

  /** Somebody works on the device, or on a group of it. */
  isWorkedOn(at: number): boolean {
    const { windows, groups } = this.device;
    return isUnderMaintenance(windows, at) || groups.some((g) => isUnderMaintenance(g.windows, at));
  }

  about(now: number): About {
    const { device, kind, place } = this.device;
    // One that was told before the work began goes on as it was.
    const suppressed = this.isWorkedOn(this.open?.confirmedAt ?? now) && this.isWorkedOn(now);
    return {
      class: classOf(this.rule.raises, device.component),
      severity: this.rule.severity,
      place,
      origin: { by: 'sensor', device: device.id, kind: kind.kind, rule: this.rule.id, field: this.field, value: this.value },
      seenAt: this.seenAt,
      ...(suppressed ? { suppressed: 'maintenance' } : {}),
    };
  }

  stored(clock: Clock): StateChange[] {
    const utc = toUtc(clock);
    const { open, value, seenAt, by, raised } = this;
    const stored: StoredAlarm = {
      state: movedThreshold(this.state, utc),
      open,
      value,
      seenAt,
      by,
      raised: raised && { since: raised.since + utc, at: raised.at + utc },
    };
    const { id } = this.device.device;
    const flap = this.flap.phase === 'steady' && this.flap.times.length === 0 ? null : JSON.stringify(movedFlap(this.flap, utc));
    return [
      { key: ruleKey(id, this.rule.id), value: this.state.phase === 'normal' ? null : JSON.stringify(stored) },
      { key: flapKey(id, this.rule.id), value: flap },
    ];
  }

  /** Takes up what an earlier life of the node had seen. What does not fit is as good as none. */
  restore(rule: string | undefined, flap: string | undefined, clock: Clock): void {
    const [utc, now] = [toUtc(clock), clock.monotonic()];
    const flapping = parseStored<FlapState>(flap);
    if (flapping?.phase === 'unstable' || (flapping?.phase === 'steady' && Array.isArray(flapping.times)))
      this.flap = movedFlap(flapping, -utc, now);
    const stored = parseStored<StoredAlarm>(rule);
    if (!stored || !PHASES.includes(stored.state?.phase)) return;
    const { state, open, value, seenAt, raised = null, by = null } = stored;
    const active = state.phase !== 'pending';
    // Active and told by nobody, or told and not active, cannot be gone on from.
    if (active !== (open !== null || (by !== null && by !== 'self'))) return;
    // A clock that was set back in between must not put the beginning into the future.
    const moved = (ms: number) => Math.min(now, ms - utc);
    this.state = movedThreshold(state, -utc, now);
    this.open = open;
    this.value = value;
    this.seenAt = seenAt;
    if (!active) return;
    this.raised = raised === null ? { since: now, at: now } : { since: moved(raised.since), at: moved(raised.at) };
    this.by = open === null ? by : 'self';
    this.heldUntil = this.raised.at + this.device.limits.group.holdS * 1000;
  }
}

/** A rule over values. */
export class ThresholdAlarm extends Alarm {
  readonly threshold: ThresholdRule;
  /** The fields that its conditions read. */
  readonly fields: readonly string[];

  constructor(device: RegisteredDevice, rule: ThresholdRule) {
    super(device, rule, rule.when[0]?.field as string);
    this.threshold = rule;
    this.fields = [...new Set([...rule.when, ...rule.clear.when].map((c) => c.field))];
  }
}

export const ruleKey = (device: string, rule: string) => `rule/${device}/${rule}`;
export const flapKey = (device: string, rule: string) => `flap/${device}/${rule}`;

export function classOf(raises: Raises, component: string): EventClass {
  return 'fault' in raises ? { flag: 1, code: component.slice(6, 10), fault: raises.fault } : { flag: 2, code: raises.event };
}
