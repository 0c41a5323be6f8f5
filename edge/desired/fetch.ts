import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { type ConfigNotice, DESIRED_BYTES_MAX, desiredDocumentPath } from '#grid/wire/mod.ts';
import { GewuError } from '#service/mod.ts';
import { type ClientTls, clientTlsOptions } from '#service/mqtt/mod.ts';

/** The centre's API as an edge reads it. */
export interface CentreAccess {
  /** `https://centre:8443`; the API's path follows. */
  url: string;
  edge: string;
  password: string;
  tls?: ClientTls | undefined;
}

const REQUEST_MS_MAX = 30_000;

/** Answers with the open response; throws when there is none in time. The caller reads or destroys it. */
export async function openFromCentre(
  { url, edge, password, tls }: CentreAccess,
  path: string,
  { headers = {}, signal }: { headers?: Record<string, string>; signal: AbortSignal },
): Promise<IncomingMessage> {
  const target = new URL(path, url.replace(/\/*$/, '/'));
  const authorization = `Basic ${Buffer.from(`${edge}:${password}`).toString('base64')}`;
  const options = { signal, headers: { authorization, ...headers }, ...(await clientTlsOptions(tls)), agent: false as const };
  const request = target.protocol === 'https:' ? httpsRequest(target, options) : httpRequest(target, options);
  // `once` tells of errors while it waits; one that comes later must not take the process with it.
  request.on('error', () => {});
  request.end();
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  return response;
}

/**
 * The document that a notice names, parsed and with the right hash. Throws GEWU_DESIRED_UNREADABLE; the notice comes again.
 */
export async function fetchDesired(centre: CentreAccess, notice: ConfigNotice, stopping: AbortSignal): Promise<unknown> {
  const { edge, revision, sha256, bytes } = notice;
  try {
    const signal = AbortSignal.any([stopping, AbortSignal.timeout(REQUEST_MS_MAX)]);
    const response = await openFromCentre(centre, desiredDocumentPath(edge, revision), { signal });
    if (response.statusCode !== 200) {
      response.resume();
      throw new Error(`the centre answered ${response.statusCode}`);
    }
    const packed = response.headers['content-encoding'] === 'gzip';
    const text = await read(packed ? response.pipe(createGunzip()) : response, Math.min(bytes, DESIRED_BYTES_MAX));
    const found = createHash('sha256').update(text).digest('hex');
    if (found !== sha256) throw new Error(`its SHA-256 is ${found}, the notice says ${sha256}`);
    return JSON.parse(text.toString());
  } catch (error) {
    throw new GewuError('GEWU_DESIRED_UNREADABLE', `revision ${revision}: ${(error as Error).message}`, { cause: error });
  }
}

async function read(stream: Readable, bytesMax: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > bytesMax) throw new Error(`more than ${bytesMax} B`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
