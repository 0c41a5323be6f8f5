import { type Clock, Counter, chainHash, GewuError, type Metrics } from '#service/mod.ts';
import type { Page } from '../cases/mod.ts';
import type { AuditTable, Database, Queries } from '../database/mod.ts';
import { AUDIT_LOCK, type Audit, type AuditAct, type AuditEntry, type AuditFilter } from './types.ts';

export interface AuditDependencies {
  database: Database;
  clock: Clock;
  metrics: Metrics;
}

const LIMIT_DEFAULT = 100;
const TEXT_CHARS_MAX = 512;
const DETAIL_CHARS_MAX = 4096;
/** Lines read at a time when the chain is walked. */
const WALK_LINES = 2000;

/** Builds the audit trail; the database must be started before it. */
export function createAudit(dependencies: AuditDependencies): Audit {
  return new KyselyAudit(dependencies);
}

class KyselyAudit implements Audit {
  readonly #deps: AuditDependencies;
  readonly #entries: Counter<'action'>;

  constructor(dependencies: AuditDependencies) {
    this.#deps = dependencies;
    this.#entries = new Counter({
      name: 'gewu_audit_entries_total',
      help: 'Lines of the audit trail',
      labelNames: ['action'],
      registers: [dependencies.metrics],
    });
  }

  async start(): Promise<void> {}
  async stop(): Promise<void> {}

  record(act: AuditAct): Promise<AuditEntry> {
    return this.#deps.database.transaction((db) => this.recordIn(db, act), { locks: [AUDIT_LOCK] });
  }

  async recordIn(db: Queries, act: AuditAct): Promise<AuditEntry> {
    const last = await db.selectFrom('audit').select(['seq', 'hash']).orderBy('seq', 'desc').limit(1).executeTakeFirst();
    const line = {
      seq: (last?.seq ?? 0) + 1,
      at: this.#deps.clock.now(),
      actor: text(act.actor),
      roles_json: JSON.stringify(act.roles.map(text)),
      action: text(act.action),
      subject: text(act.subject),
      purpose: act.purpose === undefined ? null : text(act.purpose),
      detail_json: detailJson(act.detail),
      prev_hash: last?.hash ?? '',
    };
    const row = { ...line, hash: hashOf(line) };
    await db.insertInto('audit').values(row).execute();
    this.#entries.inc({ action: row.action });
    return toEntry(row);
  }

  async list({ actor, action, subject, since, until, limit = LIMIT_DEFAULT, cursor }: AuditFilter): Promise<Page<AuditEntry>> {
    let query = this.#deps.database.kysely.selectFrom('audit').selectAll();
    if (actor !== undefined) query = query.where('actor', '=', actor);
    if (action !== undefined) query = query.where('action', '=', action);
    if (subject !== undefined) query = query.where('subject', '=', subject);
    if (since !== undefined) query = query.where('at', '>=', since);
    if (until !== undefined) query = query.where('at', '<', until);
    if (cursor !== undefined) query = query.where('seq', '<', readSeq(cursor));
    const rows = await query
      .orderBy('seq', 'desc')
      .limit(limit + 1)
      .execute();
    const items = rows.slice(0, limit).map(toEntry);
    const last = items.at(-1);
    return { items, cursor: rows.length > limit && last ? String(last.seq) : null };
  }

  async verify(): Promise<{ entries: number; brokenAt: number | null }> {
    let [entries, prev] = [0, ''];
    while (true) {
      const { kysely } = this.#deps.database;
      const lines = await kysely
        .selectFrom('audit')
        .selectAll()
        .where('seq', '>', entries)
        .orderBy('seq')
        .limit(WALK_LINES)
        .execute();
      for (const line of lines) {
        if (line.seq !== entries + 1 || line.prev_hash !== prev || line.hash !== hashOf(line))
          return { entries, brokenAt: entries + 1 };
        prev = line.hash;
        entries++;
      }
      if (lines.length < WALK_LINES) return { entries, brokenAt: null };
    }
  }
}

function hashOf(line: Omit<AuditTable, 'hash'>): string {
  const { prev_hash, seq, at, actor, roles_json, action, subject, purpose, detail_json } = line;
  return chainHash([prev_hash, seq, at, actor, roles_json, action, subject, purpose, detail_json]);
}

/** PostgreSQL keeps no NUL in a text. */
const text = (value: string) => value.replaceAll('\u0000', '\uFFFD').slice(0, TEXT_CHARS_MAX);

function detailJson(detail: AuditAct['detail'] = {}): string {
  const entries = Object.entries(detail).map(([key, value]) => [key, typeof value === 'string' ? text(value) : value]);
  const json = JSON.stringify(Object.fromEntries(entries));
  return json.length <= DETAIL_CHARS_MAX ? json : JSON.stringify({ leftOutChars: json.length });
}

function readSeq(cursor: string): number {
  if (!/^[0-9]{1,15}$/.test(cursor)) throw new GewuError('GEWU_REQUEST_INVALID', 'this cursor is not one of ours');
  return Number(cursor);
}

function toEntry({ seq, at, actor, roles_json, action, subject, purpose, detail_json, hash }: AuditTable): AuditEntry {
  return { seq, at, actor, roles: JSON.parse(roles_json), action, subject, purpose, detail: JSON.parse(detail_json), hash };
}
