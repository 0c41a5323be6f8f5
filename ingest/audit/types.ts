import type { AuditAnswer } from '#grid/api/mod.ts';
import type { Service } from '#service/mod.ts';
import type { Page } from '../cases/mod.ts';
import type { Lock, Queries } from '../database/mod.ts';

/** Who asks; an account of the API. */
export interface Asker {
  id: string;
  roles: readonly string[];
}

/** As the trail names it. */
export const actorOf = ({ id, roles }: Asker): Pick<AuditAct, 'actor' | 'roles'> => ({ actor: id, roles });

/** What is written down: who did what to whom, and why. */
export interface AuditAct {
  /** Account, edge, or `gewu` for what happens by itself. */
  actor: string;
  /** In which it acted. */
  roles: readonly string[];
  /** A stable word: 'grant-created', 'raw-view-started'. */
  action: string;
  /** `camera:cam-1`, `grant:…`, `evidence:<sha256>` */
  subject: string;
  purpose?: string | undefined;
  /** Flat; 4 KiB as JSON at most, what is beyond is left out and said so. */
  detail?: Readonly<Record<string, string | number | boolean | null>> | undefined;
}

export type AuditEntry = AuditAnswer;

export interface AuditFilter {
  actor?: string | undefined;
  action?: string | undefined;
  subject?: string | undefined;
  /** At or after, before; UTC ms. */
  since?: number | undefined;
  until?: number | undefined;
  /** 1..500, default 100. */
  limit?: number | undefined;
  cursor?: string | undefined;
}

/** Held by a transaction that writes a line itself: there is one chain, and one writer at a time. */
export const AUDIT_LOCK: Lock = { name: 'audit', mode: 'exclusive' };

/**
 * Who did what, append-only and hash-chained: a line that is changed or taken out breaks every later one, and the database
 * refuses both. It is never trimmed.
 */
export interface Audit extends Service {
  /** Durable when it resolves. Throws GEWU_STORE_UNAVAILABLE: what must be written down does not happen unwritten. */
  record(act: AuditAct): Promise<AuditEntry>;
  /** The same inside a transaction of the caller's, which holds AUDIT_LOCK: the act and its line stand or fall together. */
  recordIn(db: Queries, act: AuditAct): Promise<AuditEntry>;
  /** Newest first. Throws GEWU_REQUEST_INVALID for a foreign cursor. */
  list(filter: AuditFilter): Promise<Page<AuditEntry>>;
  /** Walks the whole chain. `brokenAt` is the first line that does not fit; null when all do. */
  verify(): Promise<{ entries: number; brokenAt: number | null }>;
}
