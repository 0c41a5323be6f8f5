import { tokensSuite } from '../api/tokens.suite.ts';
import { auditSuite } from '../audit/audit.suite.ts';
import { onEachStore } from '../database/stores.ts';
import { deadLettersSuite } from '../deadletters/dead_letters.suite.ts';
import { desiredSuite } from '../desired/desired.suite.ts';
import { edgeKeysSuite } from '../evidence/keys.suite.ts';
import { releasesSuite } from '../evidence/releases.suite.ts';
import { grantsSuite } from '../grants/grants.suite.ts';
import { notifySuite } from '../notify/notify.suite.ts';
import { upkeepSuite } from '../upkeep/upkeep.suite.ts';
import { watchingSuite } from '../watching/watching.suite.ts';
import { healthSuite } from './health.suite.ts';

/** What the operations side keeps in the database, on both stores: one PostgreSQL serves all. */
onEachStore((store) => {
  healthSuite(store);
  desiredSuite(store);
  deadLettersSuite(store);
  tokensSuite(store);
  auditSuite(store);
  grantsSuite(store);
  edgeKeysSuite(store);
  releasesSuite(store);
  notifySuite(store);
  upkeepSuite(store);
  watchingSuite(store);
});
