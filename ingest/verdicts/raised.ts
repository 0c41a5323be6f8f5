import { sql } from 'kysely';

/**
 * A condition on verdicts: of what was raised, or would have been but for its model being new to real streets. What fixtures keep quiet
 * was not, and what a reviewer calls one of it is raised then, and judged as such.
 */
export const ofRaised = sql<boolean>`coalesce(suppressed, '') <> 'fixture'`;
