import { execFile } from 'node:child_process';
import { mkdir, open, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Large enough for what an edge of ours keeps during an outage. In memory, and only as far as it is used. */
const SIZE_MB = 256;
const BALLAST = 'ballast';
const CHUNK_BYTES = 1024 * 1024;

/** A small file system of its own that can be full: a tmpfs, for which one must be root. */
export class SmallDisk {
  readonly path: string;
  #mounted = false;

  constructor(path: string) {
    this.path = path;
  }

  /** False where mounting is not allowed: then it is a plain folder that never fills. */
  async mount(): Promise<boolean> {
    await mkdir(this.path, { recursive: true });
    this.#mounted = await run('mount', ['-t', 'tmpfs', '-o', `size=${SIZE_MB}m,mode=0750`, 'tmpfs', this.path]).then(
      () => true,
      () => false,
    );
    return this.#mounted;
  }

  /** Writes until the last block is taken. */
  async fill(): Promise<void> {
    if (!this.#mounted) return;
    const { bsize, bavail } = await statfs(this.path);
    const file = await open(join(this.path, BALLAST), 'w');
    try {
      const chunk = Buffer.alloc(CHUNK_BYTES);
      for (let left = bsize * bavail + CHUNK_BYTES; left > 0; left -= chunk.length) await file.write(chunk);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    } finally {
      await file.close();
    }
  }

  async empty(): Promise<void> {
    if (this.#mounted) await rm(join(this.path, BALLAST), { force: true });
  }

  /** After everybody who has files there has ended. */
  async unmount(): Promise<void> {
    if (!this.#mounted) return;
    this.#mounted = false;
    // Lazily, where somebody still looks: it goes away with the last one.
    await run('umount', [this.path]).catch(() => run('umount', ['-l', this.path]));
  }
}
