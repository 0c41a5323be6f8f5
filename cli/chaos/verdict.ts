import type { Case } from '#grid/mod.ts';
import type { Comparison } from '#simulators/report/mod.ts';
import type { StagedAlarm } from './alarms.ts';
import type { StoredEvent } from './stored.ts';

const FAULT = 'cover_open';
/** Devices' PUBACKs a second, over the whole load. */
export const ACKED_PER_S_MIN = 2_000;

/**
 * Compares the covers that were opened with what the centre made of them: one event and one case each. Counted like readings:
 * an alarm without its event or case is lost, a second one is duplicated, whatever else is there is unexpected.
 */
export function compareAlarms(
  truth: readonly StagedAlarm[],
  { events, cases }: { events: readonly StoredEvent[]; cases: readonly Case[] },
): Omit<Comparison, 'stored'> {
  const result = { lost: 0, duplicated: 0, unexpected: 0, examples: [] as string[] };
  const count = (what: 'lost' | 'duplicated' | 'unexpected', example: string) => {
    result[what]++;
    result.examples.push(`${what} ${example}`);
  };
  const staged = new Map(truth.map((t) => [t.component, t]));
  const eventsOf = group(events, (e) => e.record.data.place.component ?? '');
  const casesOf = group(cases, (c) => c.place.component ?? '');
  for (const { device, component, certain, closes, cleared } of truth) {
    const [mine, filed] = [eventsOf.get(component) ?? [], casesOf.get(component) ?? []];
    if (mine.length === 0 && certain) count('lost', `event of ${device}`);
    if (filed.length === 0 && certain) count('lost', `case of ${device}`);
    for (const e of mine.slice(1)) count('duplicated', `event of ${device}: ${e.record.subject}`);
    for (const c of filed.slice(1)) count('duplicated', `case of ${device}: ${c.id}`);
    if (cleared && mine.length > 0 && mine.every((e) => e.record.data.clearedAt === undefined))
      count('lost', `end of the event of ${device}`);
    if (!closes && mine.some((e) => e.record.data.clearedAt !== undefined)) count('unexpected', `end of the event of ${device}`);
  }
  for (const { record } of events)
    if (!staged.has(record.data.place.component ?? '') || !isOpenCover(record.data.class))
      count('unexpected', `event ${record.subject}: ${JSON.stringify(record.data.class)}`);
  for (const c of cases)
    if (!staged.has(c.place.component ?? '') || !isOpenCover(c.class))
      count('unexpected', `case ${c.id}: ${JSON.stringify(c.class)}`);
  return result;
}

function isOpenCover(of: object): boolean {
  return 'fault' in of && of.fault === FAULT;
}

function group<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const list = groups.get(key);
    if (list) list.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}

/** One line of the command. */
export interface ChaosVerdict {
  kills: number;
  faults: number;
  acked: number;
  stored: number;
  lost: number;
  duplicated: number;
  unexpected: number;
  seed: number;
  /** Devices' PUBACKs a second over the whole load, outages included; and over its poorest ten seconds. */
  ackedPerS: number;
  slowestPerS: number;
  /** Messages that devices sent again, and connections that they made. */
  resent: number;
  connects: number;
  /** Alarms staged; events and cases at the centre. */
  alarms: number;
  events: number;
  cases: number;
  /** Processes of ours that ended by themselves. */
  crashes: number;
  /** Faults by kind. */
  byFault: Record<string, number>;
  /** What this machine could not do. */
  leftOut: string[];
  /** Of the load; from its end to empty outboxes; of everything. */
  loadS: number;
  drainS: number;
  totalS: number;
}

/** What is wrong with it, in words; nothing when the run has passed. */
export function shortfalls(v: ChaosVerdict, { killsWanted }: { killsWanted: number }): string[] {
  const missed: string[] = [];
  const zero = (name: 'lost' | 'duplicated' | 'unexpected' | 'crashes') => {
    if (v[name] !== 0) missed.push(`${name}: ${v[name]}, 0 wanted`);
  };
  zero('lost');
  zero('duplicated');
  zero('unexpected');
  zero('crashes');
  if (v.kills < killsWanted) missed.push(`kills: ${v.kills} of ${killsWanted}`);
  if (v.ackedPerS < ACKED_PER_S_MIN) missed.push(`ackedPerS: ${v.ackedPerS}, ${ACKED_PER_S_MIN} wanted`);
  return missed;
}
