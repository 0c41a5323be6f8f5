import { sql } from 'kysely';
import type { Page, PrecisionAnswer, Verdict, VerdictAnswer, VerdictInput, VerdictReason } from '#grid/api/mod.ts';
import { classKey, type EventRecord } from '#grid/mod.ts';
import { type Clock, GewuError } from '#service/mod.ts';
import type { Database, VerdictsTable } from '../database/mod.ts';
import { precisionOf } from './precision.ts';
import { ofRaised } from './raised.ts';

const LIMIT_DEFAULT = 100;
/** Verdicts that one figure of precision rests on; the newest. */
const JUDGED_MAX = 50_000;

/**
 * What people say of events. The newest word counts; it can be taken back. Each keeps what the model or the rule had said at
 * that moment, so that precision can be recomputed, and a training set made, without the event.
 */
export interface Verdicts {
  /** Throws GEWU_NOT_FOUND when there is no such event. */
  put(event: string, by: string, input: VerdictInput): Promise<Verdict>;
  /** Taking back what was never said is fine. */
  remove(event: string): Promise<void>;
  of(events: readonly string[]): Promise<Map<string, Verdict>>;
  /** Newest first. Throws GEWU_REQUEST_INVALID for a foreign cursor. */
  list(filter: {
    since?: number | undefined;
    limit?: number | undefined;
    cursor?: string | undefined;
  }): Promise<Page<VerdictAnswer>>;
  precision(since: number): Promise<PrecisionAnswer['items']>;
}

export function createVerdicts({ database, clock }: { database: Database; clock: Clock }): Verdicts {
  const db = () => database.kysely;
  return {
    async put(event, by, input) {
      const row = await db().selectFrom('events').select('record_json').where('subject', '=', event).executeTakeFirst();
      if (row === undefined) throw new GewuError('GEWU_NOT_FOUND', `there is no event ${event}`);
      const rejected = input.verdict === 'rejected' ? input : null;
      const said: VerdictsTable = {
        event,
        verdict: input.verdict,
        reason: rejected?.reason ?? null,
        note: rejected?.note ?? null,
        by,
        at: clock.now(),
        ...whatWasSaid(JSON.parse(row.record_json) as EventRecord),
      };
      const { event: _key, ...rest } = said;
      await db()
        .insertInto('verdicts')
        .values(said)
        .onConflict((c) => c.column('event').doUpdateSet(rest))
        .execute();
      return toVerdict(said);
    },

    async remove(event) {
      await db().deleteFrom('verdicts').where('event', '=', event).execute();
    },

    async of(events) {
      if (events.length === 0) return new Map();
      const rows = await db().selectFrom('verdicts').selectAll().where('event', 'in', events).execute();
      return new Map(rows.map((row) => [row.event, toVerdict(row)]));
    },

    async list({ since, limit = LIMIT_DEFAULT, cursor }) {
      const after = readCursor(cursor);
      let query = db().selectFrom('verdicts').selectAll();
      if (since !== undefined) query = query.where('at', '>=', since);
      if (after !== null) query = query.where(sql<boolean>`(at, event) < (${after.at}, ${after.event})`);
      const rows = await query
        .orderBy('at', 'desc')
        .orderBy('event', 'desc')
        .limit(limit + 1)
        .execute();
      const page = rows.slice(0, limit);
      const last = rows.length > limit ? page.at(-1) : undefined;
      return { items: page.map(toAnswer), cursor: last ? Buffer.from(`${last.at} ${last.event}`).toString('base64url') : null };
    },

    async precision(since) {
      const rows = await db()
        .selectFrom('verdicts')
        .select(['source', 'zone', 'class_key', 'verdict', 'confidence'])
        .where('at', '>=', since)
        .where(ofRaised)
        .orderBy('at', 'desc')
        .limit(JUDGED_MAX)
        .execute();
      return precisionOf(rows);
    },
  };
}

function whatWasSaid({
  data,
}: EventRecord): Pick<VerdictsTable, 'class_key' | 'source' | 'zone' | 'model' | 'detects' | 'confidence' | 'suppressed'> {
  const { origin, confidence, suppressed = null } = data;
  const about = { class_key: classKey(data.class), confidence, suppressed };
  if (origin.by === 'sensor') return { ...about, source: origin.device, zone: origin.rule, model: '', detects: '' };
  const { camera: source, zone, model, detects = '' } = origin;
  return { ...about, source, zone, model, detects };
}

function toVerdict({ verdict, reason, note, by, at }: VerdictsTable): Verdict {
  return { verdict: verdict as Verdict['verdict'], reason: reason as VerdictReason | null, note, by, at };
}

function toAnswer(row: VerdictsTable): VerdictAnswer {
  const { event, class_key, source, zone, model, confidence } = row;
  return { event, ...toVerdict(row), class: class_key, source, zone, model, confidence };
}

function readCursor(cursor: string | undefined): { at: number; event: string } | null {
  if (cursor === undefined) return null;
  const m = /^([0-9]{1,16}) ([A-Za-z0-9_-]{1,64})$/.exec(Buffer.from(cursor, 'base64url').toString('utf8'));
  if (m === null) throw new GewuError('GEWU_REQUEST_INVALID', 'this cursor is not one of ours');
  return { at: Number(m[1]), event: m[2] as string };
}
