import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { ReleaseOrder, type ReleaseOriginalCommand } from '#grid/wire/mod.ts';
import type { Log, Service } from '#service/mod.ts';
import type { Trail, TrailAct } from '../audit/mod.ts';
import type { CentreApi } from '../centre/mod.ts';
import type { OriginalStore } from './originals.ts';

export interface ReleaseDeskDeps {
  originals: OriginalStore;
  centre: CentreApi;
  trail: Pick<Trail, 'record'>;
  log: Log;
}

const WAITING_MAX = 32;
/** Lines of the trail about commands that nothing came of, by grant: a flood of them must not push out the others. */
const REFUSED_MAX = 200;
const RELEASED_MAX = 1000;
const checkOrder = Compile(Type.Object({ order: ReleaseOrder }, { additionalProperties: false }));

/**
 * Opens originals, on the centre's word only:
 *
 *   command (a nudge: anybody who can write to the broker could send it, again and again)
 *     --> the centre's API: does this grant hold, for whom, why, for which files?
 *     --> trail: written down, or nothing happens --> decrypt --> API: only the holder gets it, until the grant's end
 */
export class ReleaseDesk implements Service {
  readonly #deps: ReleaseDeskDeps;
  readonly #waiting = new Set<string>();
  readonly #stopping = new AbortController();
  readonly #refused = new Set<string>();
  readonly #released = new Set<string>();
  #work: Promise<void> = Promise.resolve();

  constructor(deps: ReleaseDeskDeps) {
    this.#deps = deps;
  }

  async start(): Promise<void> {}

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#work;
  }

  /** A grant that is in work already is not begun again; the centre repeats itself until it has an answer. */
  handle({ grant }: Pick<ReleaseOriginalCommand, 'grant'>): void {
    if (this.#waiting.has(grant) || this.#waiting.size >= WAITING_MAX || this.#stopping.signal.aborted) return;
    this.#waiting.add(grant);
    this.#work = this.#work
      .then(() => this.#serve(grant))
      .catch((error: unknown) => this.#deps.log.warn({ grant, err: (error as Error).message }, 'an original was not released'))
      .finally(() => this.#waiting.delete(grant));
  }

  async #serve(grant: string): Promise<void> {
    if (this.#stopping.signal.aborted) return;
    const order = await this.#order(grant);
    if (order === null) return;
    let [sent, missing] = [0, 0];
    for (const sha256 of order.originals) {
      if (await this.#release(order, sha256)) sent++;
      else missing++;
    }
    const answer = await this.#ask('POST', `/api/v1/grants/${grant}/answer`, { sent, missing });
    if (answer.status !== 204) throw new Error(`the centre did not take the answer: ${answer.status}`);
  }

  /** What the centre says about the grant; null when it holds no more, or never did. */
  async #order(grant: string): Promise<ReleaseOrder | null> {
    const { status, body } = await this.#ask('GET', `/api/v1/grants/${grant}/order`);
    if (status === 200) {
      const value: unknown = JSON.parse(body.toString('utf8'));
      if (checkOrder.Check(value)) return value.order;
      throw new Error('the centre gave an order that is none');
    }
    if (status < 400 || status >= 500) throw new Error(`the centre answered ${status}`);
    if (this.#refused.has(grant) || this.#refused.size >= REFUSED_MAX) return null;
    this.#refused.add(grant);
    const nobody = { actor: '', roles: [], purpose: '' };
    const reason = `the centre does not know it as a grant that holds (${status})`;
    await this.#deps.trail.record({ ...nobody, action: 'original-refused', subject: `grant:${grant}`, grant, reason });
    return null;
  }

  /** False: it is not here. */
  async #release({ grant, holder, roles, purpose }: ReleaseOrder, sha256: string): Promise<boolean> {
    const { originals, log } = this.#deps;
    const act = { actor: holder, roles, purpose, grant, subject: `evidence:${sha256}` };
    const signed = originals.get(sha256);
    const content = await originals.read(sha256).catch((error: Error) => {
      log.error({ sha256, err: error.message }, 'an original cannot be opened');
      return null;
    });
    if (signed === null || content === null) {
      await this.#note({ ...act, action: 'original-missing' });
      return false;
    }
    await this.#note({ ...act, action: 'original-released' });
    const { status } = await this.#deps.centre.request('PUT', `/api/v1/grants/${grant}/files/${sha256}`, {
      headers: {
        'content-type': signed.manifest.mediaType,
        'x-gewu-signed': Buffer.from(JSON.stringify(signed)).toString('base64'),
      },
      content,
      signal: this.#stopping.signal,
    });
    if (status !== 200 && status !== 201) throw new Error(`the centre did not take ${sha256}: ${status}`);
    return true;
  }

  /** Once for each file of a grant, however often it is sent. */
  async #note(act: TrailAct): Promise<void> {
    const key = `${act.grant} ${act.subject} ${act.action}`;
    if (this.#released.has(key)) return;
    await this.#deps.trail.record(act);
    this.#released.add(key);
    if (this.#released.size > RELEASED_MAX) this.#released.delete(this.#released.keys().next().value as string);
  }

  #ask(method: string, path: string, body?: object) {
    const content = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    const headers: Record<string, string> = body === undefined ? {} : { 'content-type': 'application/json' };
    return this.#deps.centre.request(method, path, { headers, content, signal: this.#stopping.signal });
  }
}
