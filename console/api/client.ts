import type { ErrorAnswer, SessionAnswer } from '#grid/api/mod.ts';
import { heard } from './link.ts';

export type Mistake = NonNullable<ErrorAnswer['error']['mistakes']>[number];

/** A refusal of the API, by its code; one of a body with each mistake by its key. */
export class ApiError extends Error {
  readonly code: string;
  readonly status: number;
  readonly hint: string;
  readonly mistakes: readonly Mistake[];

  constructor(status: number, { code, message, hint, mistakes = [] }: ErrorAnswer['error']) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
    this.code = code;
    this.hint = hint;
    this.mistakes = mistakes;
  }
}

const REQUEST_MS_MAX = 20_000;
let csrf: string | null = null;

/** What every changing request repeats. */
export function rememberSession(session: SessionAnswer | null): void {
  csrf = session?.csrf ?? null;
}

export interface Request {
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  body?: unknown;
  signal?: AbortSignal;
}

/** One call of the API. Throws ApiError for a refusal, TypeError when the centre cannot be reached. */
export async function call<T>(path: string, { method = 'GET', body, signal }: Request = {}): Promise<T> {
  const limit = AbortSignal.timeout(REQUEST_MS_MAX);
  const headers: Record<string, string> = { accept: 'application/json' };
  if (method !== 'GET' && csrf !== null) headers['x-gewu-csrf'] = csrf;
  if (body !== undefined) headers['content-type'] = body instanceof Blob ? body.type : 'application/json';
  const response = await fetch(path, {
    method,
    headers,
    credentials: 'same-origin',
    signal: signal ? AbortSignal.any([signal, limit]) : limit,
    ...(body === undefined ? {} : { body: body instanceof Blob ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  if (response.ok) {
    heard();
    return (text === '' ? null : JSON.parse(text)) as T;
  }
  throw new ApiError(response.status, refusalIn(text, response.status));
}

function refusalIn(text: string, status: number): ErrorAnswer['error'] {
  try {
    const { error } = JSON.parse(text) as ErrorAnswer;
    if (typeof error.code === 'string') return error;
  } catch {
    // A proxy in between answers in its own way.
  }
  return { code: 'GEWU_STORE_UNAVAILABLE', message: `HTTP ${status}`, hint: '' };
}

/** `/path?a=1&b=2` of what is set. */
export function withQuery(path: string, query: Readonly<Record<string, string | number | boolean | null | undefined>>): string {
  const set = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== '');
  const text = new URLSearchParams(set.map(([key, value]) => [key, String(value)])).toString();
  return text === '' ? path : `${path}?${text}`;
}
