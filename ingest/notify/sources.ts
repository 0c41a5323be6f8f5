import { className, type Severity } from '#grid/mod.ts';
import { LANES } from '#grid/wire/mod.ts';
import type { Clock } from '#service/mod.ts';
import type { Database } from '../database/mod.ts';
import type { DeadLetterStore } from '../deadletters/mod.ts';
import type { DeviceService, EdgeStatus } from '../devices/mod.ts';
import type { UpkeepService } from '../upkeep/mod.ts';
import type { NotifyConfig } from './config.ts';
import { ALERTS_PER_TOPIC_MAX } from './incidents.ts';
import type { Alert, AlertSource } from './types.ts';

export interface SourceDependencies {
  config: NotifyConfig;
  database: Database;
  devices: Pick<DeviceService, 'edges'>;
  upkeep: Pick<UpkeepService, 'cases' | 'of'>;
  deadLetters: Pick<DeadLetterStore, 'counts'>;
  /** Names of what the centre misses, as `/readyz` says them. */
  missing(): Promise<string[]>;
  clock: Clock;
}

const DEAD_LETTERS_MS = 10 * 60_000;
/** A backlog has grown when it is this much larger than when it was looked at before. */
const GROWTH_MIN = 1.02;
/** Two looks at a backlog are this far apart at least: shorter ones say more about chance. */
const GROWTH_MS = 60_000;
/** Below this share of the limit it is over: around the limit itself it would come and go. */
const BACKLOG_OVER = 0.5;
const URGENT: Severity = 'critical';
/** Open maintenance cases that are looked at; what is beyond is one of hundreds. */
const CASES_MAX = 500;

/** What people are told of. */
export function createSources(deps: SourceDependencies): AlertSource[] {
  return [faults(deps), backlogs(deps), deadLetters(deps), storesDown(deps), batteries(deps), urgentCases(deps)];
}

/** Open maintenance cases: faults that have outlasted their grace, gathered as they are there. What somebody works on is no alert. */
function faults({ upkeep }: SourceDependencies): AlertSource {
  return {
    topics: ['edge-silent', 'camera-fault', 'device-fault'],
    async read() {
      const { items } = await upkeep.cases({ open: true, limit: CASES_MAX });
      const things = items.flatMap(({ subject: { of, id } }) => (of === 'group' ? [] : [{ of, id }]));
      const known = await upkeep.of(things);
      const alerts = items.filter(({ subject: { of, id } }) => known.get(`${of} ${id}`)?.maintenance == null);
      return alerts.map(({ cause, subject, openedAt, sick }): Alert => {
        const several = { zh: `${sick} 台`, en: `${sick} of them` };
        return { topic: cause, subject, since: openedAt, note: sick > 1 ? several : { zh: '', en: '' } };
      });
    },
  };
}

/** What waits at an edge, and whether it becomes more. */
function backlogs({ devices, config, clock }: SourceDependencies): AlertSource {
  const looks = new Map<string, { at: number; records: number; growing: boolean }>();
  const waiting = ({ values }: EdgeStatus) => LANES.reduce((sum, lane) => sum + (values[`outbox.${lane}.records`] ?? 0), 0);
  const since = new Map<string, number>();
  return {
    topics: ['backlog-growing'],
    async read() {
      const now = clock.now();
      const alerts: Alert[] = [];
      for (const edge of await devices.edges()) {
        const records = waiting(edge);
        const last = looks.get(edge.id);
        if (last === undefined || now - last.at >= GROWTH_MS)
          looks.set(edge.id, { at: now, records, growing: last !== undefined && records > last.records * GROWTH_MIN });
        const growing = looks.get(edge.id)?.growing === true && records >= config.backlogRecords;
        if (growing && !since.has(edge.id)) since.set(edge.id, now);
        if (records < config.backlogRecords * BACKLOG_OVER) since.delete(edge.id);
        const start = since.get(edge.id);
        if (start === undefined) continue;
        const note = { zh: `积压 ${records} 条`, en: `${records} records wait` };
        alerts.push({ topic: 'backlog-growing', subject: { of: 'edge', id: edge.id }, since: start, note });
      }
      return alerts;
    },
  };
}

function deadLetters({ deadLetters: store, config, clock }: SourceDependencies): AlertSource {
  return {
    topics: ['dead-letters'],
    async read() {
      const since = clock.now() - DEAD_LETTERS_MS;
      const counts = await store.counts({ since });
      const byEdge = Map.groupBy(counts, (c) => c.edge);
      return [...byEdge].flatMap(([edge, groups]): Alert[] => {
        const count = groups.reduce((sum, g) => sum + g.count, 0);
        if (count < config.deadLetters) return [];
        const most = groups.reduce((a, b) => (b.count > a.count ? b : a));
        const note = { zh: `10 分钟 ${count} 条，多为 ${most.code}`, en: `${count} in 10 min, mostly ${most.code}` };
        return [{ topic: 'dead-letters', subject: { of: 'edge', id: edge }, since, note }];
      });
    },
  };
}

function storesDown({ missing, clock }: SourceDependencies): AlertSource {
  const since = new Map<string, number>();
  return {
    topics: ['store-down'],
    async read() {
      const names = await missing();
      for (const known of since.keys()) if (!names.includes(known)) since.delete(known);
      return names.map((id): Alert => {
        const at = since.get(id) ?? clock.now();
        since.set(id, at);
        return { topic: 'store-down', subject: { of: 'store', id }, since: at, note: { zh: '不可用', en: 'not ready' } };
      });
    },
  };
}

/** Batteries that are low, as the edges' rules say: by kind, with their confirm and clear levels. */
function batteries({ database }: SourceDependencies): AlertSource {
  return {
    topics: ['battery-low'],
    async read() {
      const rows = await database.kysely
        .selectFrom('events')
        .select(['source', 'confirmed_at'])
        .where('cleared_at', 'is', null)
        .where('class_key', 'like', '1:%:battery_low')
        .orderBy('confirmed_at')
        .limit(ALERTS_PER_TOPIC_MAX)
        .execute();
      const note = { zh: '请更换电池', en: 'change the battery' };
      return rows.map(
        ({ source, confirmed_at }): Alert => ({
          topic: 'battery-low',
          subject: { of: 'device', id: source },
          since: confirmed_at,
          note,
        }),
      );
    },
  };
}

function urgentCases({ database }: SourceDependencies): AlertSource {
  return {
    topics: ['urgent-case'],
    async read() {
      const rows = await database.kysely
        .selectFrom('cases')
        .select(['id', 'flag', 'code', 'fault', 'cell', 'opened_at'])
        .where('finished_at', 'is', null)
        .where('severity', '=', URGENT)
        .orderBy('opened_at')
        .limit(ALERTS_PER_TOPIC_MAX)
        .execute();
      return rows.map((row): Alert => {
        const { zh, en } = className({ flag: row.flag === 1 ? 1 : 2, code: row.code, fault: row.fault ?? undefined });
        const note = { zh: `${zh}，网格 ${row.cell}`, en: `${en}, grid ${row.cell}` };
        return { topic: 'urgent-case', subject: { of: 'case', id: row.id }, since: row.opened_at, note };
      });
    },
  };
}
