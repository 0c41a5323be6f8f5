import type { FastifyRequest } from 'fastify';

/** The cookie of a session. Script cannot read it, and no foreign page makes a browser send it. */
const COOKIE = 'gewu_session';
const COOKIE_PATTERN = /^[A-Za-z0-9_-]{20,100}$/;
/** Longer than any session; the centre decides when one is over. */
const COOKIE_S_MAX = 30 * 86_400;
/** Repeats the session's `csrf` in changing requests. */
export const CSRF_HEADER = 'x-gewu-csrf';
const READING = new Set(['GET', 'HEAD', 'OPTIONS']);

/** What a browser shows when one of our pages asks. */
export interface Browser {
  cookie: string;
  /** It says itself that the page is ours. */
  ownPage: boolean;
  /** The request changes something: then `csrf` must be the session's. */
  changes: boolean;
  csrf: string | undefined;
}

/** Undefined: it has no session with us. */
export function browserOf(request: FastifyRequest): Browser | undefined {
  const cookie = sessionCookieOf(request);
  if (cookie === null) return undefined;
  const csrf = request.headers[CSRF_HEADER];
  return {
    cookie,
    ownPage: fromOwnPage(request),
    changes: !READING.has(request.method),
    csrf: typeof csrf === 'string' ? csrf : undefined,
  };
}

export function sessionCookieOf({ headers }: FastifyRequest): string | null {
  for (const part of (headers.cookie ?? '').split(';')) {
    const [name, value = ''] = part.trim().split('=', 2);
    if (name === COOKIE && COOKIE_PATTERN.test(value)) return value;
  }
  return null;
}

/** The header that sets the cookie; an empty value takes it away. */
export function setCookie(request: FastifyRequest, value: string): string {
  const secure = request.protocol === 'https' ? '; Secure' : '';
  return `${COOKIE}=${value}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${value === '' ? 0 : COOKIE_S_MAX}${secure}`;
}

/**
 * Whether a request may come from one of our own pages: browsers say where it comes from, and what is no browser says
 * nothing. For what a cookie lets in, WebSockets too, which SameSite alone does not guard against neighbours on one host.
 */
export function fromOwnPage({ headers, protocol, host }: FastifyRequest): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return false;
  return headers.origin === undefined || headers.origin === `${protocol}://${host}`;
}
