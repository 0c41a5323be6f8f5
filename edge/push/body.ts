import type { IncomingMessage } from 'node:http';
import { GewuError } from '#service/mod.ts';

/** The whole body. Throws GEWU_PAYLOAD_TOO_LARGE, GEWU_REQUEST_INVALID for one that is compressed. */
export async function readBody(req: IncomingMessage, bytesMax: number): Promise<Buffer> {
  const encoding = req.headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity')
    throw new GewuError('GEWU_REQUEST_INVALID', `content-encoding ${encoding.slice(0, 32)}: none is wanted`);
  const tooLarge = () => new GewuError('GEWU_PAYLOAD_TOO_LARGE', `at most ${bytesMax} bytes`);
  if (Number(req.headers['content-length']) > bytesMax) throw tooLarge();
  const chunks: Buffer[] = [];
  let bytes = 0;
  // Leaving the loop must not end the connection: the answer goes over it.
  for await (const chunk of req.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > bytesMax) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
