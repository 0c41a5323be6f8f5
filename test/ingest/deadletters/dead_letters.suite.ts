import { describe, expect, onTestFinished, test } from 'vitest';
import type { Database } from '#ingest/database/mod.ts';
import { createDeadLetterStore, type DeadLetterStore } from '#ingest/deadletters/mod.ts';
import { createMetrics, ManualClock, type Metrics, silentLog } from '#service/mod.ts';
import { openDatabase, type Suite } from '../database/stores.ts';

const T = 1_800_000_000_000;
const letter = (id: string, ts = T, more = {}) => ({
  id,
  ts,
  edge: 'edge-1',
  hop: 'readings',
  source: 'mh-1',
  code: 'GEWU_LINE_INVALID',
  reason: 'not a canonical line',
  payload: 'anVuaw==',
  ...more,
});

export const deadLettersSuite: Suite = (store) => {
  async function open(
    config = {},
  ): Promise<{ letters: DeadLetterStore; clock: ManualClock; metrics: Metrics; database: Database }> {
    const clock = new ManualClock(T + 1000);
    const database = await openDatabase(await store.fresh(), clock);
    const metrics = createMetrics();
    const full = { entriesMax: 100_000, days: 30, ...config };
    const letters = createDeadLetterStore({ config: full, database, clock, log: silentLog, metrics });
    await letters.start();
    onTestFinished(() => letters.stop());
    return { letters, clock, metrics, database };
  }

  describe('dead letters', () => {
    test('a replay does not multiply them, nor their count', async () => {
      const { letters, metrics } = await open();
      await letters.put([letter('a'), letter('b'), letter('a')].slice(0, 2));
      await letters.put([letter('a'), letter('c')]);
      expect((await letters.list({})).items.map((l) => l.id)).toEqual(['c', 'b', 'a']);
      expect(await letters.counts({})).toEqual([{ edge: 'edge-1', hop: 'readings', code: 'GEWU_LINE_INVALID', count: 3 }]);
      expect(await metrics.getSingleMetricAsString('gewu_dead_letters_total')).toMatch(/code="GEWU_LINE_INVALID"} 3$/);
    });

    test('pages and filters', async () => {
      const { letters } = await open();
      await letters.put(Array.from({ length: 7 }, (_, i) => letter(`l${i}`, T + Math.floor(i / 2))));
      await letters.put([letter('x', T, { edge: 'edge-2', hop: 'device', code: 'GEWU_READING_TYPE', source: 'mh-9' })]);
      const seen: string[] = [];
      let cursor: string | null | undefined;
      do {
        const page = await letters.list({ edge: 'edge-1', limit: 3, ...(cursor ? { cursor } : {}) });
        seen.push(...page.items.map((l) => l.id));
        cursor = page.cursor;
      } while (cursor);
      expect(seen).toEqual(['l6', 'l5', 'l4', 'l3', 'l2', 'l1', 'l0']);
      for (const filter of [{ hop: 'device' }, { code: 'GEWU_READING_TYPE' }, { source: 'mh-9' }, { edge: 'edge-2' }])
        expect((await letters.list(filter)).items.map((l) => l.id)).toEqual(['x']);
      expect((await letters.list({ since: T + 3 })).items.map((l) => l.id)).toEqual(['l6']);
      await expect(letters.list({ cursor: 'bm9uc2Vuc2U' })).rejects.toMatchObject({ code: 'GEWU_REQUEST_INVALID' });
      await expect(letters.get('nothing')).rejects.toMatchObject({ code: 'GEWU_NOT_FOUND' });
    });

    test('the oldest go, counted: too many, too old', async () => {
      const { letters, clock, metrics } = await open({ entriesMax: 100, days: 2 });
      await letters.put(Array.from({ length: 250 }, (_, i) => letter(`l${String(i).padStart(3, '0')}`, T + i)));
      expect(await letters.trim()).toBe(150);
      const { items } = await letters.list({ limit: 500 });
      expect([items.length, items[0]?.id, items.at(-1)?.id]).toEqual([100, 'l249', 'l150']);
      clock.advance(3 * 86_400_000);
      expect(await letters.trim()).toBe(100);
      expect(await metrics.getSingleMetricAsString('gewu_dead_letters_dropped_total')).toMatch(/ 250$/);
    });

    test('text that a database does not take, and times from the future, are made fit', async () => {
      const { letters, clock } = await open();
      await letters.put([letter('nul', T * 2, { reason: 'a\u0000b\ud800', source: '\u0000' })]);
      const kept = await letters.get('nul');
      expect(kept.ts).toBe(clock.now());
      expect(kept.reason.startsWith('a\uFFFDb')).toBe(true);
    });
  });
};
