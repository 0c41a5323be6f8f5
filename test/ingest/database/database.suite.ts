import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { sql } from 'kysely';
import { expect, it } from 'vitest';
import { StoreConflict } from '#ingest/database/mod.ts';
import { ManualClock } from '#service/mod.ts';
import { until } from '../../support/until.ts';
import { openDatabase, type Suite } from './stores.ts';

const letter = (id: string) => ({
  id,
  ts: 1,
  edge: 'e',
  hop: 'events',
  source: '',
  code: 'C',
  reason: 'r',
  payload: '',
  topic: null,
  replays: 0,
});

export const databaseSuite: Suite = ({ store, fresh: anyStore, server }) => {
  const fresh = () => anyStore({ own: true });

  it('runs the migrations once and keeps the data', async () => {
    const config = await fresh();
    const clock = new ManualClock(1_700_000_000_123);
    const first = await openDatabase(config, clock);
    await first.kysely.insertInto('dead_letters').values(letter('a')).execute();
    await first.stop();
    clock.advance(1000);
    const second = await openDatabase(config, clock);
    expect(await second.kysely.selectFrom('dead_letters').selectAll().execute()).toEqual([letter('a')]);
    const migrations = await second.kysely.selectFrom('schema_migrations').selectAll().orderBy('name').execute();
    expect(migrations.slice(0, 2).map((m) => m.name)).toEqual(['0001-cases', '0002-operations']);
    expect(migrations.every((m) => m.at === 1_700_000_000_123)).toBe(true);
  });

  it('calls what a model takes by its new name in reports of before', async () => {
    const config = await fresh();
    const before = await openDatabase(config);
    const report_json = JSON.stringify({ model: 'street@1', classes: ['stall'], medianMs: 12.5 });
    for (const table of ['edge_models', 'edge_candidates'] as const)
      await before.kysely.insertInto(table).values({ edge: 'e', report_json, at: 1 }).execute();
    await before.kysely.deleteFrom('schema_migrations').where('name', '=', '0012-model-time').execute();
    await before.stop();
    const { kysely } = await openDatabase(config);
    const now = async (table: 'edge_models' | 'edge_candidates') =>
      JSON.parse((await kysely.selectFrom(table).select('report_json').executeTakeFirstOrThrow()).report_json);
    expect(await now('edge_models')).toEqual({ model: 'street@1', sha256: '', classes: ['stall'], cpuMs: 12.5 });
    expect(await now('edge_candidates')).toEqual({ model: 'street@1', classes: ['stall'], cpuMs: 12.5 });
  });

  it('refuses a database of a newer version', async () => {
    const config = await fresh();
    const database = await openDatabase(config);
    await database.kysely.insertInto('schema_migrations').values({ name: '9999-later', at: 1 }).execute();
    await database.stop();
    await expect(openDatabase(config)).rejects.toMatchObject({ code: 'GEWU_STORE_VERSION' });
  });

  it('keeps nothing of a transaction that fails', async () => {
    const database = await openDatabase(await fresh());
    const failed = database.transaction(async (trx) => {
      await trx.insertInto('dead_letters').values(letter('a')).execute();
      throw new Error('power cut');
    });
    await expect(failed).rejects.toThrow('power cut');
    expect(await database.kysely.selectFrom('dead_letters').selectAll().execute()).toEqual([]);
  });

  it('runs a transaction again after a conflict, and gives up in the end', async () => {
    const database = await openDatabase(await fresh());
    let runs = 0;
    const value = await database.transaction(async () => {
      runs++;
      if (runs < 3) throw new StoreConflict('a case');
      return runs;
    });
    expect(value).toBe(3);
    const never = database.transaction(async () => {
      throw new StoreConflict('a case');
    });
    await expect(never).rejects.toMatchObject({ code: 'GEWU_STORE_UNAVAILABLE' });
  });

  it('lets one transaction at a time hold a lock', async () => {
    const database = await openDatabase(await fresh());
    await database.kysely.insertInto('case_numbers').values({ division: '210283', day: '20261123', serial: 0 }).execute();
    const addOne = () =>
      database.transaction(
        async (trx) => {
          const { serial } = await trx.selectFrom('case_numbers').select('serial').executeTakeFirstOrThrow();
          await sql`select 1`.execute(trx);
          await trx
            .updateTable('case_numbers')
            .set({ serial: serial + 1 })
            .execute();
        },
        { locks: [{ name: 'counter', mode: 'exclusive' }] },
      );
    await Promise.all(Array.from({ length: 20 }, addOne));
    expect((await database.kysely.selectFrom('case_numbers').select('serial').executeTakeFirstOrThrow()).serial).toBe(20);
  });

  it('answers a ping, and says GEWU_STORE_UNAVAILABLE when closed', async () => {
    const database = await openDatabase(await fresh());
    await database.ping();
    await database.stop();
    await database.stop();
    await expect(database.ping()).rejects.toMatchObject({ code: 'GEWU_STORE_UNAVAILABLE' });
  });

  if (store === 'sqlite') {
    it('refuses a second process on the same file until the first one is dead', async () => {
      const config = await fresh();
      const holder = spawn(process.execPath, ['-e', HOLDER, JSON.stringify(config)], { stdio: ['ignore', 'pipe', 'inherit'] });
      try {
        await said(holder, 'open');
        await expect(openDatabase(config)).rejects.toMatchObject({ code: 'GEWU_STORE_LOCKED' });
      } finally {
        holder.kill('SIGKILL');
        await once(holder, 'exit');
      }
      await openDatabase(config);
    });

    it('refuses a second opening in the same process', async () => {
      const config = await fresh();
      await openDatabase(config);
      await expect(openDatabase(config)).rejects.toMatchObject({ code: 'GEWU_STORE_LOCKED' });
    });

    it('syncs every commit to the write-ahead log', async () => {
      const database = await openDatabase(await fresh());
      const one = async (name: string) =>
        Object.values((await sql.raw<object>(`pragma ${name}`).execute(database.kysely)).rows[0] ?? {});
      expect(await one('journal_mode')).toEqual(['wal']);
      expect(await one('synchronous')).toEqual([2]);
      expect(await one('foreign_keys')).toEqual([1]);
    });
  } else {
    it('says GEWU_STORE_UNAVAILABLE while the server is away, and works again after its return', async () => {
      const database = await openDatabase(await fresh());
      await server().kill();
      await expect(database.ping()).rejects.toMatchObject({ code: 'GEWU_STORE_UNAVAILABLE' });
      const away = database.transaction((trx) => trx.insertInto('dead_letters').values(letter('a')).execute());
      await expect(away).rejects.toMatchObject({ code: 'GEWU_STORE_UNAVAILABLE' });
      await server().restart();
      await until(() => database.ping().then(() => true));
      expect(await database.kysely.selectFrom('dead_letters').selectAll().execute()).toEqual([]);
    });

    it('fails a transaction whose connection dies between two statements, and nothing else', async () => {
      const database = await openDatabase(await fresh());
      const broken = database.transaction(async (trx) => {
        const own = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(trx);
        await sql`select pg_terminate_backend(${own.rows[0]?.pid}::int)`.execute(database.kysely);
        // The connection's end has to arrive while no statement waits for it: unheard, it would end this process.
        await pause(200);
        await trx.insertInto('dead_letters').values(letter('a')).execute();
      });
      await expect(broken).rejects.toMatchObject({ code: 'GEWU_STORE_UNAVAILABLE' });
      expect(await database.kysely.selectFrom('dead_letters').selectAll().execute()).toEqual([]);
    });

    it('lets two replicas start on an empty database together', async () => {
      const config = await fresh();
      await Promise.all([openDatabase(config), openDatabase(config)]);
    });

    it('says GEWU_STORE_UNAVAILABLE at the start when nobody listens', async () => {
      const url = 'postgres://gewu:x@127.0.0.1:1/none';
      await expect(openDatabase({ store: 'postgres', url, poolMax: 1 })).rejects.toMatchObject({
        code: 'GEWU_STORE_UNAVAILABLE',
      });
    });
  }
};

/** A process that opens the store and stays. */
const HOLDER = `
const { createDatabase } = await import(${JSON.stringify(new URL('../../../ingest/database/mod.ts', import.meta.url).href)});
const { createMetrics, silentLog, systemClock } = await import(${JSON.stringify(new URL('../../../service/mod.ts', import.meta.url).href)});
await createDatabase({ config: JSON.parse(process.argv[1]), clock: systemClock, log: silentLog, metrics: createMetrics() }).start();
console.log('open');
setInterval(() => undefined, 1000);
`;

async function said(child: ChildProcess, word: string): Promise<void> {
  for await (const chunk of child.stdout ?? []) if (String(chunk).includes(word)) return;
  throw new Error(`the child ended without saying ${word}`);
}
