import { createHash, randomBytes } from 'node:crypto';
import { type Clock, GewuError, isGewuError, type Log } from '#service/mod.ts';
import { AUDIT_LOCK, type Audit, type AuditAct } from '../audit/mod.ts';
import type { Queries, UsersTable } from '../database/mod.ts';
import { Attempts } from './attempts.ts';
import { hashPassword, passwordFits } from './passwords.ts';
import type { By, NewUser, Origin, Session, SessionService, SessionsConfig, UserChange } from './types.ts';
import { Users, type UsersDependencies } from './users.ts';

const COOKIE_BYTES = 32;
const LINK_MS = 10 * 60_000;
/** A session counts this long without being read again: so a sign-out takes as long on other replicas. */
const FRESH_MS = 5_000;
/** While the database is away, a known session goes on counting this long. */
const STALE_MS_MAX = 10 * 60_000;
/** `last_seen_at` is written no more often. */
const TOUCH_MS = 60_000;
const CACHED_MAX = 10_000;
/** Open log-ins of one user; the oldest go first. */
const SESSIONS_PER_USER_MAX = 20;
const AGENT_CHARS_MAX = 200;
const SWEEP_MS = 10 * 60_000;

export interface SessionDependencies extends UsersDependencies {
  config: SessionsConfig;
  audit: Audit;
  clock: Clock;
  log: Log;
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const csrfOf = (cookie: string) => sha256(`csrf ${cookie}`).slice(0, 32);

/** Builds the session service; the database must be started before it, and stopped after it. */
export function createSessionService(dependencies: SessionDependencies): SessionService {
  return new StoredSessions(dependencies);
}

interface Known {
  session: Session;
  name: string;
  readAt: number;
}

class StoredSessions implements SessionService {
  readonly #deps: SessionDependencies;
  readonly #users: Users;
  readonly #attempts: Attempts;
  readonly #known = new Map<string, Known>();
  /** Compared with where there is no such user, so that a name cannot be guessed by the time that it takes. */
  #decoy: Promise<string> | null = null;
  #sweeping: NodeJS.Timeout | null = null;

  constructor(dependencies: SessionDependencies) {
    this.#deps = dependencies;
    this.#users = new Users(dependencies);
    this.#attempts = new Attempts(dependencies.clock);
  }

  async start(): Promise<void> {
    const { config, log } = this.#deps;
    const first = config.firstAdministrator;
    if (first !== undefined && (await this.#users.seed(first.name, first.passwordHash)))
      log.info({ name: first.name }, 'the first administrator may sign in');
    const sweep = () => this.#sweep().catch((error: unknown) => log.debug({ err: error }, 'old sessions stay for now'));
    this.#sweeping = setInterval(() => void sweep(), SWEEP_MS);
    this.#sweeping.unref();
  }

  async stop(): Promise<void> {
    if (this.#sweeping) clearInterval(this.#sweeping);
    this.#sweeping = null;
  }

  async signIn(name: string, password: string, origin: Origin): Promise<string> {
    const keys = [origin.address, `name ${name}`];
    const credential = sha256(`${name}\n${password}`);
    for (const key of keys) this.#attempts.check(key, credential);
    const user = await this.#users.find(this.#deps.database.kysely, name);
    this.#decoy ??= hashPassword(randomBytes(COOKIE_BYTES).toString('hex'));
    const right = await passwordFits(password, user?.password_hash ?? (await this.#decoy));
    if (user === undefined || user.password_hash === null || user.disabled !== 0 || !right) {
      for (const key of keys) this.#attempts.failed(key);
      throw new GewuError('GEWU_UNAUTHORIZED', 'name or password is not right');
    }
    this.#attempts.succeeded(credential);
    await this.#deps.audit.record(signedIn(user, origin, 'password'));
    return this.#open(this.#deps.database.kysely, user, origin);
  }

  async signInByLink(code: string, origin: Origin): Promise<string> {
    this.#attempts.check(origin.address, sha256(code));
    const now = this.#deps.clock.now();
    const cookie = await this.#deps.database.transaction(
      async (db) => {
        const link = await db.selectFrom('sign_in_links').selectAll().where('sha256', '=', sha256(code)).executeTakeFirst();
        if (link === undefined || link.expires_at <= now) return null;
        const used = await db.deleteFrom('sign_in_links').where('sha256', '=', link.sha256).executeTakeFirst();
        const user = await this.#users.find(db, link.name);
        if (used.numDeletedRows === 0n || user === undefined || user.disabled !== 0) return null;
        await this.#deps.audit.recordIn(db, signedIn(user, origin, 'link'));
        return this.#open(db, user, origin);
      },
      { locks: [AUDIT_LOCK] },
    );
    if (cookie !== null) return cookie;
    this.#attempts.failed(origin.address);
    throw new GewuError('GEWU_UNAUTHORIZED', 'this code was used, is too old, or never was');
  }

  async find(cookie: string): Promise<Session | null> {
    const key = sha256(cookie);
    const now = this.#deps.clock.monotonic();
    const known = this.#known.get(key);
    if (known !== undefined && now - known.readAt < FRESH_MS) return this.#unexpired(known.session);
    try {
      const read = await this.#read(key, cookie, now);
      return read === null ? null : this.#unexpired(read.session);
    } catch (error) {
      const away = isGewuError(error, 'GEWU_STORE_UNAVAILABLE');
      if (away && known !== undefined && now - known.readAt < STALE_MS_MAX) return this.#unexpired(known.session);
      throw error;
    }
  }

  async signOut(cookie: string): Promise<void> {
    const key = sha256(cookie);
    this.#known.delete(key);
    await this.#deps.database.kysely.deleteFrom('sessions').where('sha256', '=', key).execute();
  }

  async signOutEverywhere(name: string): Promise<void> {
    await this.#end(name, '');
  }

  async changePassword(cookie: string, old: string | undefined, next: string): Promise<void> {
    const name = (await this.find(cookie))?.account.id;
    const user = name === undefined ? undefined : await this.#users.find(this.#deps.database.kysely, name);
    if (user === undefined) throw new GewuError('GEWU_UNAUTHORIZED', 'this session is over');
    const key = `name ${user.name}`;
    this.#attempts.check(key, '');
    if (user.password_hash !== null && !(old !== undefined && (await passwordFits(old, user.password_hash)))) {
      this.#attempts.failed(key);
      throw new GewuError('GEWU_REQUEST_INVALID', 'the old password is not right');
    }
    await this.#users.setPassword(user.name, next);
    await this.#end(user.name, sha256(cookie));
  }

  users() {
    return this.#users.list();
  }

  async createUser(user: NewUser, by: By) {
    const made = await this.#users.create(user);
    await this.#record(by, 'user-created', user.name, { rolesGiven: made.roles.join(' ') });
    return made;
  }

  async changeUser(name: string, change: UserChange, by: By) {
    const user = await this.#users.change(name, change);
    const { roles, disabled, forgetPassword = false } = change;
    const told = { rolesGiven: roles?.join(' ') ?? null, disabled: disabled ?? null, forgetPassword };
    await this.#record(by, 'user-changed', name, told);
    await this.#end(name, '');
    return user;
  }

  async link(name: string, by: By): Promise<{ code: string; expiresAt: number }> {
    const { database, clock } = this.#deps;
    const user = await this.#users.find(database.kysely, name);
    if (user === undefined) throw new GewuError('GEWU_NOT_FOUND', `there is no user ${name}`);
    await this.#record(by, 'sign-in-link-made', name);
    const code = randomBytes(COOKIE_BYTES).toString('base64url');
    const expiresAt = clock.now() + LINK_MS;
    await database.kysely
      .insertInto('sign_in_links')
      .values({ sha256: sha256(code), name, expires_at: expiresAt })
      .execute();
    return { code, expiresAt };
  }

  async #record(by: By, action: string, name: string, detail: AuditAct['detail'] = {}): Promise<void> {
    await this.#deps.audit.record({ actor: by.id, roles: by.roles, action, subject: `user:${name}`, detail });
  }

  async #open(db: Queries, user: UsersTable, { address, agent }: Origin): Promise<string> {
    const { clock, config } = this.#deps;
    const now = clock.now();
    const cookie = randomBytes(COOKIE_BYTES).toString('base64url');
    const own = db.selectFrom('sessions').select('sha256').where('name', '=', user.name).orderBy('created_at', 'desc');
    const extra = await own
      .offset(SESSIONS_PER_USER_MAX - 1)
      .limit(SESSIONS_PER_USER_MAX)
      .execute();
    for (const row of extra) await db.deleteFrom('sessions').where('sha256', '=', row.sha256).execute();
    await db
      .insertInto('sessions')
      .values({
        sha256: sha256(cookie),
        name: user.name,
        created_at: now,
        last_seen_at: now,
        expires_at: now + config.hoursMax * 3_600_000,
        address,
        agent: agent.slice(0, AGENT_CHARS_MAX),
      })
      .execute();
    await db.updateTable('users').set({ signed_in_at: now }).where('name', '=', user.name).execute();
    return cookie;
  }

  async #read(key: string, cookie: string, readAt: number): Promise<Known | null> {
    const { database, clock, config } = this.#deps;
    const row = await database.kysely
      .selectFrom('sessions as s')
      .innerJoin('users as u', 'u.name', 's.name')
      .select(['s.name', 's.last_seen_at', 's.expires_at', 'u.roles_json', 'u.department', 'u.disabled'])
      .where('s.sha256', '=', key)
      .executeTakeFirst();
    this.#known.delete(key);
    const [now, idleMs] = [clock.now(), config.idleMinutes * 60_000];
    if (row === undefined || row.disabled !== 0 || row.last_seen_at + idleMs <= now) return null;
    const touched = now - row.last_seen_at > TOUCH_MS;
    if (touched) await database.kysely.updateTable('sessions').set({ last_seen_at: now }).where('sha256', '=', key).execute();
    const account = { id: row.name, roles: JSON.parse(row.roles_json), department: row.department ?? undefined };
    const expiresAt = Math.min(row.expires_at, (touched ? now : row.last_seen_at) + idleMs);
    const known = { session: { account, csrf: csrfOf(cookie), expiresAt }, name: row.name, readAt };
    if (this.#known.size >= CACHED_MAX) this.#known.delete(this.#known.keys().next().value as string);
    this.#known.set(key, known);
    return known;
  }

  #unexpired(session: Session): Session | null {
    return session.expiresAt > this.#deps.clock.now() ? session : null;
  }

  /** All sessions of the user but one. */
  async #end(name: string, except: string): Promise<void> {
    for (const [key, known] of this.#known) if (known.name === name && key !== except) this.#known.delete(key);
    const { kysely } = this.#deps.database;
    await kysely.deleteFrom('sessions').where('name', '=', name).where('sha256', '!=', except).execute();
    await kysely.deleteFrom('sign_in_links').where('name', '=', name).execute();
  }

  async #sweep(): Promise<void> {
    const { database, clock, config } = this.#deps;
    const now = clock.now();
    const idleSince = now - config.idleMinutes * 60_000;
    await database.kysely
      .deleteFrom('sessions')
      .where((eb) => eb.or([eb('expires_at', '<=', now), eb('last_seen_at', '<=', idleSince)]))
      .execute();
    await database.kysely.deleteFrom('sign_in_links').where('expires_at', '<=', now).execute();
  }
}

function signedIn(user: UsersTable, { address }: Origin, how: 'password' | 'link'): AuditAct {
  const roles = JSON.parse(user.roles_json) as string[];
  return { actor: user.name, roles, action: 'signed-in', subject: `user:${user.name}`, detail: { address, how } };
}
