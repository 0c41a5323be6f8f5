import { createCellIndex, type Site, type SiteDevice, siteMistakes } from '#grid/mod.ts';
import { checkEvent, type EventRecord } from '#grid/wire/mod.ts';
import { ManualClock, silentLog } from '#service/mod.ts';
import type { Outbox, StateChange } from '../../edge/outbox/mod.ts';
import { createRegistry } from '../../edge/registry.ts';
import { RuleEngine } from '../../edge/rules/mod.ts';
import { coverDevice, edgeConfig } from './edge.ts';

/** The alarm engine over a disk in memory, so that a life of the node costs nothing, and one commit after the other can be held back. */

export const NOW = Date.UTC(2026, 10, 23, 2);
export const FEEDER = '1101010110000001';
export const DARK = { power_w: 0, voltage_v: 220, commanded_on: true };
export const LIT = { power_w: 90, voltage_v: 221, commanded_on: true };

export const lamp = (n: number, more: Partial<SiteDevice> = {}): SiteDevice => ({
  ...coverDevice(`sl-${n}`),
  kind: 'streetlight',
  component: `1101010118${String(n).padStart(6, '0')}`,
  ...more,
});

export function siteOf(devices: SiteDevice[], more: Partial<Site> = {}): Site {
  const { site } = edgeConfig({ dataDir: '/nowhere', centreUrl: 'mqtt://127.0.0.1:9', devices });
  const whole = { ...site, ...more };
  const mistakes = siteMistakes(whole);
  if (mistakes.length > 0) throw new Error(JSON.stringify(mistakes));
  return whole;
}

export const circuit = (n: number): [SiteDevice[], Partial<Site>] => [
  Array.from({ length: n }, (_, i) => lamp(i + 1, { circuit: 'c-1' })),
  { groups: [{ id: 'c-1', kind: 'circuit', component: FEEDER }] },
];

/** What is appended in one turn is one commit, as in the outbox. */
export class MemoryDisk {
  /** Turns of the loop that a commit takes; what comes meanwhile makes the next one. */
  turns = 1;
  /** So many appends are refused: it is full. */
  refuses = 0;
  readonly events: EventRecord[] = [];
  readonly kept = new Map<string, string>();

  /** Of one life of the node: what was not committed when it is killed is gone. */
  life(): Pick<Outbox, 'append' | 'state'> & { kill(): void } {
    let dead = false;
    let group: { lines: Uint8Array[]; state: StateChange[]; done: PromiseWithResolvers<void> } | null = null;
    let committing = false;
    const commit = async () => {
      if (committing || group === null) return;
      committing = true;
      const { lines, state, done } = group;
      group = null;
      for (let i = 0; i < this.turns; i++) await new Promise((resolve) => setImmediate(resolve));
      if (dead) return;
      for (const line of lines) this.events.push(JSON.parse(Buffer.from(line).toString()));
      for (const { key, value } of state) {
        if (value === null) this.kept.delete(key);
        else this.kept.set(key, value);
      }
      done.resolve();
      committing = false;
      // Who waited for this one and has more to say is in the next one.
      setImmediate(() => void commit());
    };
    return {
      append: (lane, lines, state = []) => {
        if (this.refuses-- > 0) return Promise.reject(new Error('full'));
        this.refuses = 0;
        if (group === null) {
          group = { lines: [], state: [], done: Promise.withResolvers() };
          setImmediate(() => void commit());
        }
        if (lane === 'events') group.lines.push(...lines);
        group.state.push(...state);
        return group.done.promise;
      },
      state: async (prefix) => new Map([...this.kept].filter(([key]) => key.startsWith(prefix))),
      kill: () => {
        dead = true;
      },
    };
  }
}

export async function startNode(site: Site, { disk = new MemoryDisk(), clock = new ManualClock(NOW) } = {}) {
  const outbox = disk.life();
  const registry = createRegistry(site, createCellIndex(site.cells), 'default');
  const engine = new RuleEngine({ edge: 'edge-01', registry, outbox, clock, log: silentLog });
  await engine.start();
  /** Ticks are ours alone: until the disk has everything. */
  const settle = async () => {
    for (let i = 0; i < 8 + 4 * disk.turns; i++) await new Promise((resolve) => setImmediate(resolve));
  };
  const kill = () => {
    outbox.kill();
    void engine.stop();
  };
  return {
    clock,
    disk,
    engine,
    settle,
    kill,
    /** Time passes. */
    async pass(s: number, stepS = 1) {
      for (let left = s; left > 0; left -= stepS) {
        clock.advance(Math.min(stepS, left) * 1000);
        engine.tick();
      }
      await settle();
    },
    async events() {
      await settle();
      for (const e of disk.events) if (!checkEvent.Check(e)) throw new Error(`no event: ${JSON.stringify(e)}`);
      return disk.events;
    },
    /** The next life of the node on the same disk, after so many seconds. */
    async restart(afterS = 10, next: Site = site) {
      await settle();
      kill();
      return startNode(next, { disk, clock: new ManualClock(clock.now() + afterS * 1000) });
    },
  };
}
export type TestNode = Awaited<ReturnType<typeof startNode>>;

export const deviceOf = (e: EventRecord) => (e.data.origin as { device: string }).device;
export const told = (all: readonly EventRecord[]) =>
  all.map((e) => `${e.type.slice('gewu.event.'.length)} ${e.data.class.fault ?? e.data.class.code} ${deviceOf(e)}`);
/** The highest revision of each event. */
export const latest = (all: readonly EventRecord[]) => [...new Map(all.map((e) => [e.subject, e])).values()];
export const openOf = (all: readonly EventRecord[]) => latest(all).filter((e) => e.data.clearedAt === undefined);
