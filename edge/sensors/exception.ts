/** When readings of a kind of device are worth storing. */
export interface ReportRule {
  /** A reading is stored at least so often. */
  silenceS: number;
  /** By field: how far it may be from the stored value. A field that is not named must be the same. */
  deadband: Readonly<Record<string, number>>;
}

type Value = number | boolean;

/** A reading as this looks at it. `ts` is UTC ms. */
export interface Report {
  ts: number;
  fields: Readonly<Record<string, Value>>;
  late: boolean;
  /** Something came of it: it is stored, whatever it says. */
  concluded: boolean;
}

/**
 * Report by exception for one device: tells which readings have to be stored, so that the stored value of a field, held
 * until the next, is never off by more than its deadband. What is compared with counts as stored only once it is durable.
 */
export class DeviceReports {
  readonly #rule: ReportRule;
  /** By field, as it was stored. */
  readonly #stored = new Map<string, { value: Value; ts: number }>();
  /** The writes that hold what `#stored` says, while they run. */
  #writing: Promise<unknown> | null = null;
  #newest: number | null = null;
  #suppressed = 0;

  constructor(rule: ReportRule) {
    this.#rule = rule;
  }

  /** Readings that were not stored since the last one that was. */
  get suppressed(): number {
    return this.#suppressed;
  }

  /** What an acknowledgement of a reading that is not stored has to wait for, if anything. */
  get writing(): Promise<unknown> | null {
    return this.#writing;
  }

  /** Whether the reading has to be stored; the caller stores it then, and says so by `written`. */
  keeps({ ts, fields, late, concluded }: Report): boolean {
    if (late) {
      // It stands between stored ones from now on, and what follows was compared with another.
      this.#stored.clear();
      return true;
    }
    const interval = Math.max(0, ts - (this.#newest ?? ts));
    this.#newest = ts;
    const keep = concluded || Object.entries(fields).some(([name, value]) => this.#isNews(name, value, ts, interval));
    if (!keep) {
      this.#suppressed++;
      return false;
    }
    for (const name in fields) this.#stored.set(name, { value: fields[name] as Value, ts });
    this.#suppressed = 0;
    return true;
  }

  /** The write that carries readings which were to be stored. */
  written(writing: Promise<unknown>): void {
    const all = Promise.all([this.#writing, writing]);
    this.#writing = all;
    all.then(
      () => {
        if (this.#writing === all) this.#writing = null;
      },
      () => {
        this.#stored.clear();
        if (this.#writing === all) this.#writing = null;
      },
    );
  }

  #isNews(name: string, value: Value, ts: number, interval: number): boolean {
    const stored = this.#stored.get(name);
    if (stored === undefined) return true;
    const silenceMs = this.#rule.silenceS * 1000;
    const age = ts - stored.ts;
    // The next one may be too late: it is expected after as long as this one came after the last.
    if (age < 0 || age >= silenceMs || age + interval > silenceMs) return true;
    if (typeof value !== 'number' || typeof stored.value !== 'number') return value !== stored.value;
    return Math.abs(value - stored.value) > (this.#rule.deadband[name] ?? 0);
  }
}
