import { type Static, Type } from 'typebox';
import { Id } from '../ids.ts';

/** One line of a node's own trail; `hash` chains it to the one before. Source: docs/wire.md. */
export const EdgeAuditEntry = Type.Object(
  {
    seq: Type.Integer({ minimum: 1 }),
    /** UTC ms of the node. */
    at: Type.Integer({ minimum: 0 }),
    /** Who: the account that holds the grant. */
    actor: Type.String({ maxLength: 64 }),
    roles: Type.Array(Type.String({ maxLength: 64 }), { maxItems: 16 }),
    /** A stable word: 'original-released', 'original-refused'. */
    action: Type.String({ maxLength: 64 }),
    /** `evidence:<sha256>`, `camera:cam-1` */
    subject: Type.String({ maxLength: 128 }),
    purpose: Type.String({ maxLength: 512 }),
    grant: Type.String({ maxLength: 64 }),
    /** Why not, where something was refused. */
    reason: Type.Optional(Type.String({ maxLength: 256 })),
    prev: Type.String({ maxLength: 64 }),
    hash: Type.String({ pattern: '^[0-9a-f]{64}$' }),
  },
  { additionalProperties: false },
);
export type EdgeAuditEntry = Static<typeof EdgeAuditEntry>;

/** What the hash of a line is over, in this order. */
export function auditParts(entry: Omit<EdgeAuditEntry, 'hash'>): (string | number | null)[] {
  const { prev, seq, at, actor, roles, action, subject, purpose, grant, reason = null } = entry;
  return [prev, seq, at, actor, JSON.stringify(roles), action, subject, purpose, grant, reason];
}

/** In the health lane: what the node has written down. */
export const EdgeAuditReport = Type.Object(
  { ts: Type.Integer({ minimum: 0 }), edge: Id(), of: Type.Literal('audit'), id: Id(), entry: EdgeAuditEntry },
  { additionalProperties: false },
);
export type EdgeAuditReport = Static<typeof EdgeAuditReport>;
