import { createHash } from 'node:crypto';
import { readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { EvidenceRef } from '#grid/mod.ts';
import type { Clock, Log } from '#service/mod.ts';
import { makeFolder, syncFolder, writeAllDurably } from './files.ts';
import { type KeptFile, type Retention, whatGoes } from './retention.ts';

/** What is known of a masked file beside its bytes. */
export interface FileCard {
  sha256: string;
  mediaType: EvidenceRef['mediaType'];
  bytes: number;
  /** The event that it proves, and its class. */
  event: string;
  class: string;
  takenAt: number;
}

export interface EvidenceStoreDeps {
  dir: string;
  quotaBytes: number;
  retention: Retention;
  clock: Clock;
  log: Log;
}

/**
 * Masked evidence on the edge's disk, under its hash. A file is durable before its event names it.
 *
 *   put --> pending/{sha256}.bin + .json --uploaded--> sent/{sha256}.bin + .json
 *
 * Files go by age, share and quota of their class (`whatGoes`); one that waits goes last, and is counted: its case stays "pending".
 */
export class EvidenceStore {
  readonly #dirs: Record<'pending' | 'sent', string>;
  readonly #deps: EvidenceStoreDeps;
  readonly #kept = new Map<string, FileCard & KeptFile>();
  #dropped = 0;

  constructor(deps: EvidenceStoreDeps) {
    this.#dirs = { pending: join(deps.dir, 'pending'), sent: join(deps.dir, 'sent') };
    this.#deps = deps;
  }

  /** Reads what an earlier run has left; half-written files are removed. */
  async open(): Promise<void> {
    for (const where of ['sent', 'pending'] as const) {
      const dir = this.#dirs[where];
      await makeFolder(dir);
      const names = await readdir(dir);
      for (const name of names) if (name.endsWith('.json')) await this.#resume(join(dir, name), where === 'pending');
      for (const name of names) {
        // A picture without its card: the crash came between the two, and no event was emitted that names it.
        const stray = name.endsWith('.bin') && !this.#kept.has(name.slice(0, -4));
        if (stray || name.endsWith('.part')) await rm(join(dir, name), { force: true });
      }
    }
  }

  /** Durable when it resolves. The same bytes twice are one file. */
  async put(content: Uint8Array, about: Omit<FileCard, 'sha256' | 'bytes'>): Promise<EvidenceRef> {
    const sha256 = createHash('sha256').update(content).digest('hex');
    const { mediaType, takenAt } = about;
    const ref: EvidenceRef = { sha256, mediaType, bytes: content.length, takenAt };
    if (this.#kept.has(sha256)) return ref;
    const card: FileCard = { ...about, sha256, bytes: content.length };
    await writeAllDurably([
      { file: this.#file(sha256, 'pending'), bytes: content },
      { file: this.#card(sha256, 'pending'), bytes: JSON.stringify(card) },
    ]);
    this.#kept.set(sha256, { ...card, waits: true });
    await this.trim(sha256);
    return ref;
  }

  /** Those that wait, oldest first; pictures before clips, which are ten times as large. */
  pending(): FileCard[] {
    const isClip = (f: FileCard): number => Number(f.mediaType === 'video/mp4');
    return [...this.#kept.values()].filter((f) => f.waits).sort((a, b) => isClip(a) - isClip(b) || a.takenAt - b.takenAt);
  }

  /** Null when the quota took it in the meantime. */
  async read(sha256: string): Promise<Buffer | null> {
    const where = this.#kept.get(sha256)?.waits === false ? 'sent' : 'pending';
    return readFile(this.#file(sha256, where)).catch(() => null);
  }

  /** The centre has it. */
  async markSent(sha256: string): Promise<void> {
    const kept = this.#kept.get(sha256);
    if (kept === undefined || !kept.waits) return;
    await rename(this.#file(sha256, 'pending'), this.#file(sha256, 'sent'));
    await rename(this.#card(sha256, 'pending'), this.#card(sha256, 'sent'));
    for (const dir of Object.values(this.#dirs)) await syncFolder(dir);
    kept.waits = false;
  }

  /** The centre will never take it (or the disk has lost it): it no longer waits. */
  async giveUp(sha256: string): Promise<void> {
    await this.#remove(sha256);
    this.#dropped++;
  }

  /** Removes what has to go; `newest` stays. Runs with each file, and from time to time for what grows old. */
  async trim(newest?: string): Promise<void> {
    const { quotaBytes, retention, clock, log } = this.#deps;
    const limits = { quotaBytes, retention, now: clock.now(), ...(newest === undefined ? {} : { newest }) };
    for (const { sha256, waits } of whatGoes([...this.#kept.values()], limits)) {
      await this.#remove(sha256);
      if (!waits) continue;
      this.#dropped++;
      log.error({ sha256 }, 'evidence dropped before it was sent: quota');
    }
  }

  stats(): { files: number; bytes: number; pending: number; dropped: number } {
    const files = [...this.#kept.values()];
    const bytes = files.reduce((sum, k) => sum + k.bytes, 0);
    return { files: files.length, bytes, pending: files.filter((f) => f.waits).length, dropped: this.#dropped };
  }

  async #resume(file: string, waits: boolean): Promise<void> {
    try {
      const card = JSON.parse(await readFile(file, 'utf8')) as FileCard;
      const { size } = await stat(this.#file(card.sha256, waits ? 'pending' : 'sent'));
      this.#kept.set(card.sha256, { ...card, bytes: size, waits });
    } catch (error) {
      this.#deps.log.warn({ card: file, err: (error as Error).message }, 'evidence card without its file');
      await rm(file, { force: true });
    }
  }

  async #remove(sha256: string): Promise<void> {
    const where = this.#kept.get(sha256)?.waits === false ? 'sent' : 'pending';
    await rm(this.#file(sha256, where), { force: true });
    await rm(this.#card(sha256, where), { force: true });
    this.#kept.delete(sha256);
  }

  #file(sha256: string, where: 'pending' | 'sent'): string {
    return join(this.#dirs[where], `${sha256}.bin`);
  }

  #card(sha256: string, where: 'pending' | 'sent'): string {
    return join(this.#dirs[where], `${sha256}.json`);
  }
}
