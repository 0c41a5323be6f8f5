import { EventEmitter } from 'node:events';
import pg from 'pg';
import { expect, it, onTestFinished } from 'vitest';
import type { Change } from '#ingest/cases/mod.ts';
import type { DatabaseConfig } from '#ingest/database/mod.ts';
import { createNews, type News, type NewsItem } from '#ingest/news/mod.ts';
import { createMetrics, ManualClock, silentLog } from '#service/mod.ts';
import { openCover, TestCentre } from '../api/fixture.ts';
import { StreamListener } from '../api/stream_listener.ts';
import type { Suite } from '../database/stores.ts';

type Postgres = Extract<DatabaseConfig, { store: 'postgres' }>;

const CHANNEL = 'gewu_news';
const opened = (id: string): Change => ({ of: 'event', id, what: 'opened', ts: 1 });
const eventItem = (id: string): NewsItem => ({ topic: 'event', data: opened(id) });

/** News between replicas on a real PostgreSQL. */
export const newsSuite: Suite = ({ fresh }) => {
  const openPostgres = async () => {
    const config = (await fresh()) as Postgres;
    const admin = new pg.Client({ connectionString: config.url });
    await admin.connect();
    onTestFinished(() => admin.end());
    const connections = async (): Promise<number[]> => {
      const { rows } = await admin.query<{ pid: number }>(
        'select pid from pg_stat_activity where application_name = $1 and datname = current_database()',
        [`gewu ${CHANNEL}`],
      );
      return rows.map(({ pid }) => pid);
    };
    /** As a failing network does: the server forgets the connections. */
    const cut = (pids: number[]) => admin.query('select pg_terminate_backend(pid) from unnest($1::int[]) as pid', [pids]);
    return { config, admin, connections, cut };
  };

  it('what is done at one centre is streamed by the other, also after the connection between them was cut', async () => {
    const { config, connections, cut } = await openPostgres();
    const [one, two] = await Promise.all([TestCentre.start({ database: config }), TestCentre.start({ database: config })]);
    onTestFinished(async () => {
      await Promise.all([one.stop(), two.stop()]);
    });
    const [atOne, atTwo] = [await StreamListener.open(one), await StreamListener.open(two)];
    const edge = await one.edge();
    onTestFinished(() => edge.close());
    const since = Date.now();
    await edge.send('health', [
      { ts: since, edge: 'edge-1', of: 'camera', id: 'cam-1', state: 'offline', reason: 'silent', since },
    ]);
    await edge.send('events', [openCover('ev-1')]);
    const kinds = ['case', 'event', 'health'];
    await expect.poll(() => atTwo.messages().map((m) => m.event)).toEqual(expect.arrayContaining(kinds));
    const [{ id }] = (await two.get('/api/v1/cases')).body.items;
    await two.post(`/api/v1/cases/${id}/transitions/forward`, 'supervision', {});
    await expect.poll(() => atOne.messages().map((m) => m.data.what)).toContain('forward');
    // Each is told once.
    expect(atOne.messages().filter((m) => m.data.what === 'forward')).toHaveLength(1);

    const anew = (listener: StreamListener) => listener.messages().filter((m) => m.event === 'anew').length;
    const before = [anew(atOne), anew(atTwo)];
    await cut(await connections());
    await expect.poll(() => anew(atOne), { timeout: 10_000 }).toBeGreaterThan(before[0] as number);
    await expect.poll(() => anew(atTwo), { timeout: 10_000 }).toBeGreaterThan(before[1] as number);
    await edge.send('events', [openCover('ev-2')]);
    await expect.poll(() => atTwo.messages().map((m) => m.data.id)).toContain('ev-2');
  }, 30_000);

  /** The news of a replica at which only `change` happens. */
  const openReplica = async (config: DatabaseConfig) => {
    const changes = new EventEmitter<{ change: [Change] }>();
    const on = (_: 'change', listener: (change: Change) => void) => {
      changes.on('change', listener);
      return () => changes.off('change', listener);
    };
    const clock = new ManualClock();
    const common = { clock, log: silentLog, metrics: createMetrics() };
    const news: News = createNews({ config, cases: { on }, devices: { on: () => () => undefined }, ...common });
    const heard: string[] = [];
    news.on('item', ({ data }) => heard.push(data.id));
    news.on('missed', () => heard.push('missed'));
    await news.start();
    onTestFinished(() => news.stop());
    await expect.poll(() => heard).toContain('missed');
    const clear = () => heard.splice(0);
    return { heard, clear, clock, change: (id: string) => changes.emit('change', opened(id)), stop: () => news.stop() };
  };

  it('a replica that could not tell makes the others read anew; what is told goes in as many texts as it needs', async () => {
    const { config, connections, cut } = await openPostgres();
    const one = await openReplica(config);
    const ofOne = await connections();
    const two = await openReplica(config);
    one.change('known');
    await expect.poll(() => two.heard).toContain('known');
    two.clear();
    one.clear();
    await cut(ofOne);
    // Nobody can hear it: it is told by no text, and by the number that is left out. The other's connection stands all the while.
    one.change('lost');
    await expect.poll(() => one.heard, { timeout: 10_000 }).toContain('missed');
    await expect.poll(() => two.heard, { timeout: 10_000 }).toContain('missed');
    two.clear();
    const ids = Array.from({ length: 500 }, (_, i) => `${i}-${'x'.repeat(60)}`);
    for (const id of ids) one.change(id);
    await expect.poll(() => two.heard.filter((id) => id !== 'missed')).toEqual(ids);
    // One that no text can hold.
    two.clear();
    one.change('y'.repeat(9_000));
    one.change('after');
    await expect.poll(() => two.heard).toEqual(['missed', 'after']);
  }, 30_000);

  it('who is alone tells nobody; one that comes is told from then on, and one that ended without a word is missed', async () => {
    const { config, admin } = await openPostgres();
    const texts: { from: string; number: number; items: NewsItem[] }[] = [];
    admin.on('notification', ({ payload = '' }) => payload.startsWith('{') && texts.push(JSON.parse(payload)));
    await admin.query(`listen ${CHANNEL}`);
    const one = await openReplica(config);
    await expect.poll(() => texts.length).toBe(1);
    one.clock.advance(60_000);
    one.change('alone');
    const say = (number: number, items: NewsItem[]) =>
      admin.query('select pg_notify($1, $2)', [CHANNEL, JSON.stringify({ from: 'other', number, items })]);
    one.clear();
    await say(7, [eventItem('a')]);
    await expect.poll(() => one.heard).toEqual(['missed', 'a']);
    one.change('told');
    await expect.poll(() => texts.flatMap((t) => t.items.map((i) => i.data.id))).toEqual(['a', 'told']);
    // Its numbers say that something was not told before.
    expect(texts.filter((t) => t.from !== 'other').map((t) => t.number)).toEqual([0, 2, 3]);
    one.clear();
    await say(8, [eventItem('b')]);
    await say(10, [eventItem('d')]);
    await admin.query('select pg_notify($1, $2)', [CHANNEL, 'of another version']);
    await expect.poll(() => one.heard).toEqual(['b', 'missed', 'd', 'missed']);
    one.clear();
    one.clock.advance(16_000);
    // Who is silent is looked for every five seconds, and when somebody comes: two reasons to read anew.
    await admin.query('select pg_notify($1, $2)', [CHANNEL, JSON.stringify({ from: 'third', number: 0, items: [] })]);
    await expect.poll(() => one.heard).toEqual(['missed', 'missed']);
  }, 30_000);
};
