import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { MODEL_PACKAGE_BYTES_MAX, modelPackagePath } from '#grid/wire/mod.ts';
import { GewuError } from '#service/mod.ts';
import type { CentreApi } from '../centre/mod.ts';

/** A stream that stands still for so long is given up, and goes on from there with the next try. */
const SILENCE_MS_MAX = 30_000;
/** What the centre says to a range that begins at the package's end or beyond it (GEWU_REQUEST_INVALID). */
const RANGE_NOT_THERE = 400;

/** Fetches a package into `file`, from the byte on that it ends with. Throws GEWU_MODEL_UNREADABLE; what has come stays. */
export async function downloadPackage(
  centre: Pick<CentreApi, 'open'>,
  { sha256, file, from, stopping }: { sha256: string; file: string; from: number; stopping: AbortSignal },
): Promise<void> {
  const silent = new AbortController();
  const watch = setTimeout(() => silent.abort(new Error('nothing came for too long')), SILENCE_MS_MAX);
  try {
    const signal = AbortSignal.any([stopping, silent.signal]);
    const headers: Record<string, string> = from === 0 ? {} : { range: `bytes=${from}-` };
    const response = await centre.open('GET', modelPackagePath(sha256), { headers, signal });
    const { statusCode } = response;
    // It is here whole already.
    if (from > 0 && statusCode === RANGE_NOT_THERE) return void response.resume();
    if (statusCode !== 200 && statusCode !== 206) {
      response.resume();
      throw new Error(`the centre answered ${statusCode}`);
    }
    const start = statusCode === 206 ? from : 0;
    if (start + Number(response.headers['content-length'] ?? 0) > MODEL_PACKAGE_BYTES_MAX)
      throw new Error(`more than ${MODEL_PACKAGE_BYTES_MAX} B`);
    response.on('data', () => watch.refresh());
    await pipeline(response, createWriteStream(file, { flags: start > 0 ? 'a' : 'w', mode: 0o640 }), { signal });
  } catch (error) {
    throw new GewuError('GEWU_MODEL_UNREADABLE', `package ${sha256}: ${(error as Error).message}`, { cause: error });
  } finally {
    clearTimeout(watch);
  }
}
