import { createPrivateKey, type KeyObject, randomBytes } from 'node:crypto';
import { chmod, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { keyIdOf, type Log, newSigningKey, publicKeyOf } from '#service/mod.ts';
import { makeFolder, writeDurably } from './files.ts';

const FOLDER_MODE = 0o700;
const KEY_MODE = 0o600;
const SIGNING_FILE = 'signing.pem';
const WRAPPING_BYTES = 32;
const wrappingExpression = /^wrapping-([0-9]{1,6})\.key$/;

/** A key that wraps the keys of files; what it wrapped names its number. */
export interface WrappingKey {
  number: number;
  bytes: Buffer;
}

/**
 * The node's own secrets, in a folder that nobody else may read (docs/decisions/009-evidence.md says where it should lie):
 *
 *   signing.pem      Ed25519, signs manifests; its public half is pinned at the centre
 *   wrapping-1.key   32 random bytes, wraps the keys of originals; the highest number wraps, all unwrap
 */
export class NodeKeys {
  readonly #dir: string;
  readonly #log: Log;
  #signing: KeyObject | null = null;
  #publicKey = '';
  readonly #wrapping = new Map<number, Buffer>();

  constructor({ dir, log }: { dir: string; log: Log }) {
    this.#dir = dir;
    this.#log = log;
  }

  /** Reads the keys, and makes those that are missing. */
  async open(): Promise<void> {
    await makeFolder(this.#dir, FOLDER_MODE);
    const signing = await this.#readOrMake(SIGNING_FILE, () =>
      newSigningKey().export({ type: 'pkcs8', format: 'pem' }).toString(),
    );
    this.#signing = createPrivateKey(signing);
    this.#publicKey = publicKeyOf(this.#signing);
    for (const name of await readdir(this.#dir)) {
      const number = wrappingExpression.exec(name)?.[1];
      if (number !== undefined) this.#wrapping.set(Number(number), await this.#readOrMake(name, () => ''));
    }
    if (this.#wrapping.size === 0) await this.rotate();
  }

  /** What it signs with. */
  get signing(): KeyObject {
    if (this.#signing === null) throw new Error('the keys are not open');
    return this.#signing;
  }

  /** Ed25519, base64. */
  get publicKey(): string {
    return this.#publicKey;
  }

  get keyId(): string {
    return keyIdOf(this.#publicKey);
  }

  get newestWrapping(): WrappingKey {
    const number = Math.max(...this.#wrapping.keys());
    return { number, bytes: this.#wrapping.get(number) as Buffer };
  }

  /** Null: it was taken away, and with it everything that it had wrapped. */
  wrapping(number: number): Buffer | null {
    return this.#wrapping.get(number) ?? null;
  }

  /** A new wrapping key; the earlier ones go on opening what they closed. */
  async rotate(): Promise<WrappingKey> {
    const number = Math.max(0, ...this.#wrapping.keys()) + 1;
    const bytes = randomBytes(WRAPPING_BYTES);
    await writeDurably(join(this.#dir, `wrapping-${number}.key`), bytes, KEY_MODE);
    this.#wrapping.set(number, bytes);
    return { number, bytes };
  }

  async #readOrMake(name: string, make: () => string): Promise<Buffer> {
    const file = join(this.#dir, name);
    const found = await stat(file).catch(() => null);
    if (found === null) {
      await writeDurably(file, make(), KEY_MODE);
      this.#log.info({ file }, 'a key of this node was made');
    } else if ((found.mode & 0o077) !== 0) {
      this.#log.error({ file, mode: (found.mode & 0o777).toString(8) }, 'others could read a key of this node; closed now');
      await chmod(file, KEY_MODE);
    }
    return readFile(file);
  }
}
