import { randomUUID } from 'node:crypto';
import type { Clock, Log } from '#service/mod.ts';
import { type Channel, createChannel, type DatabaseConfig } from '../database/mod.ts';
import { readEnvelope, textOf, writeEnvelopes } from './envelope.ts';
import type { NewsItem } from './types.ts';

const CHANNEL = 'gewu_news';
/** News of so long is told at once: each telling is a commit. */
const GATHER_MS = 50;
/** Beyond this nobody could follow: what waits is dropped, and the others read anew. */
const ITEMS_MAX = 2_000;
/** Each replica says so often that it runs. */
const BEAT_MS = 5_000;
/** One that was not heard of for so long has ended: what it did last it may not have told. */
const SILENT_MS = 3 * BEAT_MS;

export interface RelayDependencies {
  config: DatabaseConfig;
  clock: Clock;
  log: Log;
  /** What another replica did. */
  onItem(item: NewsItem): void;
  /** What others did may have been missed, until now. */
  onMissed(): void;
}

interface Peer {
  number: number;
  heardAt: number;
}

/**
 * News between the replicas on one PostgreSQL, after the commit of what it tells and beside it. Nothing is told by who is alone.
 *
 *   tell --(gather)--> numbered envelopes --NOTIFY--> the others --> onItem
 *                                                       a number left out, one not known before, one no longer heard,
 *                                                       a connection opened anew --> onMissed
 */
export class Relay {
  readonly #deps: RelayDependencies;
  readonly #channel: Channel | null;
  readonly #name: string = randomUUID();
  readonly #peers = new Map<string, Peer>();
  #waiting: NewsItem[] = [];
  #number = 0;
  #gathering: NodeJS.Timeout | null = null;
  #beating: NodeJS.Timeout | null = null;
  #telling = false;
  #openedAt: number | null = null;

  constructor(dependencies: RelayDependencies) {
    this.#deps = dependencies;
    const { config, log } = dependencies;
    const ears = {
      opened: () => this.#opened(),
      heard: (text: string) => this.#heard(text),
      closed: () => this.#closed(),
    };
    this.#channel = createChannel({ config, name: CHANNEL, ears, log });
  }

  async start(): Promise<void> {
    if (this.#channel === null) return;
    this.#beating = setInterval(() => this.#beat(), BEAT_MS);
    this.#beating.unref();
    await this.#channel.start();
  }

  /** What waits is told first. */
  async stop(): Promise<void> {
    if (this.#beating) clearInterval(this.#beating);
    this.#beating = null;
    await this.#tell();
    await this.#channel?.stop();
  }

  /** Costs the caller nothing but a place in the queue. */
  tell(item: NewsItem): void {
    if (this.#channel === null) return;
    if (!this.#isHeard() || this.#waiting.length === ITEMS_MAX) {
      this.#leaveOut();
      return;
    }
    this.#waiting.push(item);
    this.#gathering ??= setTimeout(() => void this.#tell(), GATHER_MS);
  }

  /** Whether anybody may be there: of those who came before this one listened nothing is known until they have said so. */
  #isHeard(): boolean {
    if (this.#openedAt === null) return false;
    return this.#peers.size > 0 || this.#deps.clock.monotonic() - this.#openedAt < SILENT_MS;
  }

  /** The next number is not told: whoever hears the one after it knows. */
  #leaveOut(): void {
    this.#number++;
    this.#waiting = [];
  }

  async #tell(): Promise<void> {
    if (this.#gathering) clearTimeout(this.#gathering);
    this.#gathering = null;
    // One after the other; what comes meanwhile goes with the next.
    if (this.#telling || this.#waiting.length === 0) return;
    const { texts, next } = writeEnvelopes(this.#name, this.#number, this.#waiting);
    this.#number = next;
    this.#waiting = [];
    this.#telling = true;
    await this.#say(texts);
    this.#telling = false;
    if (this.#waiting.length > 0) await this.#tell();
  }

  /** Never rejects. */
  async #say(texts: readonly string[]): Promise<void> {
    try {
      await this.#channel?.say(texts);
    } catch (error) {
      this.#deps.log.debug({ error: (error as Error).message }, 'the other replicas were not told; they read anew');
    }
  }

  #beat(): void {
    const { clock, onMissed } = this.#deps;
    if (this.#openedAt === null) return;
    void this.#say([textOf(this.#name, this.#number++, [])]);
    const before = clock.monotonic() - SILENT_MS;
    const silent = [...this.#peers].filter(([, { heardAt }]) => heardAt < before);
    for (const [name] of silent) this.#peers.delete(name);
    if (silent.length > 0) onMissed();
  }

  #opened(): void {
    this.#openedAt = this.#deps.clock.monotonic();
    this.#beat();
    this.#deps.onMissed();
  }

  #closed(): void {
    this.#openedAt = null;
    this.#peers.clear();
    this.#leaveOut();
  }

  #heard(text: string): void {
    const { clock, onItem, onMissed } = this.#deps;
    const envelope = readEnvelope(text);
    if (envelope?.from === this.#name) return;
    if (envelope === null) {
      onMissed();
      return;
    }
    const { from, number, items } = envelope;
    const known = this.#peers.get(from);
    this.#peers.set(from, { number, heardAt: clock.monotonic() });
    if (known?.number !== number - 1) onMissed();
    // So that it need not wait for the next beat to know that it is heard.
    if (known === undefined) this.#beat();
    for (const item of items) onItem(item);
  }
}
