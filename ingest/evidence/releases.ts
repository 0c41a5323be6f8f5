import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { GrantFilesAnswer } from '#grid/api/mod.ts';
import { EVIDENCE_BYTES_MAX, type EvidenceRef, type GrantSubject, type SignedManifest } from '#grid/mod.ts';
import type { ReleaseOrder } from '#grid/wire/mod.ts';
import { type Clock, GewuError, isGewuError, judgeSignature, type Log, type Service } from '#service/mod.ts';
import { type Asker, AUDIT_LOCK, type Audit } from '../audit/mod.ts';
import type { Database, GrantFilesTable } from '../database/mod.ts';
import type { Grant, Grants } from '../grants/mod.ts';
import type { CommandSender } from '../ports.ts';
import type { EdgeKeys } from './keys.ts';
import { Vault } from './vault.ts';

export interface ReleasesDependencies {
  /** Of the evidence store; originals lie in a folder of their own in it. */
  dir: string;
  database: Database;
  grants: Grants;
  audit: Audit;
  keys: EdgeKeys;
  commands: CommandSender;
  clock: Clock;
  log: Log;
}

/** An edge that does not answer is told again, as long as the grant holds. */
const TELL_EVERY_MS = 5_000;
const TOLD_MAX = 100;
/** Folders of grants that are over, but whose end this replica did not see, are looked for so often. */
const SWEEP_EVERY_MS = 60_000;
const ORIGINALS_MAX = 64;

type GrantFile = GrantFilesAnswer['items'][number];

/**
 * Originals on their way from an edge to the one who holds a grant for them:
 *
 *   grant created --> command to the edge (repeated) --> it asks for the order --> it uploads --> vault --> the holder reads
 *   grant over, early or in time ------------------------------------------------------------> files and keys are gone
 */
export class Releases implements Service {
  readonly #deps: ReleasesDependencies;
  readonly #vault: Vault;
  #timers: NodeJS.Timeout[] = [];
  #unsubscribe: (() => void)[] = [];

  constructor(dependencies: ReleasesDependencies) {
    this.#deps = dependencies;
    this.#vault = new Vault(join(dependencies.dir, 'released'));
  }

  async start(): Promise<void> {
    const { grants, log } = this.#deps;
    const quietly = (what: string, work: () => Promise<unknown>) => () =>
      void work().catch((error: unknown) => log.warn({ err: error }, what));
    await this.#sweep();
    this.#timers = [
      setInterval(
        quietly('edges could not be told of grants', () => this.#tellAll()),
        TELL_EVERY_MS,
      ),
      setInterval(
        quietly('originals of past grants could not be removed', () => this.#sweep()),
        SWEEP_EVERY_MS,
      ),
    ];
    for (const timer of this.#timers) timer.unref();
    this.#unsubscribe = [
      grants.on('created', (grant) => this.#tell(grant)),
      grants.on('over', (grant) => quietly('originals of a grant could not be removed', () => this.#forget(grant.id))()),
    ];
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
  }

  /** What an edge may know of a grant: only the edge that has the files, and only while it holds. Throws GEWU_GRANT_INVALID. */
  async order(id: string, edge: string): Promise<ReleaseOrder> {
    const { holder, roles, purpose, endsAt, subject } = await this.#holding(id, edge);
    const originals = (await this.#originals(subject)).map((o) => o.sha256);
    return { grant: id, holder, roles, purpose, endsAt, originals };
  }

  /**
   * An original that the edge sends. GEWU_GRANT_INVALID; GEWU_EVIDENCE_MISMATCH when it is not one of the order's, not signed by that
   * edge for that event, or has another hash; GEWU_PAYLOAD_TOO_LARGE.
   */
  async put(id: string, edge: string, sha256: string, signed: SignedManifest, content: Readable): Promise<void> {
    const { database, keys, audit, clock } = this.#deps;
    const { subject, holder, purpose } = await this.#holding(id, edge);
    const wanted = (await this.#originals(subject)).find((o) => o.sha256 === sha256);
    if (wanted === undefined) throw new GewuError('GEWU_EVIDENCE_MISMATCH', `${sha256} is not what grant ${id} is for`);
    const { bytes, takenAt, mediaType } = signed.manifest;
    const signature = judgeSignature({ sha256, bytes, takenAt, signed }, { event: wanted.event, edge }, await keys.list(edge));
    if (signature !== 'valid' || signed.manifest.masked)
      throw new GewuError('GEWU_EVIDENCE_MISMATCH', `its manifest is ${signed.manifest.masked ? 'of a masked file' : signature}`);
    const file = await collect(content, Math.min(bytes, EVIDENCE_BYTES_MAX));
    if (createHash('sha256').update(file).digest('hex') !== sha256)
      throw new GewuError('GEWU_EVIDENCE_MISMATCH', 'the bytes have another SHA-256');
    const key = await this.#vault.put(id, sha256, file);
    const row: GrantFilesTable = {
      grant_id: id,
      sha256,
      media_type: mediaType,
      bytes: file.length,
      signed_json: JSON.stringify(signed),
      file_key: key.toString('base64'),
      received_at: clock.now(),
    };
    await database.transaction(
      async (db) => {
        // It may have ended while the file came.
        const holds = db.selectFrom('grants').select('id').where('id', '=', id).where('ended_at', 'is', null);
        if ((await holds.where('ends_at', '>', row.received_at).executeTakeFirst()) === undefined)
          throw new GewuError('GEWU_GRANT_INVALID', `grant ${id} is over`);
        const { file_key, received_at } = row;
        await db
          .insertInto('grant_files')
          .values(row)
          .onConflict((c) => c.columns(['grant_id', 'sha256']).doUpdateSet({ file_key, received_at }))
          .execute();
        const detail = { grant: id, holder, edge, bytes: file.length };
        await audit.recordIn(db, {
          actor: edge,
          roles: ['edge'],
          action: 'original-received',
          subject: `evidence:${sha256}`,
          purpose,
          detail,
        });
      },
      { locks: [AUDIT_LOCK] },
    );
  }

  /** How many the edge has sent, and how many it has no more. */
  async answered(id: string, edge: string, { sent, missing }: { sent: number; missing: number }): Promise<void> {
    await this.#holding(id, edge);
    await this.#deps.grants.answered(id, sent > 0 || missing === 0 ? 'sent' : 'missing');
  }

  /** What has arrived for the holder. Throws GEWU_GRANT_INVALID. */
  async files(id: string, asker: Asker): Promise<GrantFile[]> {
    const grant = await this.#deps.grants.get(id);
    checkHolder(grant, asker);
    const rows = await this.#deps.database.kysely
      .selectFrom('grant_files')
      .selectAll()
      .where('grant_id', '=', id)
      .orderBy('sha256')
      .execute();
    return rows.map((row) => ({
      sha256: row.sha256,
      mediaType: row.media_type,
      bytes: row.bytes,
      receivedAt: row.received_at,
      signed: JSON.parse(row.signed_json),
    }));
  }

  /** One original, for the holder; each time is a use of the grant. Throws GEWU_GRANT_INVALID, GEWU_NOT_FOUND. */
  async read(id: string, asker: Asker, sha256: string): Promise<{ mediaType: string; content: Buffer }> {
    const { database, grants, log } = this.#deps;
    const grant = await grants.get(id);
    checkHolder(grant, asker);
    const row = await database.kysely
      .selectFrom('grant_files')
      .selectAll()
      .where('grant_id', '=', id)
      .where('sha256', '=', sha256)
      .executeTakeFirst();
    if (row?.file_key == null) throw new GewuError('GEWU_NOT_FOUND', `${sha256} has not arrived`);
    await grants.use(id, asker, 'original', grant.subject);
    const content = await this.#vault.read(id, sha256, Buffer.from(row.file_key, 'base64')).catch((error: Error) => {
      log.error({ grant: id, sha256, err: error.message }, 'a released original cannot be read');
      throw new GewuError('GEWU_NOT_FOUND', `${sha256} is lost`, { cause: error });
    });
    return { mediaType: row.media_type, content };
  }

  async #holding(id: string, edge: string): Promise<Grant> {
    const grant = await this.#deps.grants.get(id).catch((error: unknown) => {
      if (isGewuError(error, 'GEWU_NOT_FOUND')) throw new GewuError('GEWU_GRANT_INVALID', `grant ${id}: there is none`);
      throw error;
    });
    if (grant.kind !== 'original' || grant.edge !== edge)
      throw new GewuError('GEWU_GRANT_INVALID', `grant ${id} is not for ${edge}`);
    if (grant.state !== 'active') throw new GewuError('GEWU_GRANT_INVALID', `grant ${id} is over`);
    return grant;
  }

  /** The originals of what a grant names, as far as manifests that hold name them. */
  async #originals(subject: GrantSubject): Promise<{ sha256: string; event: string }[]> {
    const { database, keys } = this.#deps;
    const claims = subject.of === 'event' ? await refsOfEvent(database, subject.id) : await refsOfFile(database, subject.id);
    const found = new Map<string, { sha256: string; event: string }>();
    for (const { ref, event, edge } of claims) {
      const original = ref.signed?.manifest.original;
      if (original === undefined || judgeSignature(ref, { event, edge }, await keys.list(edge)) !== 'valid') continue;
      found.set(original, { sha256: original, event });
    }
    return [...found.values()].slice(0, ORIGINALS_MAX);
  }

  #tell({ id, kind, edge }: Pick<Grant, 'id' | 'kind' | 'edge'>): void {
    if (kind !== 'original') return;
    this.#deps.commands.send(edge, { command: 'release-original', grant: id, ts: this.#deps.clock.now() });
  }

  async #tellAll(): Promise<void> {
    const { items } = await this.#deps.grants.list({ kind: 'original', active: true, limit: TOLD_MAX });
    for (const grant of items) if (grant.answer === null) this.#tell(grant);
  }

  async #forget(id: string): Promise<void> {
    await this.#deps.database.kysely.updateTable('grant_files').set({ file_key: null }).where('grant_id', '=', id).execute();
    await this.#vault.remove(id);
  }

  async #sweep(): Promise<void> {
    for (const id of await this.#vault.grants()) {
      const grant = await this.#deps.grants.get(id).catch((error: unknown) => {
        if (isGewuError(error, 'GEWU_NOT_FOUND')) return null;
        throw error;
      });
      if (grant?.state !== 'active') await this.#forget(id);
    }
  }
}

interface Claimed {
  ref: EvidenceRef;
  event: string;
  edge: string;
}

async function refsOfEvent({ kysely }: Database, event: string): Promise<Claimed[]> {
  const row = await kysely.selectFrom('events').select(['edge', 'evidence_json']).where('subject', '=', event).executeTakeFirst();
  if (row === undefined) return [];
  return (JSON.parse(row.evidence_json) as EvidenceRef[]).map((ref) => ({ ref, event, edge: row.edge }));
}

async function refsOfFile({ kysely }: Database, sha256: string): Promise<Claimed[]> {
  const rows = await kysely
    .selectFrom('case_evidence as e')
    .innerJoin('events as v', 'v.subject', 'e.event')
    .select(['e.event', 'v.edge'])
    .distinct()
    .where('e.sha256', '=', sha256)
    .execute();
  const all = await Promise.all(rows.map(({ event }) => refsOfEvent({ kysely } as Database, event)));
  return all.flat().filter(({ ref }) => ref.sha256 === sha256);
}

function checkHolder(grant: Grant, asker: Asker): void {
  if (grant.holder !== asker.id) throw new GewuError('GEWU_GRANT_INVALID', `grant ${grant.id}: somebody else holds it`);
  if (grant.state !== 'active') throw new GewuError('GEWU_GRANT_INVALID', `grant ${grant.id}: it is over`);
}

/** In memory: an original is 16 MiB at most, and the manifest says how long it is. */
async function collect(content: Readable, bytesMax: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of content.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > bytesMax) {
      content.resume();
      throw new GewuError('GEWU_PAYLOAD_TOO_LARGE', `more than the ${bytesMax} B of its manifest`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
