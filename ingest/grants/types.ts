import type { CaseRole, TechnicalRole } from '#grid/mod.ts';
import type { Service } from '#service/mod.ts';
import type { Page } from '../cases/mod.ts';

/** What a grant opens, for which subjects, and who may ask for it. Never a viewer, a department, a machine. */
export const GRANT_KINDS = {
  'raw-view': { of: ['camera'], roles: ['ops', 'administrator', 'supervision', 'command'] },
  original: { of: ['evidence', 'event'], roles: ['supervision', 'command', 'leader'] },
} as const satisfies Record<string, { of: readonly SubjectOf[]; roles: readonly (CaseRole | TechnicalRole)[] }>;
export type GrantKind = keyof typeof GRANT_KINDS;

export const SUBJECTS = ['camera', 'evidence', 'event'] as const;
export type SubjectOf = (typeof SUBJECTS)[number];

/** A camera's id, the SHA-256 of one masked file, or an event with all its files. */
export interface GrantSubject {
  of: SubjectOf;
  id: string;
}

export const GRANT_MINUTES_MAX = 60;
export const PURPOSE_CHARS_MIN = 8;
export const PURPOSE_CHARS_MAX = 500;

/** Who asks; an account of the API. */
export interface Asker {
  id: string;
  roles: readonly string[];
}

export interface NewGrant {
  kind: GrantKind;
  subject: GrantSubject;
  /** In the asker's own words; kept for ever. */
  purpose: string;
  /** 1..60 */
  minutes: number;
}

export interface Grant {
  id: string;
  kind: GrantKind;
  subject: GrantSubject;
  /** The edge that has it. */
  edge: string;
  holder: string;
  roles: string[];
  purpose: string;
  /** UTC ms. */
  createdAt: number;
  endsAt: number;
  /** `over`: ended early, or its time is up. */
  state: 'active' | 'over';
  endedAt: number | null;
  /** The account that ended it, or 'expired'. */
  endedBy: string | null;
  uses: number;
  lastUsedAt: number | null;
  /** Of an original: what the edge said. Null: not heard yet. */
  answer: 'sent' | 'missing' | null;
}

export interface GrantFilter {
  holder?: string | undefined;
  kind?: GrantKind | undefined;
  subject?: string | undefined;
  active?: boolean | undefined;
  limit?: number | undefined;
  cursor?: string | undefined;
}

/**
 * Exceptions from "masked for everyone": one role, one stated purpose, one subject, one end. Every step is a line of the audit trail,
 * written in the same transaction.
 */
export interface Grants extends Service {
  /** GEWU_FORBIDDEN (role), GEWU_NOT_FOUND (subject), GEWU_REQUEST_INVALID (subject of another kind), GEWU_TOO_MANY_REQUESTS. */
  create(asker: Asker, wanted: NewGrant): Promise<Grant>;
  /**
   * Checks that the grant is the asker's, of this kind, for this subject and not over, counts the use and writes it down.
   * Throws GEWU_GRANT_INVALID.
   */
  use(id: string, asker: Asker, kind: GrantKind, subject: GrantSubject): Promise<Grant>;
  /** The holder or an administrator. What is over stays as it is. */
  end(id: string, asker: Asker): Promise<Grant>;
  /** Throws GEWU_NOT_FOUND. */
  get(id: string): Promise<Grant>;
  /** Newest first. */
  list(filter: GrantFilter): Promise<Page<Grant>>;
  /** Writes down what the edge said about an original. */
  answered(id: string, answer: 'sent' | 'missing'): Promise<void>;
  /** Ends on paper what has ended in time. Runs by itself every few seconds; tests call it. */
  expire(): Promise<Grant[]>;
  /**
   * Told once for each grant that is over, early or in time, by the replica that wrote it down; others see it by `get` and `endsAt`.
   * Listeners must not throw. Returns what unsubscribes.
   */
  on(event: 'over', listener: (grant: Grant) => void): () => void;
}
