import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as breathe } from 'node:timers/promises';
import type { SignedManifest } from '#grid/mod.ts';
import type { Clock, Log } from '#service/mod.ts';
import { makeFolder, writeAllDurably } from './files.ts';
import type { NodeKeys } from './keys.ts';
import { type KeptFile, type Retention, whatGoes } from './retention.ts';

/** An original as it lies on the disk: the file encrypted, and this beside it. */
interface Card {
  v: 1;
  /** Of the file itself, not encrypted. */
  signed: SignedManifest;
  /** AES-256-GCM of the file: base64. */
  iv: string;
  tag: string;
  /** The file's key, wrapped with the node's: AES-256-GCM, `iv ciphertext tag`, base64. */
  wrapped: string;
  wrappingKey: number;
}

export interface OriginalsDeps {
  dir: string;
  keys: NodeKeys;
  quotaBytes: number;
  retention: Retention;
  clock: Clock;
  log: Log;
}

const CIPHER = 'aes-256-gcm';
const KEY_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;
/** Encrypted at a stretch; then others have their turn. */
const STRETCH_BYTES = 1024 * 1024;
const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;

/**
 * Unmasked originals on the edge's disk, each under a key of its own that the node's key wraps. They leave it only through
 * `ReleaseDesk`. Names are the SHA-256 of the file itself.
 *
 *   {sha256}.enc    the file, AES-256-GCM; bound to its hash and event, so that two of them cannot be swapped
 *   {sha256}.json   what it is, signed, and its wrapped key
 */
export class OriginalStore {
  readonly #deps: OriginalsDeps;
  readonly #cards = new Map<string, Card>();
  /** Under way, by hash. */
  readonly #putting = new Map<string, Promise<void>>();
  #dropped = 0;

  constructor(deps: OriginalsDeps) {
    this.#deps = deps;
  }

  async open(): Promise<void> {
    const { dir, log } = this.#deps;
    await makeFolder(dir, FOLDER_MODE);
    const names = await readdir(dir);
    for (const name of names.filter((n) => n.endsWith('.json'))) {
      try {
        const card = JSON.parse(await readFile(join(dir, name), 'utf8')) as Card;
        await stat(this.#file(card.signed.manifest.sha256));
        this.#cards.set(card.signed.manifest.sha256, card);
      } catch (error) {
        log.warn({ name, err: (error as Error).message }, 'an original without its file');
        await rm(join(dir, name), { force: true });
      }
    }
    for (const name of names)
      if (name.endsWith('.part') || (name.endsWith('.enc') && !this.#cards.has(name.slice(0, -4))))
        await rm(join(dir, name), { force: true });
  }

  /** Encrypts and keeps; durable when it resolves. `signed` is about this very file. Several events of one picture keep it once. */
  put(content: Buffer, signed: SignedManifest): Promise<void> {
    const { sha256 } = signed.manifest;
    if (this.#cards.has(sha256)) return Promise.resolve();
    const put = this.#putting.get(sha256) ?? this.#put(content, signed).finally(() => this.#putting.delete(sha256));
    this.#putting.set(sha256, put);
    return put;
  }

  async #put(content: Buffer, signed: SignedManifest): Promise<void> {
    const { keys } = this.#deps;
    const { sha256 } = signed.manifest;
    const [key, iv] = [randomBytes(KEY_BYTES), randomBytes(IV_BYTES)];
    const cipher = createCipheriv(CIPHER, key, iv).setAAD(boundTo(signed));
    const parts: Buffer[] = [];
    for (let at = 0; at < content.length; at += STRETCH_BYTES) {
      parts.push(cipher.update(content.subarray(at, at + STRETCH_BYTES)));
      if (at + STRETCH_BYTES < content.length) await breathe();
    }
    parts.push(cipher.final());
    const wrapping = keys.newestWrapping;
    const card: Card = {
      v: 1,
      signed,
      iv: iv.toString('base64'),
      tag: cipher.getAuthTag().toString('base64'),
      wrapped: wrap(key, wrapping.bytes, boundTo(signed)).toString('base64'),
      wrappingKey: wrapping.number,
    };
    await writeAllDurably([
      { file: this.#file(sha256), bytes: Buffer.concat(parts), mode: FILE_MODE },
      { file: this.#card(sha256), bytes: JSON.stringify(card), mode: FILE_MODE },
    ]);
    this.#cards.set(sha256, card);
    await this.trim(sha256);
  }

  /** All of an event, oldest first. */
  ofEvent(event: string): SignedManifest[] {
    const all = [...this.#cards.values()].map((c) => c.signed).filter((s) => s.manifest.event === event);
    return all.sort((a, b) => a.manifest.takenAt - b.manifest.takenAt);
  }

  get(sha256: string): SignedManifest | null {
    return this.#cards.get(sha256)?.signed ?? null;
  }

  /** The file itself. Null: it is not here any more. Throws when it, its card or its key is not what it was. */
  async read(sha256: string): Promise<Buffer | null> {
    const card = this.#cards.get(sha256);
    if (card === undefined) return null;
    const wrapping = this.#deps.keys.wrapping(card.wrappingKey);
    if (wrapping === null) throw new Error(`the key wrapping-${card.wrappingKey} is gone`);
    const key = unwrap(Buffer.from(card.wrapped, 'base64'), wrapping, boundTo(card.signed));
    const decipher = createDecipheriv(CIPHER, key, Buffer.from(card.iv, 'base64'), { authTagLength: TAG_BYTES });
    decipher.setAAD(boundTo(card.signed)).setAuthTag(Buffer.from(card.tag, 'base64'));
    const content = Buffer.concat([decipher.update(await readFile(this.#file(sha256))), decipher.final()]);
    if (createHash('sha256').update(content).digest('hex') !== sha256) throw new Error('the original has another hash');
    return content;
  }

  /** Removes what has to go. Runs with each file, and from time to time for what grows old. */
  async trim(newest?: string): Promise<void> {
    const { quotaBytes, retention, clock, log } = this.#deps;
    const files = [...this.#cards.values()].map(({ signed: { manifest } }): KeptFile => {
      const { sha256, bytes, takenAt } = manifest;
      return { sha256, bytes, takenAt, class: manifest.class, waits: false };
    });
    const limits = { quotaBytes, retention, now: clock.now(), ...(newest === undefined ? {} : { newest }) };
    for (const { sha256 } of whatGoes(files, limits)) {
      await rm(this.#file(sha256), { force: true });
      await rm(this.#card(sha256), { force: true });
      this.#cards.delete(sha256);
      this.#dropped++;
      log.info({ sha256 }, 'an original was kept long enough');
    }
  }

  stats(): { files: number; bytes: number; dropped: number } {
    const bytes = [...this.#cards.values()].reduce((sum, c) => sum + c.signed.manifest.bytes, 0);
    return { files: this.#cards.size, bytes, dropped: this.#dropped };
  }

  #file(sha256: string): string {
    return join(this.#deps.dir, `${sha256}.enc`);
  }

  #card(sha256: string): string {
    return join(this.#deps.dir, `${sha256}.json`);
  }
}

function boundTo({ manifest: { sha256, event } }: SignedManifest): Buffer {
  return Buffer.from(`${sha256} ${event}`);
}

function wrap(key: Buffer, wrapping: Buffer, bound: Buffer): Buffer {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv(CIPHER, wrapping, iv).setAAD(bound);
  return Buffer.concat([iv, cipher.update(key), cipher.final(), cipher.getAuthTag()]);
}

function unwrap(wrapped: Buffer, wrapping: Buffer, bound: Buffer): Buffer {
  const decipher = createDecipheriv(CIPHER, wrapping, wrapped.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES });
  decipher.setAAD(bound).setAuthTag(wrapped.subarray(-TAG_BYTES));
  return Buffer.concat([decipher.update(wrapped.subarray(IV_BYTES, -TAG_BYTES)), decipher.final()]);
}
