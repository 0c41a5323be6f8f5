import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Clock, Counter, GewuError, type Metrics } from '#service/mod.ts';
import { type Account, Attempts, type SessionService } from '../../sessions/mod.ts';
import type { EdgeCredentials } from './edges.ts';
import { type Access, accessText, type Guarded, mayUse } from './roles.ts';
import { type Browser, browserOf, CSRF_HEADER } from './sessions.ts';
import { sha256Of, type TokenAccounts } from './tokens.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access;
  }
  interface FastifyRequest {
    /** Who asks; null on open routes and for edges. */
    account: Account | null;
    /** The edge that asks, where a route lets edges in. */
    edge: string | null;
  }
}

/** No credential is longer. */
const HEADER_CHARS_MAX = 1024;
/** User name in the browser's log-in window of /docs. */
const DOCS_USER = 'token';

/** What somebody shows of himself: of a request, or of the first message of a socket. */
export interface Credentials {
  authorization: string | undefined;
  ip: string;
  /** A browser that has signed in; counts where there is no `authorization`. */
  browser?: Browser | undefined;
}

export interface AuthenticatorDependencies {
  tokens: TokenAccounts;
  sessions: SessionService;
  edges: EdgeCredentials;
  clock: Clock;
  metrics: Metrics;
}

/** Decides who asks and whether he may, before a body is read. */
export class Authenticator {
  readonly #tokens: TokenAccounts;
  readonly #sessions: SessionService;
  readonly #edges: EdgeCredentials;
  readonly #attempts: Attempts;
  readonly #refused: Counter<'code'>;

  constructor({ tokens, sessions, edges, clock, metrics }: AuthenticatorDependencies) {
    this.#tokens = tokens;
    this.#sessions = sessions;
    this.#edges = edges;
    this.#attempts = new Attempts(clock);
    this.#refused = new Counter({
      name: 'gewu_api_refused_total',
      help: 'Requests without the right to be made, by error code',
      labelNames: ['code'],
      registers: [metrics],
    });
  }

  /** Fastify's onRequest hook. Throws GEWU_UNAUTHORIZED, GEWU_FORBIDDEN, GEWU_TOO_MANY_REQUESTS, GEWU_STORE_UNAVAILABLE. */
  readonly onRequest = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    if (request.is404) return;
    const { access } = request.routeOptions.config;
    if (access === undefined) throw new GewuError('GEWU_INTERNAL', `${request.routeOptions.url} has no access rule`);
    if ('open' in access) return;
    try {
      const who = await this.admit(access, credentialsOf(request));
      if (typeof who === 'string') request.edge = who;
      else request.account = who;
    } catch (error) {
      if (error instanceof GewuError) {
        if (error.code === 'GEWU_UNAUTHORIZED') void reply.header('www-authenticate', challenge(access));
        if (error.code === 'GEWU_TOO_MANY_REQUESTS') void reply.header('retry-after', '60');
      }
      throw error;
    }
  };

  /** Who shows these credentials, an account or the id of an edge, where he may. Throws what `onRequest` does. */
  async admit(access: Guarded, credentials: Credentials): Promise<Account | string> {
    try {
      return await this.#admit(access, credentials);
    } catch (error) {
      if (error instanceof GewuError) this.#refused.inc({ code: error.code });
      throw error;
    }
  }

  /** Whether what opened a long-lived answer still counts. */
  async stillValid({ authorization, browser }: Credentials): Promise<boolean> {
    if (authorization === undefined && browser !== undefined) return (await this.#sessions.find(browser.cookie)) !== null;
    const token = bearer(authorization);
    return token !== null && (await this.#tokens.find(sha256Of(token))) !== null;
  }

  async #admit(access: Guarded, credentials: Credentials): Promise<Account | string> {
    const { authorization, browser } = credentials;
    const who =
      authorization === undefined ? await this.#bySession(browser) : await this.#byHeader(access, authorization, credentials);
    if (typeof who !== 'string' && !mayUse(access, who))
      throw new GewuError('GEWU_FORBIDDEN', `${who.id} has ${who.roles.join(', ')}; this takes ${accessText(access)}`);
    return who;
  }

  /** What changes something must show that one of our pages asks, and not only the cookie. */
  async #bySession(browser: Browser | undefined): Promise<Account> {
    if (browser === undefined) throw new GewuError('GEWU_UNAUTHORIZED', 'a token or a session is needed');
    const session = await this.#sessions.find(browser.cookie);
    if (session === null) throw new GewuError('GEWU_UNAUTHORIZED', 'this session is over');
    if (!browser.ownPage) throw new GewuError('GEWU_FORBIDDEN', 'the request comes from a page that is not ours');
    if (browser.changes && browser.csrf !== session.csrf)
      throw new GewuError('GEWU_FORBIDDEN', `the header ${CSRF_HEADER} is not that of the session`);
    return session.account;
  }

  async #byHeader(access: Guarded, header: string, { ip }: Pick<Credentials, 'ip'>): Promise<Account | string> {
    const credential = sha256Of(header);
    this.#attempts.check(ip, credential);
    const who = header.length <= HEADER_CHARS_MAX ? await this.#identify(access, header) : null;
    if (who === null) {
      this.#attempts.failed(ip);
      throw new GewuError('GEWU_UNAUTHORIZED', 'this token or password is not known here');
    }
    this.#attempts.succeeded(credential);
    return who;
  }

  /** An account, or the id of an edge, or null. */
  async #identify(access: Guarded, header: string): Promise<Account | string | null> {
    const token = bearer(header);
    if (token !== null) return this.#tokens.find(sha256Of(token));
    const basic = basicOf(header);
    if (basic === null) return null;
    if (access.docs && basic.user === DOCS_USER) return this.#tokens.find(sha256Of(basic.password));
    if (!access.edges) return null;
    return this.#edges.match(basic.user, basic.password) ? basic.user : null;
  }
}

/** The account that asks, on a route that takes accounts only. */
export function accountOf({ account }: FastifyRequest): Account {
  if (account === null) throw new GewuError('GEWU_INTERNAL', 'a route of people without an account');
  return account;
}

export function credentialsOf(request: FastifyRequest): Credentials {
  const { headers, ip } = request;
  return { authorization: headers.authorization, ip, browser: browserOf(request) };
}

function bearer(header: string | undefined): string | null {
  const m = /^Bearer +([A-Za-z0-9._~+/=-]+)$/i.exec(header ?? '');
  return m ? (m[1] as string) : null;
}

function basicOf(header: string): { user: string; password: string } | null {
  const m = /^Basic +([A-Za-z0-9+/=_-]+)$/i.exec(header);
  if (!m) return null;
  const text = Buffer.from(m[1] as string, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? null : { user: text.slice(0, colon), password: text.slice(colon + 1) };
}

function challenge(access: Guarded): string {
  if (access.docs) return `Basic realm="Gewu: user ${DOCS_USER}, a token as the password", charset="UTF-8"`;
  return access.edges ? 'Bearer realm="gewu", Basic realm="gewu edge"' : 'Bearer realm="gewu"';
}
