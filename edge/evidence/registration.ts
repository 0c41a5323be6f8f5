import type { Clock, Log, Service } from '#service/mod.ts';
import type { CentreApi } from '../centre/mod.ts';
import type { NodeKeys } from './keys.ts';

export interface KeyRegistrationDeps {
  keys: NodeKeys;
  centre: CentreApi;
  edgeId: string;
  clock: Clock;
  log: Log;
}

const RETRY_MS_MIN = 1_000;
const RETRY_MS_MAX = 60_000;
/** A key that was refused is shown again: an administrator may have accepted it. */
const REFUSED_MS = 300_000;

/** Shows the node's public key to the centre until it is pinned there. Nothing waits for it: signatures count from then on, earlier ones too. */
export class KeyRegistration implements Service {
  readonly #deps: KeyRegistrationDeps;
  readonly #stopping = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #waitMs = RETRY_MS_MIN;
  #attempt: Promise<void> = Promise.resolve();
  #pinned = false;

  constructor(deps: KeyRegistrationDeps) {
    this.#deps = deps;
  }

  async start(): Promise<void> {
    this.#attempt = this.#try();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    clearTimeout(this.#timer);
    await this.#attempt;
  }

  /** The centre counts signatures of this key. */
  get pinned(): boolean {
    return this.#pinned;
  }

  async #try(): Promise<void> {
    const { keys, centre, edgeId, log } = this.#deps;
    let againMs = this.#waitMs;
    try {
      const content = Buffer.from(JSON.stringify({ publicKey: keys.publicKey }));
      const { signal } = this.#stopping;
      const path = `/api/v1/edge-keys/${edgeId}`;
      const { status } = await centre.request('PUT', path, { headers: { 'content-type': 'application/json' }, content, signal });
      if (status === 200) {
        this.#pinned = true;
        return;
      }
      if (status !== 409) throw new Error(`the centre answered ${status}`);
      againMs = REFUSED_MS;
      log.error(
        { code: 'GEWU_NODE_KEY_CHANGED', keyId: keys.keyId },
        'the centre knows this edge by another key: what is signed now counts when an administrator accepts this one',
      );
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      this.#waitMs = Math.min(RETRY_MS_MAX, this.#waitMs * 2);
      log.warn({ err: (error as Error).message, againInMs: againMs }, 'the key of this node is not at the centre yet');
    }
    this.#timer = setTimeout(() => {
      this.#attempt = this.#try();
    }, againMs);
  }
}
