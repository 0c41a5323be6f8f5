import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { EVIDENCE_BYTES_MAX, EVIDENCE_MEDIA_TYPES, type EvidenceMediaType } from '#grid/mod.ts';
import { type Clock, Counter, Gauge, GewuError, isGewuError, type Log, type Metrics } from '#service/mod.ts';
import type { Database, EvidenceFilesTable } from '../database/mod.ts';
import { Incoming, type Part } from './incoming.ts';
import type { EvidenceConfig, EvidenceStore, StoredFile } from './types.ts';

export interface EvidenceDependencies {
  config: EvidenceConfig;
  database: Database;
  clock: Clock;
  log: Log;
  metrics: Metrics;
  /** Told after the file is durable and recorded; the case service's `evidenceStored`. */
  onStored?: (sha256: string) => Promise<void>;
}

const HASH = /^[0-9a-f]{64}$/;
/** Uploads at once; the rest are asked to come again. */
const UPLOADS_MAX = 64;
/** The sum of all files is read anew so often: other replicas add to it too. */
const TOTAL_AGE_MS_MAX = 60_000;

/**
 * Files by their own hash, on a local or shared folder, with a row for each in the database:
 *
 *   upload --> incoming/... --hash, fsync--> rename to aa/bb/aabb... --fsync folder--> row --> onStored
 *
 * A file that comes before its event waits under its hash; the case finds it when the event arrives.
 */
export function createEvidenceStore(dependencies: EvidenceDependencies): EvidenceStore {
  return new FolderEvidenceStore(dependencies);
}

interface Upload {
  sender: string;
  offset: number | undefined;
  bytesMax: number;
}

class FolderEvidenceStore implements EvidenceStore {
  readonly #deps: EvidenceDependencies;
  readonly #uploads: Counter<'result'>;
  readonly #bytes: Gauge;
  readonly #incoming: Incoming;
  #running = 0;
  #total = 0;
  #totalAt = Number.NEGATIVE_INFINITY;

  constructor(dependencies: EvidenceDependencies) {
    const dir = resolve(dependencies.config.dir);
    this.#deps = { ...dependencies, config: { ...dependencies.config, dir } };
    this.#incoming = new Incoming({ dir, clock: dependencies.clock });
    const registers = [dependencies.metrics];
    this.#uploads = new Counter({
      name: 'gewu_evidence_uploads_total',
      help: 'Uploads of evidence: stored, known, or the code of the refusal',
      labelNames: ['result'],
      registers,
    });
    this.#bytes = new Gauge({ name: 'gewu_evidence_bytes', help: 'Bytes of all evidence files together', registers });
  }

  async start(): Promise<void> {
    await this.#incoming.start();
    await this.#readTotal();
  }

  async stop(): Promise<void> {}

  async put(
    sha256: string,
    mediaType: string,
    content: Readable | Buffer,
    { maxBytes = EVIDENCE_BYTES_MAX, sender = '', offset }: { maxBytes?: number; sender?: string; offset?: number } = {},
  ): Promise<StoredFile & { created: boolean }> {
    try {
      const done = await this.#put(sha256, mediaType, content, {
        bytesMax: Math.min(maxBytes, EVIDENCE_BYTES_MAX),
        ...{ sender, offset },
      });
      this.#uploads.inc({ result: done.created ? 'stored' : 'known' });
      return done;
    } catch (error) {
      const told = toEvidenceError(error);
      this.#uploads.inc({ result: told instanceof GewuError ? told.code : 'GEWU_INTERNAL' });
      throw told;
    }
  }

  async uploaded(sha256: string, sender: string): Promise<number> {
    const known = await this.stat(sha256);
    if (known !== null && (await this.#onDisk(known))) return known.bytes;
    return this.#incoming.bytes(this.#incoming.part(sha256, sender, 0));
  }

  async open(sha256: string): Promise<StoredFile & { stream: Readable }> {
    const file = await this.stat(sha256);
    if (file === null) throw new GewuError('GEWU_NOT_FOUND', `there is no evidence ${sha256}`);
    const handle = await open(this.#path(sha256), 'r').catch((error: NodeJS.ErrnoException) => {
      this.#deps.log.error({ sha256, error: error.message }, 'an evidence file that is on record cannot be read');
      if (error.code === 'ENOENT') throw new GewuError('GEWU_NOT_FOUND', `evidence ${sha256} is lost`, { cause: error });
      throw new GewuError('GEWU_STORE_UNAVAILABLE', error.message, { cause: error });
    });
    return { ...file, stream: handle.createReadStream() };
  }

  async stat(sha256: string): Promise<StoredFile | null> {
    checkHash(sha256);
    const row = await this.#deps.database.kysely
      .selectFrom('evidence_files')
      .selectAll()
      .where('sha256', '=', sha256)
      .executeTakeFirst();
    return row === undefined ? null : toFile(row);
  }

  async #put(sha256: string, mediaType: string, content: Readable | Buffer, { sender, offset, bytesMax }: Upload) {
    checkHash(sha256);
    if (!EVIDENCE_MEDIA_TYPES.includes(mediaType as EvidenceMediaType))
      throw new GewuError('GEWU_REQUEST_INVALID', `${mediaType} is not ${EVIDENCE_MEDIA_TYPES.join(' or ')}`);
    const known = await this.stat(sha256);
    if (known !== null && (await this.#onDisk(known))) {
      discard(content);
      return { ...known, created: false };
    }
    if (this.#running >= UPLOADS_MAX) {
      discard(content);
      throw new GewuError('GEWU_STORE_UNAVAILABLE', `${UPLOADS_MAX} uploads are running`);
    }
    this.#running++;
    try {
      const part = this.#incoming.part(sha256, sender, offset);
      const bytes = await this.#write(sha256, part, content, { offset: offset ?? 0, bytesMax });
      return { ...(await this.#record({ sha256, media_type: mediaType, bytes, sender })), created: true };
    } finally {
      this.#running--;
    }
  }

  /** Streams into a file of its own, and gives it its name when every byte is there and on disk. */
  async #write(
    sha256: string,
    part: Part,
    content: Readable | Buffer,
    { offset, bytesMax }: { offset: number; bytesMax: number },
  ): Promise<number> {
    let keep = part.kept;
    try {
      const roomBytes = Math.min(bytesMax, await this.#room(part));
      const limits = { offset, bytesMax, roomBytes, full: () => full(this.#deps.config.quotaBytes) };
      const { bytes, hash } = await this.#incoming.write(part, content, limits);
      keep = false;
      if (hash !== sha256) throw otherBytes(hash, offset);
      if (bytes === 0) throw new GewuError('GEWU_REQUEST_INVALID', 'the file is empty');
      await this.#name(part.path, this.#path(sha256));
      return bytes;
    } catch (error) {
      discard(content);
      if (!keep || isGewuError(error, 'GEWU_PAYLOAD_TOO_LARGE')) await rm(part.path, { force: true });
      throw error;
    }
  }

  async #name(temporary: string, path: string): Promise<void> {
    await mkdir(dirname(path), { recursive: true, mode: 0o750 });
    await rename(temporary, path);
    // The name is durable with its folder, and a new folder with its own.
    for (let folder = dirname(path); folder.length >= this.#deps.config.dir.length; folder = dirname(folder)) {
      await syncFolder(folder);
      if (folder === dirname(folder)) break;
    }
  }

  async #record(file: Omit<EvidenceFilesTable, 'stored_at'>): Promise<StoredFile> {
    const row = { ...file, stored_at: this.#deps.clock.now() };
    const { numInsertedOrUpdatedRows } = await this.#deps.database.kysely
      .insertInto('evidence_files')
      .values(row)
      .onConflict((c) => c.column('sha256').doNothing())
      .executeTakeFirst();
    if (numInsertedOrUpdatedRows === 1n) this.#total += row.bytes;
    this.#bytes.set(this.#total);
    // The file is safe: that somebody could not be told of it is no reason to have it sent again.
    await this.#deps.onStored?.(row.sha256).catch((error: Error) => {
      this.#deps.log.warn({ sha256: row.sha256, error: error.message }, 'nobody was told of a new evidence file');
    });
    return toFile(row);
  }

  /** Bytes that the quota still leaves: what is not whole yet takes its room, too. */
  async #room(part: Part): Promise<number> {
    if (this.#deps.clock.monotonic() - this.#totalAt > TOTAL_AGE_MS_MAX) {
      await this.#readTotal();
      await this.#incoming.forgetOld();
    }
    const room = this.#deps.config.quotaBytes - this.#total - (await this.#incoming.bytesBeside(part));
    if (room <= 0) throw full(this.#deps.config.quotaBytes);
    return room;
  }

  async #readTotal(): Promise<void> {
    const { total } = await this.#deps.database.kysely
      .selectFrom('evidence_files')
      .select((eb) => eb.fn.sum<number | string | null>('bytes').as('total'))
      .executeTakeFirstOrThrow();
    this.#total = Number(total ?? 0);
    this.#totalAt = this.#deps.clock.monotonic();
    this.#bytes.set(this.#total);
  }

  /** On record but not on the disk (a restored database, a lost mount): the upload mends it. */
  async #onDisk(file: StoredFile): Promise<boolean> {
    const found = await stat(this.#path(file.sha256)).catch(() => null);
    return found !== null && found.size === file.bytes;
  }

  #path(sha256: string): string {
    return join(this.#deps.config.dir, sha256.slice(0, 2), sha256.slice(2, 4), sha256);
  }
}

/** What was kept may be what is wrong: the sender begins anew. What came in one piece will never be right. */
function otherBytes(hash: string, offset: number): GewuError {
  const code = offset === 0 ? 'GEWU_EVIDENCE_MISMATCH' : 'GEWU_EVIDENCE_OFFSET';
  return new GewuError(code, `the bytes have the SHA-256 ${hash}`);
}

function full(bytes: number): GewuError {
  return new GewuError('GEWU_EVIDENCE_FULL', `the quota leaves no room (${bytes} B)`);
}

/** What is left of an upload is read and dropped: a connection that is cut would never see our answer. */
function discard(content: Readable | Buffer): void {
  if (content instanceof Readable) content.resume();
}

async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function checkHash(sha256: string): void {
  if (!HASH.test(sha256)) throw new GewuError('GEWU_REQUEST_INVALID', 'a SHA-256 is 64 hex digits, lower case');
}

function toFile(row: EvidenceFilesTable): StoredFile {
  return { sha256: row.sha256, mediaType: row.media_type, bytes: row.bytes, storedAt: row.stored_at };
}

/** A disk that is full or broken: the edge keeps the file and comes again. */
function toEvidenceError(error: unknown): unknown {
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (error instanceof GewuError || syscall === undefined) return error;
  const full = code === 'ENOSPC' || code === 'EDQUOT';
  return new GewuError(full ? 'GEWU_EVIDENCE_FULL' : 'GEWU_STORE_UNAVAILABLE', (error as Error).message, { cause: error });
}
