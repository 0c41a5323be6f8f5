import { createHash, timingSafeEqual } from 'node:crypto';
import type { RtspRequest } from './message.ts';

export interface Credentials {
  username: string;
  password: string;
  /** Basic [RFC 7617], as older cameras ask for it; digest unless told. */
  basic?: boolean;
}

export const REALM = 'Gewu simulated camera';

/** The challenge of RFC 2617 section 3.2.1, MD5 without `qop`: what most IP cameras send. */
export function challenge(nonce: string, { basic = false }: Credentials): string {
  if (basic) return `Basic realm="${REALM}"`;
  return `Digest realm="${REALM}", nonce="${nonce}", algorithm=MD5`;
}

/** Whether the request proves, for this nonce and its own method and URI, that the client knows the password. */
export function isAuthorized(request: RtspRequest, nonce: string, credentials: Credentials): boolean {
  const header = request.headers.get('authorization');
  if (credentials.basic) return header !== undefined && isSame(header, basicAnswer(credentials));
  if (header === undefined || !/^digest /i.test(header)) return false;
  const given = parseParameters(header.slice('digest '.length));
  if (given.get('username') !== credentials.username) return false;
  if (given.get('realm') !== REALM || given.get('nonce') !== nonce || given.get('uri') !== request.uri) return false;
  const ha1 = md5(`${credentials.username}:${REALM}:${credentials.password}`);
  const ha2 = md5(`${request.method}:${request.uri}`);
  return isSame(given.get('response') ?? '', md5(`${ha1}:${nonce}:${ha2}`));
}

function basicAnswer({ username, password }: Credentials): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

function isSame(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}

function md5(text: string): string {
  return createHash('md5').update(text).digest('hex');
}

function parseParameters(text: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const m of text.matchAll(/([a-z]{1,32})=(?:"([^"]{0,1024})"|([^\s,"]{1,256}))/gi))
    found.set((m[1] as string).toLowerCase(), m[2] ?? m[3] ?? '');
  return found;
}
