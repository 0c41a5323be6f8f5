import { type Dice, diceOf } from '../cameras/street/mod.ts';

/**
 * kill         SIGKILL; started again after the duration
 * freeze       SIGSTOP, then SIGCONT
 * restart      an orderly stop; started again after the duration
 * wipe         SIGKILL, its persistence deleted; started again after the duration
 * disk-full    the file system is filled to the last block
 * clock-step   the process sees the clock `amount` ms ahead (or behind), then right again
 * the others   of a link: see FaultProxy; `amount` is the delay in ms, or the length of the pieces in bytes
 */
export const FAULTS = [
  'kill',
  'freeze',
  'restart',
  'wipe',
  'disk-full',
  'clock-step',
  'cut',
  'blackhole',
  'drop-response',
  'delay',
  'slice',
] as const;
export type Fault = (typeof FAULTS)[number];

export interface ScheduledFault {
  /** After the start of the load. */
  atMs: number;
  fault: Fault;
  target: string;
  durationMs: number;
  /** See FAULTS; 0 where a fault has none. */
  amount: number;
}

/** What can be hurt, by name, and how. A name may stand several times in `kill` to be hit more often. */
export type Targets = Readonly<Partial<Record<Fault, readonly string[]>>>;

export interface SchedulePlan {
  seed: number;
  kills: number;
  /** From one kill to the next on average; another fault stands between each two. */
  intervalMs: number;
  targets: Targets;
  /**
   * The link on which a process answers. Every second kill of it finds the answers already lost: what it made durable and nobody
   * heard of comes again, to a process that remembers nothing.
   */
  answersOn?: Readonly<Record<string, string>>;
  /** The link over which a disk gets room again. It is cut while that disk is full: a queue that is empty anyway does not mind. */
  relievedOn?: Readonly<Record<string, string>>;
}

/** Shortest and longest, ms. Half of all take less than a quarter of the span: most outages are short. */
const DURATIONS: Readonly<Record<Fault, readonly [number, number]>> = {
  kill: [50, 2_500],
  freeze: [200, 6_000],
  restart: [500, 5_000],
  wipe: [100, 2_000],
  'disk-full': [2_000, 8_000],
  'clock-step': [2_000, 10_000],
  cut: [100, 3_000],
  blackhole: [500, 8_000],
  'drop-response': [300, 4_000],
  delay: [1_000, 6_000],
  slice: [1_000, 5_000],
};
const DELAY_MS = [20, 400] as const;
const SLICE_BYTES = [8, 200] as const;
/** Answers are lost for so long before such a kill, ms. */
const DEAF_BEFORE_MS = [100, 600] as const;
const DEAF_AFTER_MS = 50;
/** Before and after a full disk, its queue grows for so long, ms. */
const BACKLOG_MS = 500;
/** Within what a device's clock may be wrong, on both sides: beyond it its samples count by our own clock. */
const CLOCK_STEPS_MS = [-240_000, -30_000, -2_000, -50, 50, 2_000, 30_000, 240_000] as const;

/**
 * What happens when: the same plan gives the same list, sorted by time. Every fault of every target comes up before any comes a
 * second time, in an order that the seed decides.
 */
export function createSchedule(plan: SchedulePlan): ScheduledFault[] {
  const { seed, kills, intervalMs, targets } = plan;
  const dice = diceOf(seed, 97);
  const killed = bag(targets.kill ?? [], diceOf(seed, 98));
  const others = bag(
    FAULTS.filter((fault) => fault !== 'kill').flatMap((fault) => (targets[fault] ?? []).map((target) => ({ fault, target }))),
    diceOf(seed, 99),
  );
  const schedule: ScheduledFault[] = [];
  const add = (share: number, fault: Fault, target: string | undefined) => {
    const atMs = Math.round((share + dice.between(-0.3, 0.3)) * intervalMs);
    if (target === undefined) return;
    const main: ScheduledFault = { atMs, fault, target, ...shape(fault, dice) };
    schedule.push(...companions(main, plan, dice), main);
  };
  for (let i = 0; i < kills; i++) {
    add(i + 0.35, 'kill', killed());
    const other = others();
    if (other !== undefined) add(i + 0.85, other.fault, other.target);
  }
  return schedule.sort((a, b) => a.atMs - b.atMs);
}

/** What makes a fault bite harder, begun before it. */
function companions({ atMs, fault, target, durationMs }: ScheduledFault, plan: SchedulePlan, dice: Dice): ScheduledFault[] {
  const before = (leadMs: number, kind: 'drop-response' | 'cut', link: string | undefined, lastsMs: number): ScheduledFault[] =>
    link === undefined
      ? []
      : [{ atMs: Math.max(0, atMs - leadMs), fault: kind, target: link, durationMs: leadMs + lastsMs, amount: 0 }];
  if (fault === 'kill' && dice.chance(0.5))
    return before(dice.whole(...DEAF_BEFORE_MS), 'drop-response', plan.answersOn?.[target], DEAF_AFTER_MS);
  if (fault === 'disk-full') return before(BACKLOG_MS, 'cut', plan.relievedOn?.[target], durationMs + BACKLOG_MS);
  return [];
}

/** Draws without putting back; an empty bag is filled again. */
function bag<T>(items: readonly T[], dice: Dice): () => T | undefined {
  let left: T[] = [];
  return () => {
    if (left.length === 0) left = [...items];
    return left.splice(dice.whole(0, Math.max(0, left.length - 1)), 1)[0];
  };
}

function shape(fault: Fault, dice: Dice): { durationMs: number; amount: number } {
  const [low, high] = DURATIONS[fault];
  return { durationMs: Math.round(low + (high - low) * dice.next() ** 2), amount: amountOf(fault, dice) };
}

function amountOf(fault: Fault, dice: Dice): number {
  if (fault === 'delay') return dice.whole(...DELAY_MS);
  if (fault === 'slice') return dice.whole(...SLICE_BYTES);
  if (fault === 'clock-step') return dice.pick(CLOCK_STEPS_MS);
  return 0;
}
