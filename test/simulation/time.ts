import type { Clock } from '#service/mod.ts';
import { Random } from './random.ts';

interface Timer {
  at: number;
  order: number;
  run: (() => void) | null;
  everyMs: number;
}

const NAMES = ['setTimeout', 'setInterval', 'setImmediate', 'clearTimeout', 'clearInterval', 'clearImmediate'] as const;
/** The real one: when it fires, every promise that could be settled is. */
const afterPromises = globalThis.setImmediate;

/**
 * Time that passes only when told to. While installed, the timers of Node and `Math.random` are its own: the code
 * under test runs as it is, a minute in milliseconds, and the same seed gives the same run.
 */
export class SimulatedTime {
  readonly random: Random;
  #now = 0;
  #order = 0;
  readonly #heap: Timer[] = [];
  #kept: Record<string, unknown> | null = null;
  /** Timers that fired. */
  fired = 0;

  constructor(seed: number) {
    this.random = new Random(seed);
  }

  get now(): number {
    return this.#now;
  }

  /** A clock of one machine: `stepMs` is how far its wall clock is off. */
  clock(machine: { stepMs: number }, epoch: number): Clock {
    return { now: () => epoch + Math.floor(this.#now) + machine.stepMs, monotonic: () => this.#now };
  }

  install(): void {
    const target = globalThis as unknown as Record<string, unknown>;
    this.#kept = Object.fromEntries(NAMES.map((name) => [name, target[name]]));
    this.#kept.random = Math.random;
    const start = (run: () => void, ms = 0, everyMs = 0) => this.#start(run, ms, everyMs);
    const clear = (timer: Timer | undefined | null) => {
      if (timer) timer.run = null;
    };
    target.setTimeout = (run: () => void, ms?: number) => start(run, ms);
    target.setInterval = (run: () => void, ms = 1) => start(run, ms, Math.max(1, ms));
    target.setImmediate = (run: () => void) => start(run);
    target.clearTimeout = target.clearInterval = target.clearImmediate = clear;
    Math.random = this.random.next;
  }

  uninstall(): void {
    const { random, ...timers } = this.#kept ?? {};
    Object.assign(globalThis, timers);
    if (random) Math.random = random as () => number;
  }

  pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.#start(resolve, ms, 0));
  }

  /** Lets time pass up to `until`, or until `done`. */
  async run(until: number, done: () => boolean = () => false): Promise<void> {
    await settled();
    for (let next = this.#heap[0]; next && next.at <= until && !done(); next = this.#heap[0]) {
      this.#pop();
      if (next.run === null) continue;
      this.#now = Math.max(this.#now, next.at);
      this.fired++;
      const { run } = next;
      if (next.everyMs > 0) this.#push({ timer: next, at: this.#now + next.everyMs });
      run();
      await settled();
    }
    if (!done()) this.#now = Math.max(this.#now, until);
  }

  #start(run: () => void, ms: number, everyMs: number): Timer {
    const timer: Timer = { at: 0, order: 0, run, everyMs };
    this.#push({ timer, at: this.#now + Math.max(0, ms) });
    return timer;
  }

  #push({ timer, at }: { timer: Timer; at: number }): void {
    timer.at = at;
    timer.order = ++this.#order;
    const heap = this.#heap;
    let i = heap.push(timer) - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!before(timer, heap[parent] as Timer)) break;
      heap[i] = heap[parent] as Timer;
      i = parent;
    }
    heap[i] = timer;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop() as Timer;
    if (heap.length === 0) return;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1] as Timer, heap[child] as Timer)) child++;
      if (!before(heap[child] as Timer, last)) break;
      heap[i] = heap[child] as Timer;
      i = child;
    }
    heap[i] = last;
  }
}

const before = (a: Timer, b: Timer) => a.at < b.at || (a.at === b.at && a.order < b.order);

function settled(): Promise<void> {
  return new Promise((resolve) => afterPromises(resolve));
}
