import { readFile } from 'node:fs/promises';
import type { IClientOptions } from 'mqtt';
import type { ClientTls } from './config.ts';

/** TLS options of mqtt.js from PEM files. */
export async function clientTlsOptions(tls: ClientTls | undefined): Promise<IClientOptions> {
  if (tls === undefined) return {};
  const read = (path: string | undefined) => (path === undefined ? undefined : readFile(path));
  const [ca, cert, key] = await Promise.all([read(tls.ca), read(tls.cert), read(tls.key)]);
  return {
    rejectUnauthorized: true,
    ...(ca ? { ca } : {}),
    ...(cert ? { cert } : {}),
    ...(key ? { key } : {}),
    ...(tls.serverName ? { servername: tls.serverName } : {}),
  };
}
