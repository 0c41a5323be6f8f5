import type { Credentials } from './digest.ts';
import { CORRUPT_PROBABILITY, DROP_PROBABILITY, garbage, type RtspFault, type RtspFaultKind, spoilPayload } from './fault.ts';
import { type AccessUnit, type ParameterSets, parameterSetsOf } from './unit.ts';

export interface MountConfig {
  /** `/cam-01` */
  path: string;
  /** Null lets everybody in. */
  credentials: Credentials | null;
  /** A hint in the description. */
  fps: number;
  clientsMax: number;
}

/** While one of these holds media goes on to come. */
const SENDING: readonly RtspFaultKind[] = ['corrupt', 'drop', 'garbage'];

/** A connection that has named this mount, as the mount sees it. */
export interface MountClient {
  /** Sends one picture if the client plays; no-op otherwise. */
  deliver(unit: AccessUnit, spoil?: (payload: Buffer) => void): void;
  /** Sends what is no packet, if the client plays over its connection. */
  babble(bytes: Buffer): void;
  /** The next picture is to be a key picture. */
  awaitKey(): void;
  /** Neither reads nor writes until `release`. */
  hold(): void;
  release(): void;
  close(reason: string): void;
}

/** Pictures of one group kept for late joiners; a longer or larger group is not kept. */
const GROUP_UNITS_MAX = 300;
const ROUNDING = 1e-9;
const GROUP_BYTES_MAX = 8 * 1024 * 1024;

/**
 * One camera on the server: takes coded pictures, keeps the group since the last key picture, and hands them on.
 *
 *   encoder --push--> mount --(fault?)--> clients that play
 */
export class RtspMount {
  readonly config: MountConfig;
  readonly #random: () => number;
  readonly #clients = new Set<MountClient>();
  #group: AccessUnit[] = [];
  #groupBytes = 0;
  #parameters: ParameterSets | null = null;
  readonly #waiting = new Set<() => void>();
  #fault: RtspFault | null = null;
  /** Of the next picture, while some are left out. */
  #sentShare = 0;

  constructor(config: MountConfig, random: () => number) {
    this.config = config;
    this.#random = random;
  }

  /** Those that let a client in now; null lets everybody in. */
  get credentials(): Credentials | null {
    const { credentials } = this.config;
    if (credentials === null || this.#fault?.kind !== 'password') return credentials;
    return { ...credentials, password: `${credentials.password} until yesterday` };
  }

  get fault(): RtspFault | null {
    return this.#fault;
  }

  /** Connections that have named this mount. */
  get clientCount(): number {
    return this.#clients.size;
  }

  get parameters(): ParameterSets | null {
    return this.#parameters;
  }

  /** Resolves with SPS and PPS as soon as a key picture has come, with null after `timeoutMs`. */
  async awaitParameters(timeoutMs: number): Promise<ParameterSets | null> {
    if (this.#parameters === null) {
      await new Promise<void>((resolve) => {
        const done = () => {
          clearTimeout(timer);
          this.#waiting.delete(done);
          resolve();
        };
        const timer = setTimeout(done, timeoutMs);
        this.#waiting.add(done);
      });
    }
    return this.#parameters;
  }

  push(unit: AccessUnit): void {
    this.#keep(unit);
    if (!this.#isSending() || this.#isDropped()) return;
    const spoil = this.#spoiler();
    for (const client of this.#clients) {
      if (this.#fault?.kind === 'garbage') client.babble(garbage(this.#random));
      client.deliver(unit, spoil);
    }
  }

  /** The picture that a client which begins now gets first; none before there is one or while nothing may be sent. */
  get lastKey(): AccessUnit | undefined {
    return this.#isSending() ? this.#group[0] : undefined;
  }

  /** Everything since the last key picture, for a client that begins now. */
  replay(client: MountClient): void {
    if (!this.#isSending()) return;
    const spoil = this.#spoiler();
    for (const unit of this.#group) client.deliver(unit, spoil);
  }

  /** False when the mount has its number of clients. */
  attach(client: MountClient): boolean {
    if (this.#clients.size >= this.config.clientsMax && !this.#closeOldestHeld()) return false;
    this.#clients.add(client);
    return true;
  }

  detach(client: MountClient): void {
    this.#clients.delete(client);
  }

  setFault(fault: RtspFault | null): void {
    const before = this.#fault;
    this.#fault = fault;
    this.#sentShare = 0;
    // A gap in the stream: what follows it is of no use to a decoder before the next key picture.
    for (const client of this.#clients) client.awaitKey();
    if (before?.kind === 'halfOpen' && fault?.kind !== 'halfOpen') for (const client of [...this.#clients]) client.release();
    if (fault?.kind === 'halfOpen') for (const client of this.#clients) client.hold();
    if (fault?.kind === 'cut' || fault?.kind === 'password') this.closeAll(fault.kind);
  }

  closeAll(reason: string): void {
    for (const client of [...this.#clients]) client.close(reason);
  }

  #isSending(): boolean {
    return this.#fault === null || SENDING.includes(this.#fault.kind);
  }

  #isDropped(): boolean {
    if (this.#fault?.kind !== 'drop') return false;
    this.#sentShare += 1 - (this.#fault.probability ?? DROP_PROBABILITY);
    if (this.#sentShare < 1 - ROUNDING) return true;
    this.#sentShare--;
    return false;
  }

  #keep(unit: AccessUnit): void {
    if (unit.key) {
      this.#group = [];
      this.#groupBytes = 0;
      this.#parameters = parameterSetsOf(unit) ?? this.#parameters;
      if (this.#parameters !== null) for (const wake of [...this.#waiting]) wake();
    } else if (this.#group.length === 0) return;
    this.#group.push(unit);
    this.#groupBytes += unit.nals.reduce((sum, nal) => sum + nal.length, 0);
    if (this.#group.length > GROUP_UNITS_MAX || this.#groupBytes > GROUP_BYTES_MAX) this.#group = [];
  }

  #spoiler(): ((payload: Buffer) => void) | undefined {
    if (this.#fault?.kind !== 'corrupt') return undefined;
    const probability = this.#fault.probability ?? CORRUPT_PROBABILITY;
    return (payload) => spoilPayload(payload, probability, this.#random);
  }

  /** A held connection never learns that its peer has gone: the oldest makes room, else retries would pile up. */
  #closeOldestHeld(): boolean {
    const oldest = this.#fault?.kind === 'halfOpen' ? this.#clients.values().next().value : undefined;
    oldest?.close('room for another');
    return oldest !== undefined;
  }
}
