import { GewuError } from '#service/mod.ts';

const REQUEST_MS_MAX = 5_000;

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

  /** GET of JSON. Throws GEWU_STORE_UNAVAILABLE with status and path. */
  async get<T>(path: string): Promise<T> {
    const response = await this.fetch(path);
    if (!response.ok) throw new GewuError('GEWU_STORE_UNAVAILABLE', `GET ${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  }

  fetch(path: string): Promise<Response> {
    return fetch(this.url + path, {
      headers: this.headers,
      signal: AbortSignal.timeout(REQUEST_MS_MAX),
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
