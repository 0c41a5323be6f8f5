import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { type EventClass, type EventData, type EventType, type ThresholdRule, toEventRecord } from '#grid/mod.ts';
import { type Clock, GewuError, type Log, type Service } from '#service/mod.ts';
import type { Outbox } from '../outbox/mod.ts';
import type { DeviceRegistry } from '../registry.ts';
import {
  type Fields,
  holds,
  onSample,
  onTick,
  type ThresholdChange,
  type ThresholdState,
  type ThresholdStep,
} from './threshold.ts';
import { createWatch, restoreWatch, storedWatch, toUtc, type Watch } from './watch.ts';

/** Timers are looked at so often: a confirm time is noticed at most this late. */
const TICK_MS = 100;
/** An active event says that it is still seen, at most so often. */
const UPDATE_MS = 60_000;
const RETRY_MS = 1000;
/** Revisions of one rule that wait for a broken disk; beyond it the rule rests until the disk is back. */
const UNSAVED_MAX = 100;

export interface RuleEngineDeps {
  edge: string;
  registry: DeviceRegistry;
  outbox: Pick<Outbox, 'append' | 'state'>;
  clock: Clock;
  log: Log;
}

/**
 * Runs the threshold rules of all devices and puts their events into the outbox, in one transaction with the state
 * that they come from: a condition that was confirming, active or clearing goes on after a kill where it stood.
 */
export class RuleEngine implements Service {
  readonly #deps: RuleEngineDeps;
  readonly #watches = new Map<string, Watch[]>();
  /** Latest value of each field of each device: a payload may carry only what changed. */
  readonly #latest = new Map<string, Record<string, number | boolean>>();
  /** Those with a confirm or clear time running. */
  readonly #timed = new Set<Watch>();
  readonly #saving = new Set<Promise<void>>();
  readonly #stopping = new AbortController();
  #timer: NodeJS.Timeout | undefined;

  constructor(deps: RuleEngineDeps) {
    this.#deps = deps;
  }

  async start(): Promise<void> {
    const { registry, outbox, clock } = this.#deps;
    const stored = await outbox.state('rule/');
    for (const [id, device] of registry) {
      const watches = device.rules.map((rule) => createWatch(device, rule));
      this.#watches.set(id, watches);
      for (const w of watches) {
        const text = stored.get(w.key);
        if (text === undefined) continue;
        restoreWatch(w, text, clock);
        this.#time(w);
        stored.delete(w.key);
      }
    }
    await this.#forget([...stored.keys()]);
    this.#timer = setInterval(() => this.tick(), TICK_MS);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#stopping.abort();
    await Promise.allSettled(this.#saving);
  }

  /**
   * A fresh sample of a registered device; late ones build history and are not given here. Returns what the PUBACK
   * must wait for: events and rule state that the sample brought about.
   */
  sample(device: string, fields: Fields, implausible: readonly string[]): Promise<unknown> | undefined {
    const { clock } = this.#deps;
    const now = clock.monotonic();
    const latest = this.#latest.get(device) ?? {};
    this.#latest.set(device, latest);
    for (const name in fields) if (!implausible.includes(name)) latest[name] = fields[name] as number | boolean;

    let saves: Promise<void>[] | undefined;
    for (const w of this.#watches.get(device) ?? []) {
      // A value that cannot be says nothing, neither for an alarm nor against it.
      if (!w.fields.some((f) => fields[f] !== undefined) || w.fields.some((f) => implausible.includes(f))) continue;
      if (w.unsaved.length >= UNSAVED_MAX) continue;
      const wrong = holds(w.rule.when, latest);
      if (wrong) {
        w.value = latest[w.rule.when[0]?.field as string] as number | boolean;
        w.seenAt = clock.now();
      }
      this.#apply(w, onSample(w.rule, w.state, latest, now));
      if (wrong) this.#update(w);
      const saving = this.#save(w);
      if (saving) {
        saves ??= [];
        saves.push(saving);
      }
    }
    return saves && Promise.all(saves);
  }

  /** Time passes. */
  tick(): void {
    const now = this.#deps.clock.monotonic();
    for (const w of [...this.#timed]) {
      this.#apply(w, onTick(w.rule, w.state, now));
      void this.#save(w);
    }
  }

  #apply(w: Watch, { state, changes }: ThresholdStep): void {
    if (!same(w.state, state)) w.dirty = true;
    w.state = state;
    this.#time(w);
    for (const change of changes) this.#turn(w, change);
  }

  #time(w: Watch): void {
    if (w.state.phase === 'pending' || w.state.phase === 'clearing') this.#timed.add(w);
    else this.#timed.delete(w);
  }

  #turn(w: Watch, change: ThresholdChange): void {
    const utc = toUtc(this.#deps.clock);
    const now = this.#deps.clock.now();
    if (change.to === 'raised') {
      // 80 random bits: no two nodes of a city, nor two lives of one, make the same.
      const event = `${this.#deps.edge.slice(0, 40)}-${randomBytes(10).toString('hex')}`;
      const [startedAt, confirmedAt] = [Math.round(utc + change.since), Math.round(utc + change.at)];
      w.open = { event, revision: 1, startedAt, confirmedAt, updatedAt: now };
      this.#revise(w, w.open, 'gewu.event.raised');
    } else if (w.open) {
      const open = { ...w.open, revision: w.open.revision + 1 };
      w.open = null;
      this.#revise(w, open, 'gewu.event.cleared', Math.round(utc + change.at));
    }
  }

  #update(w: Watch): void {
    const now = this.#deps.clock.now();
    // While the disk is away, one revision that waits says as much as many.
    if (w.open === null || w.state.phase !== 'active' || w.saving !== null) return;
    // A clock that was set back must not silence the updates for as long.
    if (now >= w.open.updatedAt && now - w.open.updatedAt < UPDATE_MS) return;
    w.open = { ...w.open, revision: w.open.revision + 1, updatedAt: now };
    this.#revise(w, w.open, 'gewu.event.updated');
  }

  #revise(w: Watch, open: Watch['open'] & object, type: EventType, clearedAt?: number): void {
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
      lastSeenAt: Math.max(w.seenAt, open.startedAt),
      ...(clearedAt === undefined ? {} : { clearedAt }),
      evidence: [],
    };
    w.unsaved.push(Buffer.from(JSON.stringify(toEventRecord(open.event, type, this.#deps.clock.now(), data))));
    w.dirty = true;
  }

  /** Begins in this very turn of the loop, so that the reading and what follows from it share a transaction. */
  #save(w: Watch): Promise<void> | null {
    if (!w.dirty) return w.saving;
    if (w.saving === null) {
      const saving = this.#write(w);
      w.saving = saving;
      this.#saving.add(saving);
      saving.catch(() => undefined).finally(() => this.#saving.delete(saving));
    }
    return w.saving;
  }

  /** An event is not given up while the node runs: a full or broken disk is waited for. */
  async #write(w: Watch): Promise<void> {
    const { outbox, log, clock } = this.#deps;
    try {
      while (w.dirty) {
        w.dirty = false;
        const records = w.unsaved.slice();
        try {
          await outbox.append('events', records, [{ key: w.key, value: storedWatch(w, clock) }]);
          w.unsaved.splice(0, records.length);
        } catch (error) {
          w.dirty = true;
          log.error({ rule: w.key, error: (error as Error).message }, 'an event waits for the outbox');
          await pause(RETRY_MS, undefined, { signal: this.#stopping.signal }).catch(() => {
            throw new GewuError('GEWU_OUTBOX_BROKEN', `${w.key}: not on disk when the node stopped`, { cause: error });
          });
        }
      }
    } finally {
      // In the same turn as the last look at `dirty`: nobody may take this for a writer that still looks.
      w.saving = null;
    }
  }

  /** State of rules that are configured no more. Their events stay as they are: people close cases. */
  async #forget(keys: readonly string[]): Promise<void> {
    if (keys.length === 0) return;
    this.#deps.log.warn(
      { rules: keys.slice(0, 20), count: keys.length },
      'rules that were at work are gone from the configuration',
    );
    await this.#deps.outbox.append(
      'events',
      [],
      keys.map((key) => ({ key, value: null })),
    );
  }
}

function same(a: ThresholdState, b: ThresholdState): boolean {
  if (a.phase === 'pending' && b.phase === 'pending') return a.since === b.since && a.samples === b.samples;
  if (a.phase === 'clearing' && b.phase === 'clearing') return a.clearSince === b.clearSince;
  return a.phase === b.phase;
}

function classOf(rule: ThresholdRule, component: string): EventClass {
  return 'fault' in rule.raises
    ? { flag: 1, code: component.slice(6, 10), fault: rule.raises.fault }
    : { flag: 2, code: rule.raises.event };
}
