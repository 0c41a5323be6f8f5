import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Role } from '#grid/api/mod.ts';
import { type Clock, GewuError, isGewuError } from '#service/mod.ts';
import type { ApiTokensTable, Database, Queries } from '../../database/mod.ts';
import { ACCOUNTS_LOCK, type Account, accountFault, rolesOfTokens, rolesOfUser } from '../../sessions/mod.ts';

const TOKEN_BYTES = 32;
const TOKENS_MAX = 10_000;
/** A token of the database counts this long without being read again: so a revocation takes as long on other replicas. */
const FRESH_MS = 5_000;
/** While the database is away, a known token goes on counting this long. */
const STALE_MS_MAX = 10 * 60_000;
const CACHED_MAX = 10_000;

export interface NewToken {
  name: string;
  roles: readonly Role[];
  department?: string | undefined;
  /** UTC ms; never when missing. */
  expiresAt?: number | undefined;
}

/** A token as it is listed: never the token itself. */
export interface TokenInfo {
  sha256: string;
  name: string;
  roles: Role[];
  department: string | null;
  createdAt: number;
  expiresAt: number | null;
}

/** The configuration's own tokens, for a bootstrap. Exactly one of `token` and `sha256` is set. */
export interface FixedToken {
  name: string;
  token?: string | undefined;
  sha256?: string | undefined;
  roles: readonly Role[];
  department?: string | undefined;
}

export const sha256Of = (text: string): string => createHash('sha256').update(text).digest('hex');

/**
 * Makes a token in the database and returns it: the only time that anybody sees it. Tokens and a user of one name are one
 * account, so their roles together must not break the separation of duties. Throws GEWU_REQUEST_INVALID.
 */
export async function createToken(
  { database, clock, fixed = [] }: { database: Database; clock: Clock; fixed?: readonly FixedToken[] },
  { name, roles, department, expiresAt }: NewToken,
): Promise<{ token: string; info: TokenInfo }> {
  const token = `gewu_${randomBytes(TOKEN_BYTES).toString('base64url')}`;
  const row: ApiTokensTable = {
    sha256: sha256Of(token),
    name,
    roles_json: JSON.stringify([...new Set(roles)]),
    department: department ?? null,
    created_at: clock.now(),
    expires_at: expiresAt ?? null,
  };
  await database.transaction(async (db) => {
    await db.deleteFrom('api_tokens').where('expires_at', '<=', row.created_at).execute();
    const { count } = await db
      .selectFrom('api_tokens')
      .select((eb) => eb.fn.countAll<number>().as('count'))
      .executeTakeFirstOrThrow();
    if (Number(count) >= TOKENS_MAX) throw new GewuError('GEWU_REQUEST_INVALID', `there are ${TOKENS_MAX} tokens already`);
    const held = [...(await rolesOfTokens(db, name)), ...(await rolesOfUser(db, name))];
    const fault = accountFault(name, [...roles, ...held, ...fixed.filter((f) => f.name === name).flatMap((f) => f.roles)]);
    if (fault !== null) throw new GewuError('GEWU_REQUEST_INVALID', `${name} ${fault}`);
    await db.insertInto('api_tokens').values(row).execute();
  }, ACCOUNTS_LOCK);
  return { token, info: toInfo(row) };
}

export async function listTokens(db: Queries): Promise<TokenInfo[]> {
  const rows = await db.selectFrom('api_tokens').selectAll().orderBy('created_at').orderBy('sha256').execute();
  return rows.map(toInfo);
}

/** Throws GEWU_NOT_FOUND. */
export async function revokeToken(db: Queries, sha256: string): Promise<void> {
  const { numDeletedRows } = await db.deleteFrom('api_tokens').where('sha256', '=', sha256).executeTakeFirst();
  if (numDeletedRows === 0n) throw new GewuError('GEWU_NOT_FOUND', 'there is no such token');
}

function toInfo(row: ApiTokensTable): TokenInfo {
  const { sha256, name, department } = row;
  return { sha256, name, roles: JSON.parse(row.roles_json), department, createdAt: row.created_at, expiresAt: row.expires_at };
}

/** Finds the account of a token: those of the configuration in memory, those of the database with a short cache. */
export class TokenAccounts {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #fixed: { digest: Buffer; account: Account }[];
  readonly #cache = new Map<string, { account: Account; expiresAt: number; readAt: number }>();

  constructor({ database, clock, fixed }: { database: Database; clock: Clock; fixed: readonly FixedToken[] }) {
    this.#database = database;
    this.#clock = clock;
    this.#fixed = fixed.map(({ name, token, sha256, roles, department }) => ({
      digest: Buffer.from(sha256 ?? sha256Of(token ?? ''), 'hex'),
      account: { id: name, roles, department },
    }));
  }

  /** Null: no such token. Throws GEWU_STORE_UNAVAILABLE when the database is away and the token is not known from before. */
  async find(sha256: string): Promise<Account | null> {
    const digest = Buffer.from(sha256, 'hex');
    const own = this.#fixed.find((f) => timingSafeEqual(f.digest, digest));
    if (own) return own.account;
    const now = this.#clock.monotonic();
    const known = this.#cache.get(sha256);
    if (known !== undefined && now - known.readAt < FRESH_MS) return this.#unexpired(known);
    try {
      return await this.#read(sha256, now);
    } catch (error) {
      const away = isGewuError(error, 'GEWU_STORE_UNAVAILABLE');
      if (away && known !== undefined && now - known.readAt < STALE_MS_MAX) return this.#unexpired(known);
      throw error;
    }
  }

  /** Forgets what it knows of a token that was revoked here. */
  forget(sha256: string): void {
    this.#cache.delete(sha256);
  }

  async #read(sha256: string, now: number): Promise<Account | null> {
    const row = await this.#database.kysely.selectFrom('api_tokens').selectAll().where('sha256', '=', sha256).executeTakeFirst();
    this.#cache.delete(sha256);
    if (row === undefined) return null;
    const account = { id: row.name, roles: JSON.parse(row.roles_json) as Role[], department: row.department ?? undefined };
    const entry = { account, expiresAt: row.expires_at ?? Number.POSITIVE_INFINITY, readAt: now };
    if (this.#cache.size >= CACHED_MAX) this.#cache.delete(this.#cache.keys().next().value as string);
    this.#cache.set(sha256, entry);
    return this.#unexpired(entry);
  }

  #unexpired({ account, expiresAt }: { account: Account; expiresAt: number }): Account | null {
    return expiresAt > this.#clock.now() ? account : null;
  }
}
