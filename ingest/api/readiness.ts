import { type Clock, FreshAnswer, isGewuError, type Log } from '#service/mod.ts';

/** One thing that the centre needs. `check` rejects when it is not there; it is given `CHECK_MS_MAX`. */
export interface ReadyCheck {
  name: string;
  check(): Promise<void>;
}

export interface ReadyReport {
  ready: boolean;
  /** Names and error codes only: the probe has no token, and messages may name addresses. */
  notReady: { name: string; code: string }[];
}

const CHECK_MS_MAX = 2_000;
/** Probes ask as often as they like; the stores are asked this often at most. */
const FRESH_MS = 250;

/** Asks everything that the centre needs, for `/readyz`. */
export class Readiness {
  readonly #checks: readonly ReadyCheck[];
  readonly #log: Log;
  readonly #report: FreshAnswer<ReadyReport>;
  #last = '';

  constructor({ checks, clock, log }: { checks: readonly ReadyCheck[]; clock: Clock; log: Log }) {
    this.#checks = checks;
    this.#log = log;
    this.#report = new FreshAnswer({ freshMs: FRESH_MS, clock, ask: () => this.#ask() });
  }

  get names(): string[] {
    return this.#checks.map((check) => check.name);
  }

  /** Never rejects. */
  report(): Promise<ReadyReport> {
    return this.#report.get();
  }

  async #ask(): Promise<ReadyReport> {
    const answers = await Promise.all(this.#checks.map((check) => this.#one(check)));
    const notReady = answers.filter((a) => a !== null);
    const names = notReady.map((n) => n.name).join(', ');
    if (names !== this.#last) this.#log[names === '' ? 'info' : 'warn']({ notReady }, names === '' ? 'ready' : 'not ready');
    this.#last = names;
    return { ready: notReady.length === 0, notReady };
  }

  async #one({ name, check }: ReadyCheck): Promise<{ name: string; code: string } | null> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer within ${CHECK_MS_MAX} ms`)), CHECK_MS_MAX);
    });
    try {
      await Promise.race([check(), late]);
      return null;
    } catch (error) {
      this.#log.debug({ err: error, check: name }, 'not ready');
      return { name, code: isGewuError(error) ? error.code : 'GEWU_STORE_UNAVAILABLE' };
    } finally {
      clearTimeout(timer);
    }
  }
}
