import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { type ConfigNotice, DESIRED_BYTES_MAX, desiredDocumentPath } from '#grid/wire/mod.ts';
import { GewuError } from '#service/mod.ts';
import type { CentreApi } from '../centre/mod.ts';

const REQUEST_MS_MAX = 30_000;

/**
 * The document that a notice names, parsed and with the right hash. Throws GEWU_DESIRED_UNREADABLE; the notice comes again.
 */
export async function fetchDesired(
  centre: Pick<CentreApi, 'open'>,
  notice: ConfigNotice,
  stopping: AbortSignal,
): Promise<unknown> {
  const { edge, revision, sha256, bytes } = notice;
  try {
    const signal = AbortSignal.any([stopping, AbortSignal.timeout(REQUEST_MS_MAX)]);
    const response = await centre.open('GET', desiredDocumentPath(edge, revision), { signal });
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
