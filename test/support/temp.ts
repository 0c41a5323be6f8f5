import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A folder that is removed when the test (or, called in a hook, nothing) ends; `keep` leaves the removal to the caller. */
export async function tempDir({ keep = false } = {}): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'gewu-test-'));
  if (!keep) onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
}
