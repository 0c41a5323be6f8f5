import { describe, expect, test } from 'vitest';
import { createToken } from '#ingest/mod.ts';
import { ManualClock } from '#service/mod.ts';
import { openDatabase, type Suite } from '../database/stores.ts';

export const tokensSuite: Suite = (store) => {
  describe('tokens', () => {
    test('the database never sees a token', async () => {
      const clock = new ManualClock();
      const database = await openDatabase(await store.fresh(), clock);
      const { token, info } = await createToken({ database, clock }, { name: 'li', roles: ['viewer', 'viewer'] });
      expect(token).toMatch(/^gewu_[A-Za-z0-9_-]{43}$/);
      expect(info).toMatchObject({ name: 'li', roles: ['viewer'], department: null, createdAt: clock.now(), expiresAt: null });
      const rows = await database.kysely.selectFrom('api_tokens').selectAll().execute();
      expect(rows).toHaveLength(1);
      expect(JSON.stringify(rows)).not.toContain(token);
    });

    test('two administrators at once cannot give one account both sides', async () => {
      const clock = new ManualClock();
      const database = await openDatabase(await store.fresh(), clock);
      const both = (['supervision', 'command'] as const).map((role) =>
        createToken({ database, clock }, { name: 'li', roles: [role] }),
      );
      const results = await Promise.allSettled(both);
      expect(results.map((r) => r.status).sort()).toEqual(['fulfilled', 'rejected']);
    });
  });
};
