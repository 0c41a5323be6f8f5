import type { StateTable } from './state.ts';

/** What may go, in this order, to make room; events never. */
export const DROPPABLE = ['readings', 'health'] as const;

/** Devices that are counted by name; what others lose is counted under OTHERS. */
export const DROP_DEVICES_MAX = 4096;
export const OTHERS = '*';
const KEY_PREFIX = '#dropped/';
const TAG = Buffer.from(',device=');
const COMMA = 0x2c;

/** Readings dropped at the quota or for their age, by device. Kept in the state table. */
export class DeviceDrops {
  readonly #counts = new Map<string, number>();
  /** Of the transaction under way. */
  #pending = new Map<string, number>();

  constructor(state: StateTable) {
    for (const [key, value] of state.entries(KEY_PREFIX)) this.#counts.set(key.slice(KEY_PREFIX.length), Number(value));
  }

  begin(): void {
    this.#pending = new Map();
  }

  /** A reading's line that goes. */
  add(line: Buffer): void {
    const device = deviceOf(line);
    this.#pending.set(device, (this.#pending.get(device) ?? 0) + 1);
  }

  /** Writes what was added in this transaction. */
  persist(state: StateTable): void {
    for (const [device, count] of this.#bounded(this.#pending))
      state.put(KEY_PREFIX + device, String((this.#counts.get(device) ?? 0) + count));
  }

  committed(): void {
    for (const [device, count] of this.#bounded(this.#pending)) this.#counts.set(device, (this.#counts.get(device) ?? 0) + count);
    this.#pending.clear();
  }

  /** Most first. */
  entries(): [string, number][] {
    return [...this.#counts].sort(([, a], [, b]) => b - a);
  }

  #bounded(pending: ReadonlyMap<string, number>): Map<string, number> {
    const bounded = new Map<string, number>();
    let known = this.#counts.size;
    for (const [device, count] of pending) {
      const named = this.#counts.has(device) || known < DROP_DEVICES_MAX;
      if (named && !this.#counts.has(device)) known++;
      const name = named ? device : OTHERS;
      bounded.set(name, (bounded.get(name) ?? 0) + count);
    }
    return bounded;
  }
}

function deviceOf(line: Buffer): string {
  const from = line.indexOf(TAG);
  if (from < 0) return OTHERS;
  const to = line.indexOf(COMMA, from + TAG.length);
  return line.toString('latin1', from + TAG.length, to < 0 ? line.length - 1 : to).slice(0, 64);
}
