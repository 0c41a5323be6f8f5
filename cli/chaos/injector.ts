import { setTimeout as pause } from 'node:timers/promises';
import type { LinkFault, ScheduledFault } from '#simulators/mod.ts';
import type { ChaosCity } from './city.ts';
import type { Victim } from './process.ts';

/** A fault as it was done, for the log of the run. Monotonic ms since the start of the load. */
export interface DoneFault extends ScheduledFault {
  beganMs: number;
  endedMs: number;
}

export interface InjectorOptions {
  city: ChaosCity;
  schedule: readonly ScheduledFault[];
  onFault(fault: ScheduledFault): void;
}

/**
 * Does what the schedule says. Faults of different targets overlap; those of one target wait for each other, so that none gets
 * lost because its victim lies down already.
 */
export class Injector {
  readonly #options: InjectorOptions;
  readonly #queues = new Map<string, Promise<void>>();
  readonly #stopping = new AbortController();
  readonly done: DoneFault[] = [];

  constructor(options: InjectorOptions) {
    this.#options = options;
  }

  get kills(): number {
    return this.done.filter((d) => d.fault === 'kill').length;
  }

  /** Resolves when everything is over and healed; early after `stop`. Throws when a program does not start again. */
  async run(): Promise<void> {
    const began = performance.now();
    const since = () => Math.round(performance.now() - began);
    for (const fault of this.#options.schedule) {
      await this.#wait(fault.atMs - since());
      if (this.#stopping.signal.aborted) break;
      const before = this.#queues.get(fault.target) ?? Promise.resolve();
      const mine = before.then(async () => {
        if (this.#stopping.signal.aborted) return;
        this.#options.onFault(fault);
        const beganMs = since();
        await this.#inject(fault);
        this.done.push({ ...fault, beganMs, endedMs: since() });
      });
      // Told below.
      mine.catch(() => undefined);
      this.#queues.set(fault.target, mine);
    }
    // All of them to the end: what starts something must not do so behind the back of who stops everything.
    const failed = (await Promise.allSettled(this.#queues.values())).find((r) => r.status === 'rejected');
    if (failed) throw failed.reason;
  }

  /** What is under way ends now. */
  stop(): void {
    this.#stopping.abort();
  }

  async #wait(ms: number): Promise<void> {
    if (ms > 0) await pause(ms, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
  }

  async #inject(scheduled: ScheduledFault): Promise<void> {
    const { fault, target, durationMs, amount } = scheduled;
    const { city } = this.#options;
    switch (fault) {
      case 'kill':
        return this.#away(target, durationMs, (victim) => victim.kill());
      case 'restart':
        return this.#away(target, durationMs, (victim) => victim.stop());
      case 'wipe':
        return this.#away(target, durationMs, async (victim) => {
          await victim.kill();
          await city.wipeBroker();
        });
      case 'freeze':
        return this.#for(
          durationMs,
          () => this.#victim(target).freeze(),
          () => this.#victim(target).thaw(),
        );
      case 'disk-full': {
        const disk = city.edges.find((e) => e.name === target)?.disk;
        return this.#for(
          durationMs,
          async () => disk?.fill(),
          async () => disk?.empty(),
        );
      }
      case 'clock-step':
        return this.#for(
          durationMs,
          () => city.setClock(target, amount),
          () => city.setClock(target, 0),
        );
      default: {
        const link = city.link(target);
        return this.#for(
          durationMs,
          async () => link.set(linkFault(fault, amount)),
          async () => link.set(null),
        );
      }
    }
  }

  async #away(target: string, durationMs: number, down: (victim: Victim) => Promise<void>): Promise<void> {
    const victim = this.#victim(target);
    await down(victim);
    await this.#wait(durationMs);
    await victim.start();
  }

  async #for(durationMs: number, begin: () => Promise<void>, end: () => Promise<void>): Promise<void> {
    await begin();
    await this.#wait(durationMs);
    await end();
  }

  #victim(name: string): Victim {
    const victim = this.#options.city.victims.get(name);
    if (victim === undefined) throw new RangeError(`there is no process ${name}`);
    return victim;
  }
}

function linkFault(kind: 'cut' | 'blackhole' | 'drop-response' | 'delay' | 'slice', amount: number): LinkFault {
  if (kind === 'delay') return { kind, ms: amount };
  if (kind === 'slice') return { kind, bytesMax: amount };
  return { kind };
}
