import { setTimeout as pause } from 'node:timers/promises';
import { type GewuError, isGewuError, type Log } from '#service/mod.ts';
import type { ModelFiles } from './model_store.ts';

export interface PackageSource {
  files: ModelFiles;
  trustedKeys: readonly string[];
  /** Into `file`, from a byte on. Throws GEWU_MODEL_UNREADABLE. */
  download(options: { sha256: string; file: string; from: number; stopping: AbortSignal }): Promise<void>;
  log: Log;
}

const FETCH_AGAIN_MS_MIN = 2_000;
const FETCH_AGAIN_MS_MAX = 300_000;

/**
 * Until a package is here, checked and unpacked, or nobody wants it any more. `fetching` hears of the beginning, and of each try that
 * failed. Throws GEWU_MODEL_SIGNATURE, GEWU_MODEL_INVALID.
 */
export async function fetchPackage(
  { files, trustedKeys, download, log }: PackageSource,
  sha256: string,
  { signal, fetching }: { signal: AbortSignal; fetching: (error: GewuError | null) => void },
): Promise<void> {
  if (await files.isUnpacked(sha256)) return;
  fetching(null);
  for (let waitMs = FETCH_AGAIN_MS_MIN; ; waitMs = Math.min(FETCH_AGAIN_MS_MAX, 2 * waitMs)) {
    try {
      const from = await files.partBytes(sha256);
      await download({ sha256, file: files.part(sha256), from, stopping: signal });
      return await files.unpack(sha256, trustedKeys);
    } catch (error) {
      if (signal.aborted || !isGewuError(error, 'GEWU_MODEL_UNREADABLE')) throw error;
      log.warn({ err: error.message, againInMs: waitMs }, 'model not fetched');
      fetching(error);
      await pause(waitMs, undefined, { signal });
    }
  }
}
