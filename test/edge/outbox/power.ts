import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Call } from './strace.ts';

type Change = { at: number; data: Buffer } | { size: number };

/** Bytes that grow and shrink in place. */
interface Bytes {
  buffer: Buffer;
  size: number;
}

/** A file as a power cut finds it: what a sync has made safe, and what the disk may or may not have got to since. */
interface FileState {
  safe: Bytes;
  unsafe: Change[];
  /** Whether its name is in the folder, before and after what no sync of the folder has made safe. */
  named: { safe: boolean; now: boolean };
}

/** What the disk does, in the moment of the cut, to what was not synced. */
export interface Tear {
  /** Whether a sector of a write gets to the disk, is left as it was, or is left as zeros. */
  sector(): 'written' | 'old' | 'zero';
  /** Whether a change of a folder gets to the disk. */
  name(): boolean;
}
/** Everything that was not synced is gone. */
export const CUT_OFF: Tear = { sector: () => 'old', name: () => false };

const SECTOR = 512;

/** The files of one folder through a trace, as a disk without mercy sees them. */
export class PowerlessDisk {
  readonly #folder: string;
  readonly #wants: (name: string) => boolean;
  readonly #files = new Map<string, FileState>();

  constructor(folder: string, wants: (name: string) => boolean) {
    this.#folder = folder;
    this.#wants = wants;
  }

  /** The next call of the trace. True when something was made safe. */
  apply({ name, target, data, offset, result }: Call): boolean {
    if (result < 0) return false;
    const syncs = name === 'fsync' || name === 'fdatasync';
    if (syncs && target === this.#folder) return this.#syncNames();
    if (dirname(target) !== this.#folder || !this.#wants(basename(target))) return false;
    const file = this.#file(basename(target));
    if (syncs) return sync(file);
    if (name === 'pwrite64') file.unsafe.push({ at: offset, data: data.subarray(0, result) });
    else if (name === 'ftruncate') file.unsafe.push({ size: offset });
    else if (name.startsWith('unlink')) file.named.now = false;
    else throw new Error(`${name} of ${target}: not known here`);
    return false;
  }

  /** Writes into `dir` what the next start finds. */
  cut(dir: string, tear: Tear): void {
    mkdirSync(dir, { recursive: true });
    for (const [name, { safe, unsafe, named }] of this.#files) {
      const there = named.safe === named.now ? named.now : tear.name() ? named.now : named.safe;
      if (!there) continue;
      const left = { buffer: Buffer.from(safe.buffer), size: safe.size };
      for (const change of unsafe) apply(left, change, tear);
      writeFileSync(join(dir, name), left.buffer.subarray(0, left.size));
    }
  }

  #file(name: string): FileState {
    const known = this.#files.get(name);
    if (known?.named.now) return known;
    // What was unlinked before is another file.
    const made: FileState = {
      safe: { buffer: Buffer.alloc(0), size: 0 },
      unsafe: [],
      named: { safe: known?.named.safe ?? false, now: true },
    };
    this.#files.set(name, made);
    return made;
  }

  #syncNames(): boolean {
    for (const file of this.#files.values()) file.named.safe = file.named.now;
    return true;
  }
}

const ALL: Tear = { sector: () => 'written', name: () => true };

function sync(file: FileState): boolean {
  for (const change of file.unsafe) apply(file.safe, change, ALL);
  file.unsafe = [];
  return true;
}

function apply(bytes: Bytes, change: Change, tear: Tear): void {
  if ('size' in change) {
    if (tear.name()) resize(bytes, change.size);
    return;
  }
  const { at, data } = change;
  for (let from = at; from < at + data.length; ) {
    const to = Math.min(at + data.length, from - (from % SECTOR) + SECTOR);
    const what = tear.sector();
    if (what !== 'old' && bytes.size < to) resize(bytes, to);
    if (what === 'zero') bytes.buffer.fill(0, from, to);
    else if (what === 'written') data.copy(bytes.buffer, from, from - at, to - at);
    from = to;
  }
}

function resize(bytes: Bytes, size: number): void {
  if (size > bytes.buffer.length) {
    const larger = Buffer.alloc(Math.max(size, 2 * bytes.buffer.length));
    bytes.buffer.copy(larger, 0, 0, bytes.size);
    bytes.buffer = larger;
  }
  if (size > bytes.size) bytes.buffer.fill(0, bytes.size, size);
  bytes.size = size;
}
