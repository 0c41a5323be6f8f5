import { argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { GewuError } from '#service/mod.ts';

const derive = promisify(argon2);

/** argon2id with the memory and passes that OWASP names as its least (Password Storage Cheat Sheet): 19 MiB, 2 passes, 1 lane. */
const MEMORY_KIB = 19_456;
const PASSES = 2;
const LANES = 1;
const SALT_BYTES = 16;
const TAG_BYTES = 32;
/** Hashes under way and waiting; each takes some 40 ms of a core and 19 MiB. */
const HASHES_MAX = 16;

export const PASSWORD_CHARS_MIN = 12;
export const PASSWORD_CHARS_MAX = 256;

/** The form in which a hash is kept and may stand in a configuration file (PHC string format). */
export const HASH_PATTERN =
  '^\\$argon2id\\$v=19\\$m=[0-9]{4,7},t=[1-9][0-9]?,p=[1-4]\\$[A-Za-z0-9+/]{22,86}\\$[A-Za-z0-9+/]{43,86}$';

let underway = 0;

/** Throws GEWU_TOO_MANY_REQUESTS when too many are under way. */
async function tag(password: string, salt: Buffer, cost: { m: number; t: number; p: number }, bytes: number): Promise<Buffer> {
  if (underway >= HASHES_MAX) throw new GewuError('GEWU_TOO_MANY_REQUESTS', 'too many log-ins at once');
  underway++;
  try {
    const options = { message: password, nonce: salt, parallelism: cost.p, tagLength: bytes, memory: cost.m, passes: cost.t };
    return await derive('argon2id', options);
  } finally {
    underway--;
  }
}

const text = (bytes: Buffer) => bytes.toString('base64').replace(/=+$/, '');

/** In the PHC string format; a salt is given only where the same bytes are wanted again. Throws GEWU_TOO_MANY_REQUESTS. */
export async function hashPassword(password: string, salt: Buffer = randomBytes(SALT_BYTES)): Promise<string> {
  const hash = await tag(password, salt, { m: MEMORY_KIB, t: PASSES, p: LANES }, TAG_BYTES);
  return `$argon2id$v=19$m=${MEMORY_KIB},t=${PASSES},p=${LANES}$${text(salt)}$${text(hash)}`;
}

/** Compares in a time that does not depend on how much is right. An unreadable hash fits no password. */
export async function passwordFits(password: string, hash: string): Promise<boolean> {
  const m = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([^$]+)\$([^$]+)$/.exec(hash);
  if (m === null) return false;
  const wanted = Buffer.from(m[5] as string, 'base64');
  const cost = { m: Number(m[1]), t: Number(m[2]), p: Number(m[3]) };
  return timingSafeEqual(wanted, await tag(password, Buffer.from(m[4] as string, 'base64'), cost, wanted.length));
}

/** Why it is no good as a password, or null. */
export function passwordFault(name: string, password: string): string | null {
  if (password.length < PASSWORD_CHARS_MIN) return `is shorter than ${PASSWORD_CHARS_MIN} characters`;
  if (password.toLowerCase().includes(name.toLowerCase())) return 'contains the name';
  return new Set(password).size < 5 ? 'repeats too few characters' : null;
}
