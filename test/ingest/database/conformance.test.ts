import { describe } from 'vitest';
import { acceptSuite } from '../cases/accept.suite.ts';
import { listsSuite } from '../cases/lists.suite.ts';
import { orderSuite } from '../cases/order.suite.ts';
import { replicasSuite } from '../cases/replicas.suite.ts';
import { transitionsSuite } from '../cases/transitions.suite.ts';
import { evidenceSuite } from '../evidence/evidence.suite.ts';
import { newsSuite } from '../news/news.suite.ts';
import { listedSuite } from '../replicas/replicas.suite.ts';
import { databaseSuite } from './database.suite.ts';
import { onEachStore } from './stores.ts';

/** Everything that stands on the database, on both stores: SQLite, and a real PostgreSQL. */
onEachStore((store) => {
  describe('cases from events', () => acceptSuite(store));
  describe('order of arrival', () => orderSuite(store));
  describe('transitions', () => transitionsSuite(store));
  describe('lists', () => listsSuite(store));
  describe('evidence', () => evidenceSuite(store));
  describe('replicas', () => {
    replicasSuite(store);
    listedSuite(store);
    if (store.store === 'postgres') newsSuite(store);
  });
  // Last: it kills the server.
  describe('database', () => databaseSuite(store));
});
