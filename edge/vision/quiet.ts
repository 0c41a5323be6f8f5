import type { EventRecord } from '#grid/mod.ts';
import type { CaseLedger } from './case_ledger.ts';
import type { ZoneWatch } from './watch.ts';

export interface QuietEventsDeps {
  watch: Pick<ZoneWatch, 'fixtures' | 'tellFixture'>;
  ledger: CaseLedger;
}

/** What is to be done about one of them: it is over with its fixture; or it is told again, so that the centre says what reviewers said of it. */
export type QuietStep = { kind: 'over' | 'again'; record: EventRecord };

/**
 * The events by which reviewers see what the fixtures of one camera keep quiet, `suppressed: fixture`; one of each fixture:
 *
 *   would have been raised --> recorded --its fixture is gone--> cleared
 *                                 |                                ^
 *                                 +--a reviewer: it is one--> fixture dropped, the thing is raised as an event of its own
 */
export class QuietEvents {
  readonly #deps: QuietEventsDeps;
  readonly #records = new Map<string, EventRecord>();
  /** Over, and not told yet. */
  readonly #over = new Set<string>();

  constructor(deps: QuietEventsDeps) {
    this.#deps = deps;
  }

  add(record: EventRecord): void {
    this.#records.set(record.subject, record);
  }

  forget(subject: string): void {
    this.#records.delete(subject);
    this.#over.delete(subject);
    this.#deps.ledger.forget(subject);
  }

  /** All that are to be remembered. */
  get all(): EventRecord[] {
    return [...this.#records.values()];
  }

  /** Looks what reviewers and fixtures say; called about once a second. */
  poll(): QuietStep[] {
    const { watch, ledger } = this.#deps;
    return this.all.flatMap((record): QuietStep[] => {
      const { subject } = record;
      if (this.#over.has(subject)) return [];
      if (ledger.look(subject) === 'closed') watch.tellFixture(subject);
      if (watch.fixtures.has(subject)) return ledger.asks(subject) ? [{ kind: 'again', record }] : [];
      this.#over.add(subject);
      return [{ kind: 'over', record }];
    });
  }
}
