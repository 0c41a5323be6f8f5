import type { EdgeKeyAnswer } from '#grid/api/mod.ts';
import { type Clock, GewuError, keyIdOf, type Log } from '#service/mod.ts';
import { AUDIT_LOCK, type Audit } from '../audit/mod.ts';
import type { Database, EdgeKeysTable, Queries } from '../database/mod.ts';

export interface EdgeKeysDependencies {
  database: Database;
  audit: Audit;
  clock: Clock;
  log: Log;
}

/** Keys of one edge that wait; a further one is refused unseen. */
const WAITING_MAX = 8;
const PUBLIC_KEY_BYTES = 32;

/**
 * The public keys that edges sign their evidence with. The first one that an edge shows with its password is pinned; any
 * other one waits, is written into the audit trail, and counts only when an administrator accepts it. The one before is
 * then retired: what it signed stays valid.
 */
export class EdgeKeys {
  readonly #deps: EdgeKeysDependencies;

  constructor(dependencies: EdgeKeysDependencies) {
    this.#deps = dependencies;
  }

  /** Throws GEWU_REQUEST_INVALID, GEWU_NODE_KEY_CHANGED (it waits for an administrator, or was retired). */
  async register(edge: string, publicKey: string): Promise<EdgeKeyAnswer> {
    if (Buffer.from(publicKey, 'base64').length !== PUBLIC_KEY_BYTES)
      throw new GewuError('GEWU_REQUEST_INVALID', `an Ed25519 key is ${PUBLIC_KEY_BYTES} bytes`);
    const known = await this.#find(this.#deps.database.kysely, edge, keyIdOf(publicKey));
    const row = known ?? (await this.#deps.database.transaction((db) => this.#add(db, edge, publicKey), { locks: [AUDIT_LOCK] }));
    if (row.state === 'pinned') return toAnswer(row);
    this.#deps.log.error({ edge, keyId: row.key_id, state: row.state }, 'an edge signs with a key that is not the pinned one');
    throw new GewuError('GEWU_NODE_KEY_CHANGED', `${edge} is known by another key; this one (${row.key_id}) is ${row.state}`);
  }

  /** The key that waits becomes the one that counts. Throws GEWU_NOT_FOUND. */
  accept(edge: string, keyId: string, by: { id: string; roles: readonly string[] }): Promise<EdgeKeyAnswer> {
    const { database, clock, audit } = this.#deps;
    return database.transaction(
      async (db) => {
        const row = await this.#find(db, edge, keyId);
        if (row?.state !== 'waiting') throw new GewuError('GEWU_NOT_FOUND', `no such key of ${edge} waits`);
        const decided = { decided_at: clock.now(), decided_by: by.id };
        await db
          .updateTable('edge_keys')
          .set({ state: 'retired', ...decided })
          .where('edge', '=', edge)
          .where('state', '=', 'pinned')
          .execute();
        const pinned = { ...row, state: 'pinned', ...decided };
        await db.updateTable('edge_keys').set(pinned).where('edge', '=', edge).where('key_id', '=', keyId).execute();
        await audit.recordIn(db, {
          actor: by.id,
          roles: by.roles,
          action: 'node-key-accepted',
          subject: `edge:${edge}`,
          detail: { keyId },
        });
        return toAnswer(pinned);
      },
      { locks: [AUDIT_LOCK] },
    );
  }

  /** Of one edge, or of all; in order of edge and age. */
  async list(edge?: string): Promise<EdgeKeyAnswer[]> {
    let query = this.#deps.database.kysely.selectFrom('edge_keys').selectAll();
    if (edge !== undefined) query = query.where('edge', '=', edge);
    const rows = await query.orderBy('edge').orderBy('first_seen_at').orderBy('key_id').execute();
    return rows.map(toAnswer);
  }

  async #add(db: Queries, edge: string, publicKey: string): Promise<EdgeKeysTable> {
    const keyId = keyIdOf(publicKey);
    const others = await db.selectFrom('edge_keys').selectAll().where('edge', '=', edge).execute();
    const raced = others.find((o) => o.key_id === keyId);
    if (raced !== undefined) return raced;
    const first = others.length === 0;
    if (others.filter((o) => o.state === 'waiting').length >= WAITING_MAX)
      throw new GewuError('GEWU_NODE_KEY_CHANGED', `${WAITING_MAX} keys of ${edge} wait already`);
    const now = this.#deps.clock.now();
    const row: EdgeKeysTable = {
      edge,
      key_id: keyId,
      public_key: publicKey,
      state: first ? 'pinned' : 'waiting',
      first_seen_at: now,
      decided_at: first ? now : null,
      decided_by: first ? 'first-use' : null,
    };
    await db.insertInto('edge_keys').values(row).execute();
    const action = first ? 'node-key-pinned' : 'node-key-refused';
    await this.#deps.audit.recordIn(db, { actor: edge, roles: ['edge'], action, subject: `edge:${edge}`, detail: { keyId } });
    return row;
  }

  #find(db: Queries, edge: string, keyId: string): Promise<EdgeKeysTable | undefined> {
    return db.selectFrom('edge_keys').selectAll().where('edge', '=', edge).where('key_id', '=', keyId).executeTakeFirst();
  }
}

function toAnswer(row: EdgeKeysTable): EdgeKeyAnswer {
  return {
    edge: row.edge,
    keyId: row.key_id,
    publicKey: row.public_key,
    state: row.state as EdgeKeyAnswer['state'],
    firstSeenAt: row.first_seen_at,
    decidedAt: row.decided_at,
    decidedBy: row.decided_by,
  };
}
