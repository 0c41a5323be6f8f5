import { createHash } from 'node:crypto';
import { type EventData, type EventType, toEventRecord } from '#grid/mod.ts';
import type { Alarm, ThresholdAlarm } from './alarm.ts';
import type { DeviceAlarms } from './device.ts';
import { onLateSample } from './late.ts';
import type { TellerDeps } from './telling.ts';
import { type Fields, holds, NORMAL, type ThresholdState } from './threshold.ts';

/** Where one rule stands in a device's past. Times are UTC ms. */
interface Past {
  state: ThresholdState;
  value: number | boolean;
  seenAt: number;
  open: { event: string; startedAt: number; confirmedAt: number } | null;
}

/** What one device sent too late, in its own order. */
interface DevicePast {
  latest: Record<string, number | boolean>;
  newest: number;
  rules: Map<string, Past>;
  /** What the disk refused: told with the next sample, which may be the same one again. */
  untold: Buffer[];
}

/**
 * Alarms in data that came more than an hour late, after an outage of the device: told with `late`, so that they are on record
 * and open no case. Their events' ids follow from what they are about, so that data that come again tell the same ones; nothing of
 * it is kept across restarts.
 */
export class LateAlarms {
  readonly #deps: TellerDeps;
  readonly #pasts = new Map<string, DevicePast>();

  constructor(deps: TellerDeps) {
    this.#deps = deps;
  }

  /** `ts`: UTC ms of the sample. Resolves when what it told is durable; undefined when that is nothing. */
  sample({ device, rules }: DeviceAlarms, fields: Fields, excluded: readonly string[], ts: number): Promise<void> | undefined {
    const { id } = device.device;
    const none = (): DevicePast => ({ latest: {}, newest: Number.NEGATIVE_INFINITY, rules: new Map(), untold: [] });
    const past = this.#pasts.get(id) ?? none();
    this.#pasts.set(id, past);
    const told = past.untold;
    past.untold = [];
    // It came again, or out of order: the past has been told without it.
    if (ts > past.newest) {
      past.newest = ts;
      for (const name in fields) if (!excluded.includes(name)) past.latest[name] = fields[name] as number | boolean;
      for (const alarm of rules) told.push(...this.#look(alarm, past, ts));
    }
    return told.length === 0 ? undefined : this.#append(past, told);
  }

  async #append(past: DevicePast, told: Buffer[]): Promise<void> {
    try {
      await this.#deps.outbox.append('events', told);
    } catch (error) {
      past.untold = [...told, ...past.untold];
      throw error;
    }
  }

  #look(alarm: ThresholdAlarm, { latest, rules }: DevicePast, ts: number): Buffer[] {
    const past = rules.get(alarm.rule.id) ?? { state: NORMAL, value: false, seenAt: ts, open: null };
    rules.set(alarm.rule.id, past);
    if (holds(alarm.threshold.when, latest)) {
      past.value = latest[alarm.field] as number | boolean;
      past.seenAt = ts;
    }
    const { state, changes } = onLateSample(alarm.threshold, past.state, latest, ts);
    past.state = state;
    return changes.flatMap((change) => {
      if (change.to === 'raised') {
        const name = createHash('sha256')
          .update(`${alarm.device.device.id}/${alarm.rule.id}/${change.since}`)
          .digest('hex')
          .slice(0, 20);
        past.open = { event: `${this.#deps.edge.slice(0, 38)}-l-${name}`, startedAt: change.since, confirmedAt: change.at };
        return [this.#record(alarm, past, past.open, 'gewu.event.raised')];
      }
      const { open } = past;
      past.open = null;
      return open === null ? [] : [this.#record(alarm, past, open, 'gewu.event.cleared', change.at)];
    });
  }

  #record(alarm: Alarm, past: Past, open: NonNullable<Past['open']>, type: EventType, clearedAt?: number): Buffer {
    const { edge, clock } = this.#deps;
    const { seenAt: _, origin, suppressed: __, ...about } = alarm.about(clock.now());
    const data: EventData = {
      revision: clearedAt === undefined ? 1 : 2,
      edge,
      confidence: 1,
      ...about,
      origin: { ...origin, value: past.value } as EventData['origin'],
      startedAt: open.startedAt,
      confirmedAt: open.confirmedAt,
      lastSeenAt: past.seenAt,
      ...(clearedAt === undefined ? {} : { clearedAt }),
      evidence: [],
      late: true,
    };
    return Buffer.from(JSON.stringify(toEventRecord(open.event, type, clock.now(), data)));
  }
}
