import { GewuError } from '#service/mod.ts';
import type { ApiClient } from './api.ts';

export interface Page<T> {
  items: T[];
  cursor: string | null;
}
type Query = Readonly<Record<string, string | number | boolean>>;

export const PAGE = 500;
/** A million records: a city of years. */
const PAGES_MAX = 2_000;

export function pageOf(path: string, query: Query, cursor: string | null): string {
  const params = new URLSearchParams();
  const all = { limit: PAGE, ...query, ...(cursor === null ? {} : { cursor }) };
  for (const [name, value] of Object.entries(all)) params.set(name, String(value));
  return `${path}?${params}`;
}

/** All records of a list of the API, page by page. Throws GEWU_STORE_UNAVAILABLE, and where there are more than anybody can hold against a run. */
export async function allPages<T>(api: ApiClient, path: string, query: Query): Promise<T[]> {
  const all: T[] = [];
  let cursor: string | null = null;
  for (let page = 0; page < PAGES_MAX; page++) {
    const found: Page<T> = await api.getPatiently(pageOf(path, query, cursor));
    all.push(...found.items);
    cursor = found.cursor;
    if (cursor === null) return all;
  }
  throw new GewuError('GEWU_STORE_UNAVAILABLE', `${path} has more than ${all.length} of ${JSON.stringify(query)}`);
}
