import { auditParts, type EdgeAuditReport } from '#grid/wire/mod.ts';
import { type Clock, chainHash } from '#service/mod.ts';
import type { Database } from '../database/mod.ts';
import { ACCEPTED, type Verdict } from '../ports.ts';
import { AUDIT_LOCK, type Audit } from './types.ts';

export interface EdgeTrailsDependencies {
  database: Database;
  audit: Audit;
  clock: Clock;
}

/**
 * What edges have written into their own trails: kept as they wrote it, so that the two can be compared, and told in ours. A line that
 * comes again is one line; two edges, or one with a new disk, have chains of their own.
 */
export class EdgeTrails {
  readonly #deps: EdgeTrailsDependencies;

  constructor(dependencies: EdgeTrailsDependencies) {
    this.#deps = dependencies;
  }

  /** Durable when it resolves. */
  async accept(reports: readonly EdgeAuditReport[]): Promise<Verdict[]> {
    const verdicts: Verdict[] = [];
    for (const report of reports) verdicts.push(await this.#take(report));
    return verdicts;
  }

  async #take({ edge, entry }: EdgeAuditReport): Promise<Verdict> {
    if (chainHash(auditParts(entry)) !== entry.hash)
      return { ok: false, code: 'GEWU_HEALTH_INVALID', reason: `line ${entry.seq} of the trail has another hash` };
    const { database, audit, clock } = this.#deps;
    const { hash, seq, at, actor, roles, action, subject, purpose, grant, reason } = entry;
    await database.transaction(
      async (db) => {
        const row = { edge, hash, seq, at, entry_json: JSON.stringify(entry), received_at: clock.now() };
        const added = await db
          .insertInto('edge_audit')
          .values(row)
          .onConflict((c) => c.columns(['edge', 'hash']).doNothing())
          .executeTakeFirst();
        if (added.numInsertedOrUpdatedRows !== 1n) return;
        const detail = { edge, edgeAt: at, edgeSeq: seq, edgeHash: hash, grant, ...(reason === undefined ? {} : { reason }) };
        await audit.recordIn(db, {
          actor: actor === '' ? edge : actor,
          roles,
          action: `edge-${action}`,
          subject,
          purpose,
          detail,
        });
      },
      { locks: [AUDIT_LOCK] },
    );
    return ACCEPTED;
  }
}
