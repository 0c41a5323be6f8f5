import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

const CIPHER = 'aes-256-gcm';
const KEY_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Released originals on the centre's disk, one folder a grant: `{dir}/{grant}/{sha256}`, each encrypted with a key that only
 * the database holds. When that key is forgotten the file is nothing, wherever copies of the disk may lie.
 */
export class Vault {
  readonly #dir: string;

  constructor(dir: string) {
    this.#dir = dir;
  }

  /** Durable when it resolves; returns the key. */
  async put(grant: string, sha256: string, content: Buffer): Promise<Buffer> {
    const [key, iv] = [randomBytes(KEY_BYTES), randomBytes(IV_BYTES)];
    const cipher = createCipheriv(CIPHER, key, iv);
    const sealed = Buffer.concat([iv, cipher.update(content), cipher.final(), cipher.getAuthTag()]);
    const folder = join(this.#dir, grant);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const part = join(folder, `${sha256}.${randomBytes(6).toString('hex')}.part`);
    const handle = await open(part, 'wx', 0o600);
    try {
      await handle.writeFile(sealed);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(part, join(folder, sha256));
    return key;
  }

  /** Throws when it is not there, or not what was put. */
  async read(grant: string, sha256: string, key: Buffer): Promise<Buffer> {
    const sealed = await readFile(join(this.#dir, grant, sha256));
    const decipher = createDecipheriv(CIPHER, key, sealed.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES });
    decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
    const content = Buffer.concat([decipher.update(sealed.subarray(IV_BYTES, -TAG_BYTES)), decipher.final()]);
    if (createHash('sha256').update(content).digest('hex') !== sha256) throw new Error('another file');
    return content;
  }

  async remove(grant: string): Promise<void> {
    await rm(join(this.#dir, grant), { recursive: true, force: true });
  }

  /** Grants that have a folder here. */
  async grants(): Promise<string[]> {
    return readdir(this.#dir).catch(() => []);
  }
}
