import { readFile } from 'node:fs/promises';
import { GewuError } from '../errors.ts';
import type { ServerTls } from './config.ts';

/** TLS options of a listener from PEM files. Throws GEWU_CONFIG_INVALID when one cannot be read. */
export async function serverTlsOptions(tls: ServerTls) {
  const [cert, key, ca] = await Promise.all([
    readFile(tls.cert),
    readFile(tls.key),
    tls.ca === undefined ? undefined : readFile(tls.ca),
  ]).catch((cause: Error) => {
    throw new GewuError('GEWU_CONFIG_INVALID', `TLS: ${cause.message}`, { cause });
  });
  // With a CA, clients must show a certificate of it, beside their password.
  return { cert, key, minVersion: 'TLSv1.2' as const, ...(ca ? { ca, requestCert: true, rejectUnauthorized: true } : {}) };
}
