import { lookup as resolveName } from 'node:dns';
import { once } from 'node:events';
import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import type { LookupFunction } from 'node:net';
import { guardedLookup } from '#service/mod.ts';
import { StreamError } from './reason.ts';

/** The camera has to answer within so long. */
const ANSWER_MS_MAX = 10_000;

export interface HttpStreamOptions {
  /** With user and password, which are sent as Basic [RFC 7617]. */
  url: string;
  allowLocalAddress: boolean;
  signal: AbortSignal;
}

/**
 * Opens a stream of JPEG pictures, multipart/x-mixed-replace. It is fetched here and not by ffmpeg, because ffmpeg follows a
 * camera that sends it elsewhere: here a redirect is refused, and the address that is looked at is the one that is connected to.
 * Throws StreamError.
 */
export async function openHttpStream({ url, allowLocalAddress, signal }: HttpStreamOptions): Promise<IncomingMessage> {
  const target = new URL(url);
  const auth =
    target.username === '' ? undefined : `${decodeURIComponent(target.username)}:${decodeURIComponent(target.password)}`;
  target.username = '';
  target.password = '';
  const lookup = allowLocalAddress ? resolveName : guardedLookup;
  const options = { signal, timeout: ANSWER_MS_MAX, lookup: lookup as LookupFunction, agent: false, ...(auth ? { auth } : {}) };
  const request = (target.protocol === 'https:' ? https : http).get(target, options);
  request.on('timeout', () => request.destroy(new Error('no answer in time')));
  const [response] = (await once(request, 'response').catch((cause: NodeJS.ErrnoException) => {
    throw new StreamError(cause.code === 'ECONNREFUSED' ? 'refused' : 'unreachable', cause.message, { cause });
  })) as [IncomingMessage];
  const fault = faultOf(response);
  if (fault === null) return response;
  response.destroy();
  throw fault;
}

function faultOf({ statusCode = 0, headers }: IncomingMessage): StreamError | null {
  const type = headers['content-type'] ?? 'nothing';
  if (statusCode === 401 || statusCode === 403) return new StreamError('unauthorised', `status ${statusCode}`);
  if (statusCode === 404) return new StreamError('not_found', 'status 404');
  if (statusCode >= 300 && statusCode < 400) return new StreamError('address', `sent elsewhere (status ${statusCode}): refused`);
  if (statusCode !== 200) return new StreamError('failed', `status ${statusCode}`);
  return /^multipart\//i.test(type) ? null : new StreamError('failed', `${type.slice(0, 80)} is no stream of pictures`);
}
