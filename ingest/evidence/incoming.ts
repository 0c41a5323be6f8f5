import { createHash, type Hash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { type Clock, GewuError } from '#service/mod.ts';

/** Where a file lies that is not whole yet. */
export interface Part {
  path: string;
  /** Its sender goes on with it when it is cut off. */
  kept: boolean;
}

/** Nobody goes on with what is older: an uplink that was away for a day. */
const AGE_MS_MAX = 86_400_000;
/** What has come of a connection that broke is read to its end within so long. */
const END_MS_MAX = 1_000;

/**
 * Files on their way in:
 *
 *   incoming/<random>            of who sends it again whole
 *   incoming/<sender>-<sha256>   of who goes on where it was cut off
 */
export class Incoming {
  readonly #dir: string;
  readonly #clock: Clock;
  /** By path: what is being written. The newer one wins: the older one's connection is dead, and nobody has told us yet. */
  readonly #writing = new Map<string, { content: Readable | Buffer; done: Promise<unknown> }>();

  constructor({ dir, clock }: { dir: string; clock: Clock }) {
    this.#dir = join(dir, 'incoming');
    this.#clock = clock;
  }

  async start(): Promise<void> {
    await mkdir(this.#dir, { recursive: true, mode: 0o750 });
    await this.forgetOld();
  }

  /** What nobody goes on with. Another replica may be writing its own right now. */
  async forgetOld(): Promise<void> {
    for (const name of await readdir(this.#dir)) {
      const path = join(this.#dir, name);
      const found = await stat(path).catch(() => null);
      if (found && this.#clock.now() - found.mtimeMs > AGE_MS_MAX) await rm(path, { force: true });
    }
  }

  part(sha256: string, sender: string, offset: number | undefined): Part {
    const kept = offset !== undefined;
    return { path: join(this.#dir, kept ? `${sender}-${sha256}` : randomUUID()), kept };
  }

  /** Bytes of all others that are not whole yet, of every replica. */
  async bytesBeside({ path }: Part): Promise<number> {
    const others = (await readdir(this.#dir)).map((name) => join(this.#dir, name)).filter((other) => other !== path);
    const sizes = await Promise.all(others.map(async (other) => (await stat(other).catch(() => null))?.size ?? 0));
    return sizes.reduce((sum, size) => sum + size, 0);
  }

  /** Bytes that are here; an upload that is still under way ends. */
  async bytes({ path }: Part): Promise<number> {
    await this.#endOther(path);
    return (await stat(path).catch(() => null))?.size ?? 0;
  }

  /**
   * Writes from `offset` on, to the disk. Returns size and hash of the whole. Throws GEWU_EVIDENCE_OFFSET, GEWU_PAYLOAD_TOO_LARGE, and
   * what `full` gives beyond `roomBytes`.
   */
  async write(
    { path }: Part,
    content: Readable | Buffer,
    { offset, bytesMax, roomBytes, full }: { offset: number; bytesMax: number; roomBytes: number; full: () => GewuError },
  ): Promise<{ bytes: number; hash: string }> {
    await this.#endOther(path);
    const writing = (async () => {
      const hash = createHash('sha256');
      const handle = offset === 0 ? await open(path, 'w', 0o640) : await open(path, 'r+').catch(notThere);
      try {
        await hashBeginning(path, hash, handle, offset);
        let bytes = offset;
        for await (const chunk of Buffer.isBuffer(content) ? [content] : content.iterator({ destroyOnReturn: false })) {
          const piece = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk);
          if (bytes + piece.length > bytesMax) throw new GewuError('GEWU_PAYLOAD_TOO_LARGE', `more than ${bytesMax} B`);
          if (bytes + piece.length > roomBytes) throw full();
          hash.update(piece);
          await writeAll(handle, piece, bytes);
          bytes += piece.length;
        }
        await handle.sync();
        return { bytes, hash: hash.digest('hex') };
      } finally {
        await handle.close();
      }
    })();
    const entry = { content, done: writing };
    this.#writing.set(path, entry);
    try {
      return await writing;
    } finally {
      if (this.#writing.get(path) === entry) this.#writing.delete(path);
    }
  }

  async #endOther(path: string): Promise<void> {
    const other = this.#writing.get(path);
    if (other === undefined) return;
    const done = other.done.catch(() => undefined);
    await Promise.race([done, pause(END_MS_MAX)]);
    if (!Buffer.isBuffer(other.content)) other.content.destroy(new Error('the same file comes anew'));
    await done;
  }
}

/** What was kept is read anew: its hash goes on with what comes. Beyond `offset` nothing is left of it. */
async function hashBeginning(path: string, hash: Hash, handle: FileHandle, offset: number): Promise<void> {
  const { size } = await handle.stat();
  if (size < offset) throw new GewuError('GEWU_EVIDENCE_OFFSET', `${size} B of it are here, not ${offset}`);
  await handle.truncate(offset);
  if (offset === 0) return;
  for await (const chunk of createReadStream(path, { end: offset - 1 })) hash.update(chunk as Buffer);
}

async function writeAll(handle: FileHandle, bytes: Buffer, at: number): Promise<void> {
  for (let done = 0; done < bytes.length; )
    done += (await handle.write(bytes, done, bytes.length - done, at + done)).bytesWritten;
}

function notThere(error: NodeJS.ErrnoException): never {
  if (error.code === 'ENOENT') throw new GewuError('GEWU_EVIDENCE_OFFSET', 'nothing of it is here', { cause: error });
  throw error;
}
