import { tokensSuite } from '../api/tokens.suite.ts';
import { onEachStore } from '../database/stores.ts';
import { deadLettersSuite } from '../deadletters/dead_letters.suite.ts';
import { healthSuite } from './health.suite.ts';

/** What the operations side keeps in the database, on both stores: one PostgreSQL serves all three. */
onEachStore((store) => {
  healthSuite(store);
  deadLettersSuite(store);
  tokensSuite(store);
});
