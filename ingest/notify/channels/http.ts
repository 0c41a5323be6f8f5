import { once } from 'node:events';
import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import { isIP } from 'node:net';
import { guardedLookup, isLocalAddress } from '#service/mod.ts';
import { ChannelFault } from './channel.ts';

const ANSWER_MS_MAX = 10_000;
const ANSWER_BYTES_MAX = 64 * 1024;

export interface PostOptions {
  url: string;
  body: string;
  headers?: Record<string, string>;
  allowLocalAddress: boolean;
}

/**
 * One POST of JSON: no redirect is followed, no address of this machine or its link is called unless allowed, time and answer are
 * bounded. Resolves with status and text. Throws ChannelFault, whose text holds no part of the address but its host.
 */
export async function postJson({
  url,
  body,
  headers = {},
  allowLocalAddress,
}: PostOptions): Promise<{ status: number; text: string }> {
  const { protocol, hostname } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, '');
  if (!allowLocalAddress && isIP(host) !== 0 && isLocalAddress(host))
    throw new ChannelFault(`${host} is a loopback or link-local address`, { again: false });
  const signal = AbortSignal.timeout(ANSWER_MS_MAX);
  try {
    const request = (protocol === 'https:' ? https : http).request(url, {
      method: 'POST',
      signal,
      agent: false,
      headers: { ...headers, 'content-type': 'application/json; charset=utf-8', 'content-length': Buffer.byteLength(body) },
      ...(allowLocalAddress ? {} : { lookup: guardedLookup }),
    });
    request.end(body);
    const [response] = (await once(request, 'response', { signal })) as [IncomingMessage];
    return { status: response.statusCode ?? 0, text: await textOf(response) };
  } catch (cause) {
    if (cause instanceof ChannelFault) throw cause;
    const why = signal.aborted ? `no answer within ${ANSWER_MS_MAX} ms` : messageOf(cause);
    throw new ChannelFault(`${host}: ${why}`, { again: true, cause });
  }
}

async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > ANSWER_BYTES_MAX) {
      response.destroy();
      break;
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Several addresses that all fail are an AggregateError without a message of its own. */
function messageOf(cause: unknown): string {
  const { message, code } = cause as NodeJS.ErrnoException;
  return message || code || 'failed';
}

/** What status says whether to try again. */
export function statusFault(host: string, status: number): ChannelFault | null {
  if (status >= 200 && status < 300) return null;
  const again = status === 408 || status === 425 || status === 429 || status >= 500;
  return new ChannelFault(`${host}: status ${status}`, { again });
}
