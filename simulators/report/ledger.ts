/** What one device sent, and what of it was acknowledged. Numbers begin at 1 and grow by 1. */
interface Account {
  sent: number;
  /** Acknowledged, as sorted runs that do not touch: devices send in order, so there are few. */
  runs: { first: number; last: number }[];
}

/** Runs of one device, at most: more would mean that acknowledgements come in no order at all. */
const RUNS_MAX = 100_000;

/** What the devices know: the numbers that they gave their samples, and which the edge acknowledged by PUBACK. */
export class Ledger {
  readonly #accounts = new Map<string, Account>();
  #acked = 0;
  #sent = 0;

  /** Samples with a PUBACK, and samples that left the device at all. The rest is in doubt. */
  get acked(): number {
    return this.#acked;
  }

  get sent(): number {
    return this.#sent;
  }

  get devices(): string[] {
    return [...this.#accounts.keys()];
  }

  /** `count` samples more; gives the number of the first one. */
  issue(device: string, count: number): number {
    let account = this.#accounts.get(device);
    if (account === undefined) {
      account = { sent: 0, runs: [] };
      this.#accounts.set(device, account);
    }
    const first = account.sent + 1;
    account.sent += count;
    this.#sent += count;
    return first;
  }

  /** The PUBACK of a message with these samples came; a second one of the same message changes nothing. */
  ack(device: string, first: number, last: number): void {
    const account = this.#accounts.get(device);
    if (account === undefined || first < 1 || last > account.sent || last < first)
      throw new RangeError(`${device}: ${first}-${last} was never sent`);
    const { runs } = account;
    let at = runs.length;
    while (at > 0 && (runs[at - 1] as { first: number }).first > first) at--;
    const before = runs[at - 1];
    if (before && before.last >= first) return;
    this.#acked += last - first + 1;
    if (before?.last === first - 1) before.last = last;
    else runs.splice(at++, 0, { first, last });
    const [run, after] = [runs[at - 1] as { last: number }, runs[at]];
    if (after?.first === run.last + 1) {
      run.last = after.last;
      runs.splice(at, 1);
    }
    if (runs.length > RUNS_MAX) throw new RangeError(`${device}: too many runs of acknowledged numbers`);
  }

  sentBy(device: string): number {
    return this.#accounts.get(device)?.sent ?? 0;
  }

  ackedBy(device: string): readonly { first: number; last: number }[] {
    return this.#accounts.get(device)?.runs ?? [];
  }
}

export interface Comparison {
  /** Readings in the store, of all devices. */
  stored: number;
  /** Acknowledged and not stored. */
  lost: number;
  /** The same number stored again, each time. */
  duplicated: number;
  /** Stored, and no device ever sent it, or not with this content. */
  unexpected: number;
  /** The first few of each, for whoever looks for the cause. */
  examples: string[];
}

const EXAMPLES_MAX = 40;

const RUNS_SHOWN_MAX = 8;

/** A stored reading: the device's own number, and whether the content is what the device said. */
export interface StoredSample {
  seq: number;
  intact: boolean;
}

/** Compares one device's account with what the store has of it. */
export function compareDevice(ledger: Ledger, device: string, samples: Iterable<StoredSample>): Comparison {
  const sent = ledger.sentBy(device);
  const times = new Uint16Array(sent + 1);
  const result: Comparison = { stored: 0, lost: 0, duplicated: 0, unexpected: 0, examples: [] };
  const example = (what: 'unexpected' | 'duplicated' | 'lost', seq: number) => runs[what].add(seq);
  const runs = { lost: new Runs(), duplicated: new Runs(), unexpected: new Runs() };
  for (const { seq, intact } of samples) {
    result.stored++;
    if (!intact || !Number.isInteger(seq) || seq < 1 || seq > sent) {
      result.unexpected++;
      example('unexpected', seq);
    } else {
      const before = times[seq] ?? 0;
      times[seq] = before + 1;
      if (before === 0) continue;
      result.duplicated++;
      example('duplicated', seq);
    }
  }
  for (const { first, last } of ledger.ackedBy(device))
    for (let seq = first; seq <= last; seq++)
      if (times[seq] === 0) {
        result.lost++;
        example('lost', seq);
      }
  for (const [what, { list }] of Object.entries(runs))
    if (list.length > 0) result.examples.push(`${what} ${device}: ${list.join(', ')}`);
  return result;
}

/** Numbers as people write them: 5-7, 9. Those beyond the first few runs are left out. */
class Runs {
  readonly #runs: [number, number][] = [];
  #more = false;

  add(seq: number): void {
    const last = this.#runs.at(-1);
    if (last && (last[1] === seq || last[1] + 1 === seq)) last[1] = seq;
    else if (this.#runs.length < RUNS_SHOWN_MAX) this.#runs.push([seq, seq]);
    else this.#more = true;
  }

  get list(): string[] {
    const runs = this.#runs.map(([first, last]) => (Object.is(first, last) ? `${first}` : `${first}-${last}`));
    return this.#more ? [...runs, '...'] : runs;
  }
}

export function addUp(parts: readonly Comparison[]): Comparison {
  const sum: Comparison = { stored: 0, lost: 0, duplicated: 0, unexpected: 0, examples: [] };
  for (const part of parts) {
    sum.stored += part.stored;
    sum.lost += part.lost;
    sum.duplicated += part.duplicated;
    sum.unexpected += part.unexpected;
    sum.examples.push(...part.examples.slice(0, EXAMPLES_MAX - sum.examples.length));
  }
  return sum;
}
