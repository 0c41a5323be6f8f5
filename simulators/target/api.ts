import { setTimeout as pause } from 'node:timers/promises';
import { type ConfigMistake, ERRORS, type ErrorCode, GewuError, isGewuError } from '#service/mod.ts';

const REQUEST_MS_MAX = 5_000;
const UPLOAD_MS_MAX = 600_000;
/** A centre that is busy is asked again after a pause, for so long. */
const PATIENCE_MS = 60_000;
const PAUSE_MS = 250;

/** The centre's API as any client sees it. */
export class ApiClient {
  readonly url: string;
  readonly #token: string;

  constructor(url: string, token: string) {
    this.url = url;
    this.#token = token;
  }

  get headers(): Record<string, string> {
    return { authorization: `Bearer ${this.#token}` };
  }

  /** GET of JSON. Throws what the centre answers, GEWU_STORE_UNAVAILABLE where that is none of its refusals. */
  get<T>(path: string): Promise<T> {
    return this.send('GET', path);
  }

  /** The same, again and again while the centre is busy, or does not answer in time. */
  getPatiently<T>(path: string): Promise<T> {
    return this.sendPatiently('GET', path);
  }

  /** For what may be sent twice. */
  async sendPatiently<T>(method: string, path: string, body?: unknown): Promise<T> {
    for (const since = performance.now(); ; ) {
      try {
        return await this.send<T>(method, path, body);
      } catch (error) {
        const again = !isGewuError(error) || error.remedy === 'retry';
        if (!again || performance.now() - since > PATIENCE_MS) throw error;
        await pause(PAUSE_MS);
      }
    }
  }

  /** The same with a body of JSON, where there is one. */
  async send<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await this.fetch(path, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    if (!response.ok) throw refusal(`${method} ${path}: ${response.status}`, await response.text());
    return (await response.json()) as T;
  }

  /** POST of JSON. Throws GEWU_STORE_UNAVAILABLE with status and path. */
  async post<T>(path: string, body: object = {}): Promise<T> {
    const headers = { 'content-type': 'application/json' };
    const response = await this.fetch(path, { method: 'POST', headers, body: JSON.stringify(body) });
    if (!response.ok) throw new GewuError('GEWU_STORE_UNAVAILABLE', `POST ${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  }

  /** PUT of a file, which may take its time. */
  async upload<T>(path: string, bytes: Uint8Array): Promise<T> {
    const signal = AbortSignal.timeout(UPLOAD_MS_MAX);
    const headers = { 'content-type': 'application/octet-stream' };
    const response = await this.fetch(path, { method: 'PUT', body: new Blob([Buffer.from(bytes)]), headers, signal });
    if (!response.ok) throw refusal(`PUT ${path}: ${response.status}`, await response.text());
    return (await response.json()) as T;
  }

  fetch(path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(this.url + path, {
      signal: AbortSignal.timeout(REQUEST_MS_MAX),
      ...init,
      headers: { ...this.headers, ...(init.headers as Record<string, string>) },
    });
  }

  /** True as soon as everything that the centre needs is there. */
  async ready(): Promise<boolean> {
    return this.fetch('/readyz').then(
      (r) => r.ok,
      () => false,
    );
  }
}

/** A refusal of the centre in its own code and words, each mistake on a line of its own. */
function refusal(what: string, text: string): GewuError {
  try {
    const { code, message, mistakes = [] } = (JSON.parse(text) as { error: Refusal }).error;
    const lines = mistakes.map((m) => `\n  ${m.key}: ${m.message}`);
    if (Object.hasOwn(ERRORS, code)) return new GewuError(code, message + lines.join(''));
  } catch {
    // Not one of ours: a proxy, or something else that listens there.
  }
  return new GewuError('GEWU_STORE_UNAVAILABLE', `${what} ${text.slice(0, 500)}`);
}

interface Refusal {
  code: ErrorCode;
  message: string;
  mistakes?: readonly ConfigMistake[];
}
