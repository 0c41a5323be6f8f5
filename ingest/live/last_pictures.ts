import { mkdir, readFile, rename, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Log } from '#service/mod.ts';

/** A stream gives several pictures a second; one of them now and then is enough. */
const KEEP_EVERY_MS = 10_000;
/** Of a masked still: what an edge of ours sends is a tenth of it. */
const BYTES_MAX = 1024 * 1024;

/** The last masked picture of each camera that somebody looked at here, one file each; its time of modification is that of the picture. */
export class LastPictures {
  readonly #dir: string;
  readonly #log: Log;
  /** UTC ms of what was kept last. */
  readonly #kept = new Map<string, number>();

  constructor({ dir, log }: { dir: string; log: Log }) {
    this.#dir = dir;
    this.#log = log;
  }

  /** Takes it or leaves it; returns at once. A disk that is full costs the picture and nothing else. */
  offer(camera: string, at: number, jpeg: Uint8Array): void {
    if (jpeg.length > BYTES_MAX || at - (this.#kept.get(camera) ?? Number.NEGATIVE_INFINITY) < KEEP_EVERY_MS) return;
    this.#kept.set(camera, at);
    this.#write(camera, at, jpeg).catch((error: Error) =>
      this.#log.warn({ camera, err: error.message }, 'the last picture was not kept'),
    );
  }

  /** UTC ms; null where nobody has looked. */
  async takenAt(camera: string): Promise<number | null> {
    const found = await stat(this.#path(camera)).catch(() => null);
    return found === null ? null : Math.round(found.mtimeMs);
  }

  read(camera: string): Promise<Buffer> {
    return readFile(this.#path(camera));
  }

  async #write(camera: string, at: number, jpeg: Uint8Array): Promise<void> {
    await mkdir(this.#dir, { recursive: true, mode: 0o750 });
    const temporary = `${this.#path(camera)}.new`;
    await writeFile(temporary, jpeg, { mode: 0o640 });
    await utimes(temporary, at / 1000, at / 1000);
    await rename(temporary, this.#path(camera));
  }

  /** An id of the registry, which may stand in a path as it is. */
  #path(camera: string): string {
    return join(this.#dir, `${camera}.jpg`);
  }
}
