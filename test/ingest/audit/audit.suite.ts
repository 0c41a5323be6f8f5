import { sql } from 'kysely';
import { describe, expect, test } from 'vitest';
import { createAudit } from '#ingest/audit/mod.ts';
import { createMetrics, ManualClock } from '#service/mod.ts';
import { openDatabase, type Suite } from '../database/stores.ts';

const act = (n: number, more = {}) => ({
  actor: `li-${n % 2}`,
  roles: ['command'],
  action: 'looked',
  subject: `camera:c-${n}`,
  ...more,
});

export const auditSuite: Suite = (store) => {
  const open = async () => {
    const clock = new ManualClock();
    const database = await openDatabase(await store.fresh({ own: true }), clock);
    return { clock, database, audit: createAudit({ database, clock, metrics: createMetrics() }) };
  };

  describe('audit trail', () => {
    test('who, in which role, did what to whom, why, when; filtered, page by page', async () => {
      const { audit, clock } = await open();
      for (let n = 1; n <= 5; n++) {
        await audit.record(act(n, { purpose: `reason ${n}`, detail: { n, nul: 'a\u0000b' } }));
        clock.advance(1000);
      }
      const first = await audit.list({ limit: 2 });
      expect(first.items.map((e) => e.seq)).toEqual([5, 4]);
      expect(first.items[0]).toMatchObject({ actor: 'li-1', roles: ['command'], action: 'looked', subject: 'camera:c-5' });
      expect(first.items[0]).toMatchObject({ purpose: 'reason 5', detail: { n: 5, nul: 'a\uFFFDb' }, at: clock.now() - 1000 });
      const rest = await audit.list({ limit: 3, cursor: first.cursor ?? '' });
      expect([rest.items.map((e) => e.seq), rest.cursor]).toEqual([[3, 2, 1], null]);
      expect((await audit.list({ actor: 'li-0' })).items.map((e) => e.seq)).toEqual([4, 2]);
      expect((await audit.list({ subject: 'camera:c-3' })).items.map((e) => e.seq)).toEqual([3]);
      expect((await audit.list({ since: clock.now() - 2000, until: clock.now() - 1000 })).items.map((e) => e.seq)).toEqual([4]);
      await expect(audit.list({ cursor: 'x' })).rejects.toMatchObject({ code: 'GEWU_REQUEST_INVALID' });
    });

    test('entries of many at once make one chain', async () => {
      const { audit } = await open();
      await Promise.all(Array.from({ length: 20 }, (_, n) => audit.record(act(n))));
      expect(await audit.verify()).toEqual({ entries: 20, brokenAt: null });
    });

    test('the database refuses to change or to take out an entry', async () => {
      const { audit, database } = await open();
      await audit.record(act(1));
      const change = database.kysely.updateTable('audit').set({ actor: 'nobody' }).execute();
      await expect(change).rejects.toThrow(/append-only/);
      await expect(database.kysely.deleteFrom('audit').execute()).rejects.toThrow(/append-only/);
      expect(await audit.verify()).toEqual({ entries: 1, brokenAt: null });
    });

    test.each([
      ['changed', "update audit set purpose = 'none' where seq = 2"],
      ['taken out', 'delete from audit where seq = 2'],
    ])('an entry that was %s behind our back is found', async (_what, statement) => {
      const { audit, database } = await open();
      for (let n = 1; n <= 3; n++) await audit.record(act(n));
      const table = store.store === 'postgres' ? ' on audit' : '';
      for (const trigger of ['audit_no_update', 'audit_no_delete'])
        await sql.raw(`drop trigger ${trigger}${table}`).execute(database.kysely);
      await sql.raw(statement).execute(database.kysely);
      expect(await audit.verify()).toEqual({ entries: 1, brokenAt: 2 });
    });
  });
};
