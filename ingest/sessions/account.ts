import type { Role } from '#grid/api/mod.ts';
import { rolesFault } from '../cases/mod.ts';
import type { Queries } from '../database/mod.ts';

/** The machine's own name in the timeline of a case. */
const MACHINE_NAME = 'gewu';

/** Who asks: the name and rights behind a token or a session. */
export interface Account {
  /** Its name, which the timeline of a case keeps. */
  id: string;
  roles: readonly Role[];
  /** Of the role `department`. */
  department: string | undefined;
}

/** Why an account of this name may not have these roles together, or null. */
export function accountFault(name: string, roles: readonly string[]): string | null {
  return name === MACHINE_NAME ? 'is the name of the machine itself' : rolesFault(roles);
}

/** Tokens and users of one name are one account: the roles that it holds by the database already, but for its user row. */
export async function rolesOfTokens(db: Queries, name: string): Promise<Role[]> {
  const rows = await db.selectFrom('api_tokens').select('roles_json').where('name', '=', name).execute();
  return rows.flatMap((row) => JSON.parse(row.roles_json) as Role[]);
}

export async function rolesOfUser(db: Queries, name: string): Promise<Role[]> {
  const row = await db.selectFrom('users').select('roles_json').where('name', '=', name).executeTakeFirst();
  return row === undefined ? [] : (JSON.parse(row.roles_json) as Role[]);
}
