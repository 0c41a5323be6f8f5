import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { type EventClass, type EventData, type EventType, type ThresholdRule, toEventRecord } from '#grid/mod.ts';
import type { Clock, Log, Service } from '#service/mod.ts';
import type { Outbox, StateChange } from '../outbox/mod.ts';
import type { DeviceRegistry, RegisteredDevice } from '../registry.ts';
import { type Fields, NORMAL, onSample, onTick, type ThresholdState, type ThresholdStep } from './threshold.ts';

/** Timers are looked at so often: a confirm time is noticed at most this late. */
const TICK_MS = 100;
/** An active event says that it is still seen, at most so often. */
const UPDATE_MS = 60_000;
const RETRY_MS = 1000;

/** An event that is open; lives in the outbox's file beside the records that speak of it, so a restart does not raise it again. */
interface OpenEvent {
  event: string;
  revision: number;
  startedAt: number;
  confirmedAt: number;
  updatedAt: number;
}

interface Watch {
  device: RegisteredDevice;
  rule: ThresholdRule;
  key: string;
  state: ThresholdState;
  open: OpenEvent | null;
  /** Value of the rule's first field when it was last seen. */
  value: number | boolean;
}

export interface RuleEngineDeps {
  edge: string;
  registry: DeviceRegistry;
  outbox: Outbox;
  clock: Clock;
  log: Log;
}

/** Runs the threshold rules of all devices and emits their events, durable with their state. */
export class RuleEngine implements Service {
  readonly #deps: RuleEngineDeps;
  readonly #watches = new Map<string, Watch[]>();
  /** Latest value of each field of each device: a payload may carry only what changed. */
  readonly #latest = new Map<string, Record<string, number | boolean>>();
  /** Those with a timer running. */
  readonly #timed = new Set<Watch>();
  #timer: NodeJS.Timeout | undefined;
  /** Emissions go one after the other: revisions of an event are appended in order. */
  #emitting: Promise<void> = Promise.resolve();
  #stopping = new AbortController();

  constructor(deps: RuleEngineDeps) {
    this.#deps = deps;
  }

  async start(): Promise<void> {
    const stored = await this.#deps.outbox.state('rule/');
    for (const [id, device] of this.#deps.registry)
      this.#watches.set(
        id,
        device.rules.map((rule) => watch(id, device, rule, stored)),
      );
    this.#timer = setInterval(() => this.tick(), TICK_MS);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#stopping.abort();
    await this.#emitting;
  }

  /** A fresh sample of a registered device; late ones build history and are not given here. */
  sample(device: string, fields: Fields, implausible: readonly string[]): void {
    const now = this.#deps.clock.now();
    const latest = this.#latest.get(device) ?? {};
    this.#latest.set(device, latest);
    for (const name in fields) {
      if (implausible.includes(name)) delete latest[name];
      else latest[name] = fields[name] as number | boolean;
    }
    for (const w of this.#watches.get(device) ?? []) {
      if (!w.rule.when.concat(w.rule.clear.when).some((c) => fields[c.field] !== undefined)) continue;
      const field = w.rule.when[0]?.field as string;
      // The value that an event reports is the one that was wrong, not the one that cleared it.
      if (w.state.phase !== 'clearing') w.value = latest[field] ?? w.value;
      this.#apply(w, onSample(w.rule, w.state, latest, now), now);
      this.#update(w, now);
    }
  }

  /** Time passes. */
  tick(): void {
    const now = this.#deps.clock.now();
    for (const w of [...this.#timed]) this.#apply(w, onTick(w.rule, w.state, now), now);
  }

  /** All that was decided so far is in the outbox. */
  settled(): Promise<void> {
    return this.#emitting;
  }

  #apply(w: Watch, { state, change }: ThresholdStep, now: number): void {
    const since = 'since' in state ? state.since : now;
    w.state = state;
    if (state.phase === 'pending' || state.phase === 'clearing') this.#timed.add(w);
    else this.#timed.delete(w);
    if (change?.to === 'raised') {
      const event = `${this.#deps.edge.slice(0, 40)}-${randomBytes(10).toString('hex')}`;
      w.open = { event, revision: 1, startedAt: since, confirmedAt: change.at, updatedAt: now };
      this.#emit(w, w.open, 'gewu.event.raised', now);
    }
    if (change?.to === 'cleared' && w.open) {
      const open = { ...w.open, revision: w.open.revision + 1 };
      w.open = null;
      this.#emit(w, open, 'gewu.event.cleared', now, change.at);
    }
  }

  #update(w: Watch, now: number): void {
    if (w.open === null || w.state.phase !== 'active' || now - w.open.updatedAt < UPDATE_MS) return;
    w.open = { ...w.open, revision: w.open.revision + 1, updatedAt: now };
    this.#emit(w, w.open, 'gewu.event.updated', now);
  }

  #emit(w: Watch, open: OpenEvent, type: EventType, now: number, clearedAt?: number): void {
    const { device } = w.device;
    const data: EventData = {
      revision: open.revision,
      edge: this.#deps.edge,
      class: classOf(w.rule, device.component),
      severity: w.rule.severity,
      confidence: 1,
      place: w.device.place,
      origin: {
        by: 'sensor',
        device: device.id,
        kind: device.kind,
        rule: w.rule.id,
        field: w.rule.when[0]?.field as string,
        value: w.value,
      },
      startedAt: open.startedAt,
      confirmedAt: open.confirmedAt,
      lastSeenAt: now,
      ...(clearedAt === undefined ? {} : { clearedAt }),
      evidence: [],
    };
    const record = Buffer.from(JSON.stringify(toEventRecord(open.event, type, now, data)));
    const state: StateChange = { key: w.key, value: clearedAt === undefined ? JSON.stringify(open) : null };
    this.#emitting = this.#emitting.then(() => this.#append(record, state));
  }

  /** An event is not given up while the node runs: a full or broken disk is waited for. */
  async #append(record: Buffer, state: StateChange): Promise<void> {
    for (;;) {
      try {
        return await this.#deps.outbox.append('events', [record], [state]);
      } catch (error) {
        this.#deps.log.error({ error: (error as Error).message }, 'an event waits for the outbox');
        if (this.#stopping.signal.aborted) return;
        await pause(RETRY_MS, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
      }
    }
  }
}

function watch(id: string, device: RegisteredDevice, rule: ThresholdRule, stored: ReadonlyMap<string, string>): Watch {
  const key = `rule/${id}/${rule.id}`;
  const text = stored.get(key);
  const open = text === undefined ? null : (JSON.parse(text) as OpenEvent);
  const state: ThresholdState = open ? { phase: 'active', since: open.startedAt, confirmedAt: open.confirmedAt } : NORMAL;
  return { device, rule, key, state, open, value: false };
}

function classOf(rule: ThresholdRule, component: string): EventClass {
  return 'fault' in rule.raises
    ? { flag: 1, code: component.slice(6, 10), fault: rule.raises.fault }
    : { flag: 2, code: rule.raises.event };
}
