import { describe, expect, onTestFinished, test } from 'vitest';
import { type AlertTopic, NotifySettings } from '#grid/api/mod.ts';
import { createAudit } from '#ingest/audit/mod.ts';
import type { Database } from '#ingest/database/mod.ts';
import { type Alert, createNotifyService, NotifyConfig, type NotifyService } from '#ingest/notify/mod.ts';
import { checkConfig, createMetrics, ManualClock, silentLog } from '#service/mod.ts';
import { startWebReceiver, type WebReceiver } from '../../support/receivers.ts';
import { openDatabase, type Suite } from '../database/stores.ts';

/** A Monday, 10:00 in Shanghai. */
const T = Date.parse('2026-11-23T10:00+08:00');
const MINUTE_MS = 60_000;
const OPS = { id: 'olga', roles: ['ops'] };
const person = (id: string, more: object = {}) => ({ id, name: id, language: 'en', to: [{ channel: id }], ...more });
const SETTINGS = {
  people: [person('first'), person('second'), person('third')],
  shifts: [{ id: 'always', when: [{ from: '00:00', to: '24:00' }], people: ['first', 'second', 'third'] }],
  escalateMinutes: 5,
};

interface Bench {
  service: NotifyService;
  database: Database;
  clock: ManualClock;
  web: WebReceiver;
  /** What is so now. */
  alerts: Alert[];
  /** Time passes, and the service has its turns. */
  pass(ms: number): Promise<void>;
  /** Another process takes over: what it knows is in the database. */
  restart(): Promise<NotifyService>;
  /** Person and title of what has arrived. */
  seen(): [string, string][];
}

export const notifySuite: Suite = (store) => {
  async function open(settings: object = {}): Promise<Bench> {
    const clock = new ManualClock(T);
    const database = await openDatabase(await store.fresh(), clock);
    const web = await startWebReceiver();
    onTestFinished(() => web.stop());
    const channels = ['first', 'second', 'third'].map((id) => ({
      ...{ id, kind: 'webhook', url: `${web.url}/${id}`, allowLocalAddress: true },
    }));
    const config = checkConfig('test', NotifyConfig, { channels, publicUrl: 'https://gewu.example' });
    const bench = { alerts: [] as Alert[] };
    const topics: AlertTopic[] = ['edge-silent', 'camera-fault'];
    const build = () => {
      const common = { database, clock, log: silentLog, metrics: createMetrics() };
      const sources = [{ topics, read: async () => bench.alerts }];
      return createNotifyService({ config, sources, audit: createAudit(common), ...common });
    };
    let service = build();
    const full = checkConfig('test', NotifySettings, { ...SETTINGS, ...settings });
    await service.setSettings(full, { revision: 0, by: OPS });
    return Object.assign(bench, {
      service,
      database,
      clock,
      web,
      async pass(ms: number) {
        clock.advance(ms);
        // A turn decides what to tell, the same one sends it; the next sees what came of that.
        await service.turn();
        await service.turn();
      },
      async restart() {
        service = build();
        return service;
      },
      seen: () => web.received.map((r): [string, string] => [r.path.slice(1), r.body.title]),
    });
  }
  const silent = (id: string, topic: AlertTopic = 'edge-silent'): Alert => ({
    ...{ topic, subject: { of: 'edge', id }, since: T - MINUTE_MS, note: { zh: '无', en: 'no sign of it' } },
  });

  describe('being told', () => {
    test('a storm is one message to the first on duty, and its end is another', async () => {
      const bench = await open();
      bench.alerts = Array.from({ length: 400 }, (_, i) => silent(`edge-${i}`));
      await bench.pass(0);
      bench.alerts = Array.from({ length: 500 }, (_, i) => silent(`edge-${i}`));
      await bench.pass(6_000);
      expect(bench.seen()).toEqual([]);
      await bench.pass(6_000);
      expect(bench.seen()).toEqual([['first', '[Gewu] URGENT: edge node silent, 500']]);
      const { body, link } = bench.web.received[0]?.body ?? {};
      expect(body).toContain('... and 488 more');
      expect(link).toMatch(/^https:\/\/gewu\.example\/acknowledge#code=[A-Za-z0-9_-]{20,}$/);
      bench.alerts = [];
      await bench.pass(6_000);
      await bench.pass(1_000);
      expect(bench.seen()[1]).toEqual(['first', '[Gewu] edge node silent, 500, over']);
      const { items } = await bench.service.incidents({});
      expect(items).toMatchObject([{ alerts: 500, present: 0, told: ['first'], closedAt: expect.any(Number) }]);
      expect(items[0]?.subjects).toHaveLength(20);
    });

    test('what is over before anybody was told is told to nobody', async () => {
      const bench = await open();
      bench.alerts = [silent('edge-1')];
      await bench.pass(0);
      bench.alerts = [];
      await bench.pass(6_000);
      await bench.pass(30_000);
      expect(bench.seen()).toEqual([]);
    });

    test('nobody acknowledges: the next person is told, and the next; acknowledged, nobody is', async () => {
      const bench = await open();
      bench.alerts = [silent('edge-1')];
      await bench.pass(0);
      await bench.pass(11_000);
      await bench.pass(5 * MINUTE_MS + 1000);
      await bench.pass(5 * MINUTE_MS + 1000);
      expect(bench.seen()).toEqual([
        ['first', '[Gewu] URGENT: edge node silent, 1'],
        ['second', '[Gewu] URGENT ESCALATED: edge node silent, 1'],
        ['third', '[Gewu] URGENT ESCALATED: edge node silent, 1'],
      ]);
      const [incident] = (await bench.service.incidents({ open: true })).items;
      const done = await bench.service.acknowledge(incident?.id ?? '', OPS);
      expect(done).toMatchObject({ acknowledgedBy: 'olga', escalatesAt: null });
      await bench.pass(60 * MINUTE_MS);
      expect(bench.seen()).toHaveLength(3);
      // What is new is in nobody's hands.
      bench.alerts.push(silent('edge-2'));
      await bench.pass(6_000);
      await bench.pass(11_000);
      expect(bench.seen()[3]).toEqual(['first', '[Gewu] URGENT: edge node silent, 1']);
    });

    test('all on duty are told and nobody acknowledges: the fallback is told, and then all again and again', async () => {
      const bench = await open({
        shifts: [{ id: 'always', people: ['first'], when: [{ from: '00:00', to: '24:00' }] }],
        fallback: ['second'],
      });
      bench.alerts = [silent('edge-1')];
      await bench.pass(0);
      await bench.pass(11_000);
      // Messages of one turn go out side by side.
      const who = () =>
        bench
          .seen()
          .map(([id]) => id)
          .sort();
      for (const [minutes, told] of [
        [5, ['first', 'second']],
        [5, ['first', 'first', 'second', 'second']],
        [5, ['first', 'first', 'second', 'second']],
        [5, ['first', 'first', 'first', 'second', 'second', 'second']],
      ] as const) {
        await bench.pass(minutes * MINUTE_MS + 1000);
        expect(who()).toEqual(told);
      }
      const [incident] = (await bench.service.incidents({ open: true })).items;
      expect(incident?.told).toEqual(['first', 'second']);
      await bench.service.acknowledge(incident?.id ?? '', OPS);
      await bench.pass(60 * MINUTE_MS);
      expect(who()).toHaveLength(6);
    });

    test('more of the same is told again, at most once a minute where it is urgent', async () => {
      const bench = await open({ escalateMinutes: 600 });
      bench.alerts = [silent('edge-1')];
      await bench.pass(0);
      await bench.pass(11_000);
      for (let i = 2; i < 6; i++) {
        bench.alerts.push(silent(`edge-${i}`));
        await bench.pass(6_000);
      }
      expect(bench.seen()).toHaveLength(1);
      await bench.pass(MINUTE_MS);
      await bench.pass(MINUTE_MS);
      expect(bench.seen().slice(1)).toEqual([['first', '[Gewu] URGENT more: edge node silent, 5']]);
    });

    test('quiet hours hold what is not urgent, and the wait for an answer with it', async () => {
      const quiet = [{ from: '09:00', to: '12:00' }];
      const bench = await open({ people: [person('first', { quiet }), person('second'), person('third')] });
      bench.alerts = [silent('cam-1', 'camera-fault'), silent('edge-1')];
      await bench.pass(0);
      await bench.pass(11_000);
      expect(bench.seen()).toEqual([['first', '[Gewu] URGENT: edge node silent, 1']]);
      bench.alerts = bench.alerts.slice(0, 1);
      await bench.pass(10 * MINUTE_MS);
      expect(bench.seen().filter(([, title]) => title.includes('camera'))).toEqual([]);
      await bench.pass(111 * MINUTE_MS);
      expect(bench.seen().filter(([, title]) => title.includes('camera'))).toEqual([['first', '[Gewu] camera fault, 1']]);
      await bench.pass(5 * MINUTE_MS);
      expect(bench.seen().at(-1)).toEqual(['second', '[Gewu] ESCALATED: camera fault, 1']);
    });

    test('a receiver that is away gets it later; a process that dies in between loses nothing', async () => {
      const bench = await open();
      bench.web.answer.status = 503;
      bench.alerts = [silent('edge-1')];
      await bench.pass(0);
      await bench.pass(11_000);
      await bench.pass(6_000);
      const [waiting] = (await bench.service.messages({ state: 'waiting' })).items;
      expect(waiting).toMatchObject({ attempts: 2, fault: expect.stringContaining('status 503') });
      // Killed after it was taken and before that was noted: as far as the database knows, somebody is sending.
      bench.web.answer.status = 200;
      await bench.database.kysely
        .updateTable('notify_messages')
        .set({ attempts: 3, next_at: bench.clock.now() + 60_000 })
        .execute();
      const later = await bench.restart();
      await bench.pass(30_000);
      expect((await later.messages({ state: 'sent' })).items).toEqual([]);
      await bench.pass(31_000);
      expect((await later.messages({ state: 'sent' })).items).toMatchObject([{ id: waiting?.id, attempts: 4, fault: null }]);
      expect(new Set(bench.web.received.map((r) => r.body.id)).size).toBe(1);
    });

    test('a message that cannot be sent goes to the next person at once', async () => {
      const bench = await open();
      bench.web.answer.status = 404;
      bench.alerts = [silent('edge-1')];
      await bench.pass(0);
      bench.clock.advance(11_000);
      await bench.service.turn();
      bench.web.answer.status = 200;
      await bench.pass(1_000);
      expect(bench.seen().map(([who]) => who)).toEqual(['first', 'second']);
      expect((await bench.service.messages({ state: 'failed' })).items).toMatchObject([{ person: 'first', attempts: 1 }]);
    });

    test('the link of a message acknowledges once, as the person who got it, and it is in the audit trail', async () => {
      const bench = await open();
      bench.alerts = [silent('edge-1')];
      await bench.pass(0);
      await bench.pass(11_000);
      const code = new URL(bench.web.received[0]?.body.link).hash.slice('#code='.length);
      await expect(bench.service.acknowledgeByLink(`${code.slice(1)}x`)).rejects.toMatchObject({ code: 'GEWU_NOT_FOUND' });
      expect(await bench.service.acknowledgeByLink(code)).toMatchObject({ acknowledgedBy: 'first', told: ['first'] });
      await expect(bench.service.acknowledgeByLink(code)).rejects.toMatchObject({ code: 'GEWU_NOT_FOUND' });
      const rows = await bench.database.kysely.selectFrom('audit').select(['actor', 'action']).orderBy('seq').execute();
      expect(rows.map((r) => [r.actor, r.action])).toEqual([
        ['olga', 'notify-settings-set'],
        ['first', 'incident-acknowledged'],
      ]);
      expect(JSON.stringify(await bench.database.kysely.selectFrom('notify_messages').selectAll().execute())).not.toContain(code);
    });

    test('nobody is on duty: it is told as soon as somebody is', async () => {
      const bench = await open({ shifts: [] });
      bench.alerts = [silent('edge-1')];
      await bench.pass(0);
      await bench.pass(11_000);
      expect(bench.seen()).toEqual([]);
      const { settings } = await bench.service.settings();
      const fallback = ['third'];
      await bench.service.setSettings({ ...settings, fallback }, { revision: 1, by: OPS });
      await bench.pass(1_000);
      expect(bench.seen().map(([who]) => who)).toEqual(['third']);
    });

    test('a test message goes to one person, five wait at most; settings are changed on the newest only', async () => {
      const bench = await open();
      const made = await bench.service.test('second', 'second', OPS);
      expect(made).toMatchObject({ why: 'test', person: 'second', state: 'waiting' });
      await bench.pass(0);
      expect(bench.seen()).toEqual([['second', '[Gewu] Test message']]);
      expect(bench.web.received[0]?.body.link).toBeNull();
      for (let i = 0; i < 5; i++) await bench.service.test('first', 'first', OPS);
      await expect(bench.service.test('first', 'first', OPS)).rejects.toMatchObject({ code: 'GEWU_TOO_MANY_REQUESTS' });
      await expect(bench.service.test('first', 'second', OPS)).rejects.toMatchObject({ code: 'GEWU_NOT_FOUND' });
      const { settings } = await bench.service.settings();
      await expect(bench.service.setSettings(settings, { revision: 0, by: OPS })).rejects.toMatchObject({
        code: 'GEWU_REVISION_STALE',
      });
      await expect(
        bench.service.setSettings({ ...settings, fallback: ['ghost'] }, { revision: 1, by: OPS }),
      ).rejects.toMatchObject({ code: 'GEWU_NOTIFY_INVALID', mistakes: [{ key: 'fallback.0' }] });
    });

    test('two replicas that turn at once tell once', async () => {
      const bench = await open();
      bench.alerts = [silent('edge-1')];
      const other = await bench.restart();
      await Promise.all([bench.service.turn(), other.turn()]);
      bench.clock.advance(11_000);
      await Promise.all([bench.service.turn(), other.turn()]);
      await Promise.all([bench.service.turn(), other.turn()]);
      expect(bench.seen()).toHaveLength(1);
    });
  });
};
