import { createHash } from 'node:crypto';
import { readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { EvidenceRef } from '#grid/mod.ts';
import type { Log } from '#service/mod.ts';
import { makeFolder, syncFolder, writeDurably } from './files.ts';

/** A file that waits for its upload. */
export interface PendingFile {
  sha256: string;
  mediaType: EvidenceRef['mediaType'];
  bytes: number;
  /** The event that it proves. */
  event: string;
  takenAt: number;
}

interface Kept {
  sha256: string;
  bytes: number;
  takenAt: number;
  sent: boolean;
}

/**
 * Evidence on the edge's disk, under its hash. A file is durable before its event is emitted.
 *
 *   put --> pending/{sha256}.bin + .json --uploaded--> sent/{sha256}.bin
 *
 * Above the quota the oldest sent file goes first, then the oldest pending one (counted: its case stays "pending").
 */
export class EvidenceStore {
  readonly #pendingDir: string;
  readonly #sentDir: string;
  readonly #quotaBytes: number;
  readonly #log: Log;
  readonly #kept = new Map<string, Kept>();
  readonly #pending = new Map<string, PendingFile>();
  #dropped = 0;

  constructor({ dir, quotaBytes, log }: { dir: string; quotaBytes: number; log: Log }) {
    this.#pendingDir = join(dir, 'pending');
    this.#sentDir = join(dir, 'sent');
    this.#quotaBytes = quotaBytes;
    this.#log = log;
  }

  /** Reads what an earlier run has left; half-written files are removed. */
  async open(): Promise<void> {
    await makeFolder(this.#pendingDir);
    await makeFolder(this.#sentDir);
    for (const name of await readdir(this.#pendingDir)) {
      const file = join(this.#pendingDir, name);
      if (name.endsWith('.part')) await rm(file, { force: true });
      else if (name.endsWith('.json')) await this.#resume(file);
    }
    for (const name of await readdir(this.#pendingDir)) {
      // A picture without its card: the crash came between the two, and its event was never emitted.
      if (name.endsWith('.bin') && !this.#pending.has(name.slice(0, -4))) await rm(join(this.#pendingDir, name), { force: true });
    }
    for (const name of await readdir(this.#sentDir)) {
      if (!name.endsWith('.bin')) continue;
      const { size, mtimeMs } = await stat(join(this.#sentDir, name));
      this.#kept.set(name.slice(0, -4), { sha256: name.slice(0, -4), bytes: size, takenAt: mtimeMs, sent: true });
    }
  }

  /** Durable when it resolves. The same bytes twice are one file. */
  async put(
    content: Uint8Array,
    about: { mediaType: EvidenceRef['mediaType']; event: string; takenAt: number },
  ): Promise<EvidenceRef> {
    const sha256 = createHash('sha256').update(content).digest('hex');
    const ref: EvidenceRef = { sha256, mediaType: about.mediaType, bytes: content.length, takenAt: about.takenAt };
    if (this.#kept.has(sha256)) return ref;
    const pending: PendingFile = { ...ref, event: about.event };
    await writeDurably(this.#file(sha256, false), content);
    await writeDurably(this.#card(sha256), JSON.stringify(pending));
    this.#pending.set(sha256, pending);
    this.#kept.set(sha256, { sha256, bytes: content.length, takenAt: about.takenAt, sent: false });
    await this.#keepQuota(sha256);
    return ref;
  }

  /** Oldest first. */
  pending(): PendingFile[] {
    return [...this.#pending.values()].sort((a, b) => a.takenAt - b.takenAt);
  }

  /** Null when the quota took it in the meantime. */
  async read(sha256: string): Promise<Buffer | null> {
    return readFile(this.#file(sha256, this.#kept.get(sha256)?.sent ?? false)).catch(() => null);
  }

  /** The centre has it. */
  async markSent(sha256: string): Promise<void> {
    const kept = this.#kept.get(sha256);
    if (kept === undefined || kept.sent) return;
    await rename(this.#file(sha256, false), this.#file(sha256, true));
    await rm(this.#card(sha256), { force: true });
    await syncFolder(this.#pendingDir);
    this.#pending.delete(sha256);
    kept.sent = true;
  }

  /** The centre will never take it (or the disk has lost it): it no longer waits. */
  async giveUp(sha256: string): Promise<void> {
    await this.#remove(sha256);
    this.#dropped++;
  }

  stats(): { files: number; bytes: number; pending: number; dropped: number } {
    const bytes = [...this.#kept.values()].reduce((sum, k) => sum + k.bytes, 0);
    return { files: this.#kept.size, bytes, pending: this.#pending.size, dropped: this.#dropped };
  }

  async #resume(card: string): Promise<void> {
    try {
      const pending = JSON.parse(await readFile(card, 'utf8')) as PendingFile;
      const { size } = await stat(this.#file(pending.sha256, false));
      this.#pending.set(pending.sha256, pending);
      this.#kept.set(pending.sha256, { sha256: pending.sha256, bytes: size, takenAt: pending.takenAt, sent: false });
    } catch (error) {
      this.#log.warn({ card, err: (error as Error).message }, 'evidence card without its file');
      await rm(card, { force: true });
    }
  }

  async #keepQuota(newest: string): Promise<void> {
    let bytes = this.stats().bytes;
    if (bytes <= this.#quotaBytes) return;
    const order = [...this.#kept.values()].filter((k) => k.sha256 !== newest);
    order.sort((a, b) => Number(b.sent) - Number(a.sent) || a.takenAt - b.takenAt);
    for (const { sha256, bytes: size, sent } of order) {
      if (bytes <= this.#quotaBytes) return;
      await this.#remove(sha256);
      bytes -= size;
      if (sent) continue;
      this.#dropped++;
      this.#log.error({ sha256 }, 'evidence dropped before it was sent: quota');
    }
  }

  async #remove(sha256: string): Promise<void> {
    await rm(this.#file(sha256, this.#kept.get(sha256)?.sent ?? false), { force: true });
    await rm(this.#card(sha256), { force: true });
    this.#kept.delete(sha256);
    this.#pending.delete(sha256);
  }

  #file(sha256: string, sent: boolean): string {
    return join(sent ? this.#sentDir : this.#pendingDir, `${sha256}.bin`);
  }

  #card(sha256: string): string {
    return join(this.#pendingDir, `${sha256}.json`);
  }
}
