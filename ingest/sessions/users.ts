import type { UserAnswer } from '#grid/api/mod.ts';
import { type Clock, GewuError } from '#service/mod.ts';
import type { Database, Queries, UsersTable } from '../database/mod.ts';
import { accountFault, rolesOfTokens } from './account.ts';
import { hashPassword, passwordFault } from './passwords.ts';
import type { NewUser, UserChange } from './types.ts';

const USERS_MAX = 10_000;

export interface UsersDependencies {
  database: Database;
  clock: Clock;
  /** The configuration's own tokens: a user of such a name is the same account. */
  fixed: readonly { name: string; roles: readonly string[] }[];
}

/** The rows of people. */
export class Users {
  readonly #deps: UsersDependencies;

  constructor(dependencies: UsersDependencies) {
    this.#deps = dependencies;
  }

  async list(): Promise<UserAnswer[]> {
    const { kysely } = this.#deps.database;
    const rows = await kysely.selectFrom('users').selectAll().orderBy('name').execute();
    const open = await kysely
      .selectFrom('sessions')
      .select(['name', (eb) => eb.fn.countAll<number>().as('count')])
      .where('expires_at', '>', this.#deps.clock.now())
      .groupBy('name')
      .execute();
    const counts = new Map(open.map(({ name, count }) => [name, Number(count)]));
    return rows.map((row) => toUser(row, counts.get(row.name) ?? 0));
  }

  async find(db: Queries, name: string): Promise<UsersTable | undefined> {
    return db.selectFrom('users').selectAll().where('name', '=', name).executeTakeFirst();
  }

  async create({ name, roles, department, password }: NewUser): Promise<UserAnswer> {
    const { database, clock } = this.#deps;
    const row: UsersTable = {
      name,
      password_hash: password === undefined ? null : await this.#hash(name, password),
      roles_json: JSON.stringify([...new Set(roles)]),
      department: department ?? null,
      disabled: 0,
      created_at: clock.now(),
      signed_in_at: null,
    };
    await database.transaction(async (db) => {
      await this.#checkRoles(db, name, roles);
      const { count } = await db
        .selectFrom('users')
        .select((eb) => eb.fn.countAll<number>().as('count'))
        .executeTakeFirstOrThrow();
      if (Number(count) >= USERS_MAX) throw new GewuError('GEWU_REQUEST_INVALID', `there are ${USERS_MAX} users already`);
      if (await this.find(db, name)) throw new GewuError('GEWU_REQUEST_INVALID', `there is a user ${name} already`);
      await db.insertInto('users').values(row).execute();
    }, ACCOUNTS_LOCK);
    return toUser(row, 0);
  }

  async change(name: string, { roles, department, disabled, forgetPassword }: UserChange): Promise<UserAnswer> {
    return this.#deps.database.transaction(async (db) => {
      const row = await this.find(db, name);
      if (row === undefined) throw new GewuError('GEWU_NOT_FOUND', `there is no user ${name}`);
      if (roles !== undefined) await this.#checkRoles(db, name, roles);
      const next: UsersTable = {
        ...row,
        password_hash: forgetPassword ? null : row.password_hash,
        roles_json: roles === undefined ? row.roles_json : JSON.stringify([...new Set(roles)]),
        department: department === undefined ? row.department : department,
        disabled: disabled === undefined ? row.disabled : Number(disabled),
      };
      await db.updateTable('users').set(next).where('name', '=', name).execute();
      return toUser(next, 0);
    }, ACCOUNTS_LOCK);
  }

  async setPassword(name: string, password: string): Promise<void> {
    const password_hash = await this.#hash(name, password);
    await this.#deps.database.kysely.updateTable('users').set({ password_hash }).where('name', '=', name).execute();
  }

  /** The administrator of the configuration, when there is nobody yet. Returns whether it was made. */
  async seed(name: string, passwordHash: string): Promise<boolean> {
    const { database, clock } = this.#deps;
    return database.transaction(async (db) => {
      if (await db.selectFrom('users').select('name').limit(1).executeTakeFirst()) return false;
      const roles_json = JSON.stringify(['administrator', 'ops', 'viewer']);
      const row = { name, password_hash: passwordHash, roles_json, department: null, disabled: 0, signed_in_at: null };
      await db
        .insertInto('users')
        .values({ ...row, created_at: clock.now() })
        .execute();
      return true;
    }, ACCOUNTS_LOCK);
  }

  #hash(name: string, password: string): Promise<string> {
    const fault = passwordFault(name, password);
    if (fault !== null) throw new GewuError('GEWU_REQUEST_INVALID', `the password ${fault}`);
    return hashPassword(password);
  }

  async #checkRoles(db: Queries, name: string, roles: readonly string[]): Promise<void> {
    const fixed = this.#deps.fixed.filter((f) => f.name === name).flatMap((f) => f.roles);
    const fault = accountFault(name, [...roles, ...fixed, ...(await rolesOfTokens(db, name))]);
    if (fault !== null) throw new GewuError('GEWU_REQUEST_INVALID', `${name} ${fault}`);
  }
}

/** Held by whoever gives roles to a name, as a token or as a user. */
export const ACCOUNTS_LOCK = { locks: [{ name: 'api-tokens', mode: 'exclusive' as const }] };

function toUser(row: UsersTable, sessions: number): UserAnswer {
  const { name, department } = row;
  return {
    name,
    roles: JSON.parse(row.roles_json),
    department,
    disabled: row.disabled !== 0,
    hasPassword: row.password_hash !== null,
    createdAt: row.created_at,
    signedInAt: row.signed_in_at,
    sessions,
  };
}
