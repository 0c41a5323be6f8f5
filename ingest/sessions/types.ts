import { type Static, Type } from 'typebox';
import type { Role, UserAnswer } from '#grid/api/mod.ts';
import { Id } from '#grid/mod.ts';
import type { Service } from '#service/mod.ts';
import type { Account } from './account.ts';
import { HASH_PATTERN } from './passwords.ts';

const strict = { additionalProperties: false } as const;

export const SessionsConfig = Type.Object(
  {
    /** A session ends so long after its last request ... */
    idleMinutes: Type.Integer({ minimum: 1, maximum: 43_200, default: 720 }),
    /** ... and at the latest so long after the log-in. */
    hoursMax: Type.Integer({ minimum: 1, maximum: 720, default: 168 }),
    /** Made when the database has no user at all; from then on the database is the authority. `gewu init` writes it. */
    firstAdministrator: Type.Optional(
      Type.Object(
        { name: Id(), passwordHash: Type.String({ pattern: HASH_PATTERN, description: 'argon2id, PHC string format' }) },
        strict,
      ),
    ),
  },
  { ...strict, default: {} },
);
export type SessionsConfig = Static<typeof SessionsConfig>;

/** A log-in that counts. */
export interface Session {
  account: Account;
  /** Changing requests repeat it in a header: a foreign page can send the cookie, but cannot read this. */
  csrf: string;
  /** UTC ms, when nothing more is asked. */
  expiresAt: number;
}

export interface NewUser {
  name: string;
  roles: readonly Role[];
  department?: string | undefined;
  /** None: the person sets one after a log-in by link. */
  password?: string | undefined;
}

export interface UserChange {
  roles?: readonly Role[] | undefined;
  department?: string | null | undefined;
  disabled?: boolean | undefined;
  /** The person forgot it: a log-in by link may set another. */
  forgetPassword?: true | undefined;
}

/** The administrator who changes something; the audit trail names him. */
export type By = Pick<Account, 'id' | 'roles'>;

/** Where a log-in comes from; kept with the session so that people recognise their own. */
export interface Origin {
  address: string;
  agent: string;
}

/**
 * People and their log-ins. Cookies and codes are random and kept as SHA-256; passwords as argon2id.
 *
 * Errors: GEWU_UNAUTHORIZED (name, password or code is not right), GEWU_TOO_MANY_REQUESTS, GEWU_REQUEST_INVALID (a bad
 * password, roles that nobody may hold together), GEWU_NOT_FOUND, GEWU_STORE_UNAVAILABLE.
 */
export interface SessionService extends Service {
  /** Returns the cookie's value. */
  signIn(name: string, password: string, origin: Origin): Promise<string>;
  /** By a code of `link`, which it uses up. */
  signInByLink(code: string, origin: Origin): Promise<string>;
  /** Null: there is no such session, it is over, or its user is disabled. */
  find(cookie: string): Promise<Session | null>;
  signOut(cookie: string): Promise<void>;
  /** All sessions of a user. At once here, within seconds on other replicas. */
  signOutEverywhere(name: string): Promise<void>;
  /** Ends all other sessions of the user. `old` is not asked for where none was set. */
  changePassword(cookie: string, old: string | undefined, next: string): Promise<void>;

  users(): Promise<UserAnswer[]>;
  createUser(user: NewUser, by: By): Promise<UserAnswer>;
  /** Ends the user's sessions: the next one has the new rights. */
  changeUser(name: string, change: UserChange, by: By): Promise<UserAnswer>;
  /** A code for one log-in within ten minutes; the only time that anybody sees it. */
  link(name: string, by: By): Promise<{ code: string; expiresAt: number }>;
}
