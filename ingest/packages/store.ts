import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { type Static, Type } from 'typebox';
import type { ModelPackageAnswer } from '#grid/api/mod.ts';
import { MODEL_PACKAGE_BYTES_MAX, type ModelPackageHeader, readModelHeader } from '#grid/wire/mod.ts';
import { type Clock, GewuError, type Service } from '#service/mod.ts';
import { AUDIT_LOCK, type Audit } from '../audit/mod.ts';
import type { Database, ModelPackagesTable } from '../database/mod.ts';

export const ModelsConfig = Type.Object(
  {
    /** Several replicas share it. */
    dir: Type.String({ minLength: 1, maxLength: 4096 }),
    /** All packages together, bytes. */
    quotaBytes: Type.Integer({ minimum: 1, default: 10 * 1024 ** 3 }),
  },
  { additionalProperties: false },
);
export type ModelsConfig = Static<typeof ModelsConfig>;

/** Content-addressed packages of models, for edges to fetch. */
export interface ModelStore extends Service {
  /**
   * Durable when it resolves; the same package again costs nothing. Throws GEWU_EVIDENCE_MISMATCH when the bytes have another
   * hash, GEWU_MODEL_INVALID when they are no package, GEWU_PAYLOAD_TOO_LARGE, GEWU_EVIDENCE_FULL at the quota.
   */
  put(sha256: string, content: Readable, who: { by: string; roles: readonly string[] }): Promise<ModelPackageAnswer>;
  /** Newest first. */
  list(): Promise<ModelPackageAnswer[]>;
  /** Bytes from `from` on. Throws GEWU_NOT_FOUND. */
  open(sha256: string, from: number): Promise<{ stream: Readable; bytes: number }>;
}

export interface ModelStoreDependencies {
  config: ModelsConfig;
  database: Database;
  audit: Pick<Audit, 'recordIn'>;
  clock: Clock;
}

const INCOMING = 'incoming';
const HEAD_BYTES = 64 * 1024;
const PACKAGES_MAX = 1000;

/** Builds the store; the database must be started before it, and stopped after it. */
export function createModelStore(dependencies: ModelStoreDependencies): ModelStore {
  return new FileModelStore(dependencies);
}

class FileModelStore implements ModelStore {
  readonly #deps: ModelStoreDependencies;

  constructor(dependencies: ModelStoreDependencies) {
    this.#deps = dependencies;
  }

  async start(): Promise<void> {
    await mkdir(join(this.#deps.config.dir, INCOMING), { recursive: true, mode: 0o750 });
  }

  async stop(): Promise<void> {}

  async put(sha256: string, content: Readable, who: { by: string; roles: readonly string[] }): Promise<ModelPackageAnswer> {
    const known = await this.#row(sha256);
    if (known !== undefined) {
      content.resume();
      return toAnswer(known);
    }
    const { bytes, header } = await this.#write(sha256, content);
    const { name, version, classes, provenance, key } = header;
    const at = this.#deps.clock.now();
    const row = { sha256, name, version, classes_json: JSON.stringify(classes), provenance, key, bytes, by: who.by, at };
    await this.#deps.database.transaction(
      async (db) => {
        const { numInsertedOrUpdatedRows } = await db
          .insertInto('model_packages')
          .values(row)
          .onConflict((c) => c.column('sha256').doNothing())
          .executeTakeFirst();
        if (numInsertedOrUpdatedRows !== 1n) return;
        const detail = { name, version, key, bytes };
        const act = { actor: who.by, roles: who.roles, action: 'model-pushed', subject: `model:${sha256}`, detail };
        await this.#deps.audit.recordIn(db, act);
      },
      { locks: [AUDIT_LOCK] },
    );
    return toAnswer(row);
  }

  async list(): Promise<ModelPackageAnswer[]> {
    const rows = await this.#deps.database.kysely
      .selectFrom('model_packages')
      .selectAll()
      .orderBy('at', 'desc')
      .limit(PACKAGES_MAX)
      .execute();
    return rows.map(toAnswer);
  }

  async open(sha256: string, from: number): Promise<{ stream: Readable; bytes: number }> {
    const row = await this.#row(sha256);
    if (row === undefined) throw new GewuError('GEWU_NOT_FOUND', `there is no model package ${sha256}`);
    if (from >= row.bytes) throw new GewuError('GEWU_REQUEST_INVALID', `it has ${row.bytes} B`);
    return { stream: createReadStream(this.#path(sha256), { start: from }), bytes: row.bytes };
  }

  #row(sha256: string) {
    return this.#deps.database.kysely.selectFrom('model_packages').selectAll().where('sha256', '=', sha256).executeTakeFirst();
  }

  /** Streams into a file of its own, and gives it its name when every byte is there, right and on disk. */
  async #write(sha256: string, content: Readable): Promise<{ bytes: number; header: ModelPackageHeader }> {
    const { dir } = this.#deps.config;
    const temporary = join(dir, INCOMING, randomUUID());
    const handle = await open(temporary, 'wx', 0o640);
    try {
      const { bytes, head, hash } = await copy(content, handle, await this.#room());
      if (hash !== sha256) throw new GewuError('GEWU_EVIDENCE_MISMATCH', `the bytes have the SHA-256 ${hash}`);
      const read = readModelHeader(head);
      if (!read.ok) throw new GewuError('GEWU_MODEL_INVALID', read.fault);
      await handle.sync();
      await handle.close();
      await rename(temporary, this.#path(sha256));
      return { bytes, header: read.header };
    } catch (error) {
      content.resume();
      await handle.close().catch(() => undefined);
      await rm(temporary, { force: true });
      throw error;
    }
  }

  async #room(): Promise<number> {
    const { config, database } = this.#deps;
    const { total } = await database.kysely
      .selectFrom('model_packages')
      .select((eb) => eb.fn.sum<number | string | null>('bytes').as('total'))
      .executeTakeFirstOrThrow();
    const room = config.quotaBytes - Number(total ?? 0);
    if (room <= 0) throw new GewuError('GEWU_EVIDENCE_FULL', `model packages are at their quota of ${config.quotaBytes} B`);
    return room;
  }

  #path(sha256: string): string {
    return join(this.#deps.config.dir, `${sha256}.gewu`);
  }
}

async function copy(content: Readable, handle: FileHandle, room: number) {
  const hash = createHash('sha256');
  const head: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of content as AsyncIterable<Buffer>) {
    if (bytes < HEAD_BYTES) head.push(chunk);
    bytes += chunk.length;
    if (bytes > MODEL_PACKAGE_BYTES_MAX) throw new GewuError('GEWU_PAYLOAD_TOO_LARGE', `more than ${MODEL_PACKAGE_BYTES_MAX} B`);
    if (bytes > room) throw new GewuError('GEWU_EVIDENCE_FULL', 'model packages are at their quota');
    hash.update(chunk);
    await handle.write(chunk);
  }
  return { bytes, head: Buffer.concat(head), hash: hash.digest('hex') };
}

function toAnswer({
  sha256,
  name,
  version,
  classes_json,
  provenance,
  key,
  bytes,
  by,
  at,
}: ModelPackagesTable): ModelPackageAnswer {
  return { sha256, name, version, classes: JSON.parse(classes_json), provenance, key, bytes, by, at };
}
