import { createHash } from 'node:crypto';

/** SHA-256 over a line of a hash chain, the hash of the line before it being one of its parts: what is changed or taken out breaks every later line. */
export function chainHash(parts: readonly (string | number | null)[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}
