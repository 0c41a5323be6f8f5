import { sql } from 'kysely';
import type { Migration } from './mod.ts';

/**
 * What a model takes was told as `medianMs` and is a mean of CPU time: reports that are stored call it `cpuMs` from now on. The hash of the
 * file of the model in use is in reports of from now on only.
 */
export const modelTimeMigration: Migration = {
  name: '0012-model-time',
  async up(db) {
    const renamed = sql<string>`replace(report_json, '"medianMs":', '"cpuMs":')`;
    await db.updateTable('edge_candidates').set({ report_json: renamed }).execute();
    const withHash = sql<string>`replace(${renamed}, '"classes":', '"sha256":"","classes":')`;
    await db.updateTable('edge_models').set({ report_json: withHash }).execute();
  },
};
