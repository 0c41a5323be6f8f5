import type { Kysely } from 'kysely';
import type { Schema } from '../schema.ts';
import { casesMigration } from './0001-cases.ts';
import { operationsMigration } from './0002-operations.ts';
import { evidenceMigration } from './0003-evidence.ts';
import { desiredMigration } from './0004-desired.ts';
import { modelsMigration } from './0004-models.ts';
import { consoleMigration } from './0006-console.ts';
import { loopMigration } from './0008-loop.ts';
import { opsMigration } from './0009-ops.ts';
import { upkeepMigration } from './0011-upkeep.ts';
import { modelTimeMigration } from './0012-model-time.ts';
import { eventHoursMigration } from './0014-event-hours.ts';
import { replicasMigration } from './0015-replicas.ts';
import { eventSourcesMigration } from './0016-event-sources.ts';
import { verdictsSuppressedMigration } from './0017-verdicts-suppressed.ts';

/** One step of the schema. Never changed once released: add another file, and a line below. */
export interface Migration {
  name: string;
  up(db: Kysely<Schema>, store: 'sqlite' | 'postgres'): Promise<void>;
}

export const MIGRATIONS: readonly Migration[] = [
  casesMigration,
  operationsMigration,
  evidenceMigration,
  desiredMigration,
  modelsMigration,
  consoleMigration,
  loopMigration,
  opsMigration,
  upkeepMigration,
  modelTimeMigration,
  eventHoursMigration,
  replicasMigration,
  eventSourcesMigration,
  verdictsSuppressedMigration,
];
