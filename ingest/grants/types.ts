import type { GrantAnswer } from '#grid/api/mod.ts';
import type { GrantKind, GrantSubject, NewGrant } from '#grid/mod.ts';
import type { Service } from '#service/mod.ts';
import type { Asker } from '../audit/mod.ts';
import type { Page } from '../cases/mod.ts';

export type Grant = GrantAnswer;

export interface GrantFilter {
  holder?: string | undefined;
  kind?: GrantKind | undefined;
  subject?: string | undefined;
  /** One of these. */
  subjects?: readonly string[] | undefined;
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
   * Told once for each grant that is created, and that is over, early or in time, by the replica that wrote it down; others see it
   * by `get` and `endsAt`. Listeners must not throw. Returns what unsubscribes.
   */
  on(event: 'created' | 'over', listener: (grant: Grant) => void): () => void;
}
