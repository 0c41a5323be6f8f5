import type { KyselyPlugin, QueryId } from 'kysely';
import type { Database } from '#ingest/database/mod.ts';

/**
 * The same database, where something else happens in the middle of a transaction: after the first select that names
 * `table`, `hook` runs to its end before the transaction goes on. For races that would else take luck.
 */
export function interruptAfter(database: Database, table: string, hook: () => Promise<unknown>): Database {
  let armed = true;
  let watched: QueryId | null = null;
  const plugin: KyselyPlugin = {
    transformQuery({ node, queryId }) {
      if (armed && node.kind === 'SelectQueryNode' && JSON.stringify(node).includes(`"${table}"`)) {
        armed = false;
        watched = queryId;
      }
      return node;
    },
    async transformResult({ queryId, result }) {
      if (queryId === watched) await hook();
      return result;
    },
  };
  return {
    store: database.store,
    get kysely() {
      return database.kysely;
    },
    start: () => database.start(),
    stop: () => database.stop(),
    ping: () => database.ping(),
    transaction: (work, options) => database.transaction((trx) => work(trx.withPlugin(plugin)), options),
  };
}
