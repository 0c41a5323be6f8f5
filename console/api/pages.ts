import { hashKey, type InfiniteData, type QueryClient, useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useMemo, useRef } from 'react';
import type { Page } from '#grid/api/mod.ts';
import { call, withQuery } from './client.ts';

const PAGE_ITEMS = 100;
const PAGES_MAX = 200;
/** Pages that are read again at a time: what is in view lies on two at most, unless they have just moved. */
const RENEWED_MAX = 3;

type Pages<T> = InfiniteData<Page<T>, string | null>;

/** Lists on screen, by the hash of their query: each reads what is in view of it again. */
const lists = new Map<string, () => Promise<void>>();

/** Reads again what is on screen and what else is known below `key`: all of a thing, of a list only the part in view. Resolves when that is done or has failed. */
export async function renew(client: QueryClient, key?: string): Promise<void> {
  const filter = key === undefined ? {} : { queryKey: [key] };
  const things = client.invalidateQueries({ ...filter, predicate: ({ queryHash }) => !lists.has(queryHash) });
  const known = client.getQueryCache().findAll(filter);
  await Promise.all([things, ...known.map(({ queryHash }) => lists.get(queryHash)?.())]);
}

/**
 * A list, page by page as the reader comes near its end; never all of it. `onView` is told which items are in view: of those
 * the list is kept true, the rest is read when the reader goes there. With `everyMs` also where no topic of the stream tells of it.
 */
export function usePages<T>(
  topic: string,
  path: string,
  query: Record<string, string | number | boolean | undefined>,
  enabled = true,
  everyMs?: number,
) {
  const client = useQueryClient();
  const view = useRef({ first: 0, last: Number.POSITIVE_INFINITY });
  const queryKey = [topic, path, query];
  const read = (cursor: string | null, signal?: AbortSignal) =>
    call<Page<T>>(withQuery(path, { limit: PAGE_ITEMS, ...query, cursor }), signal ? { signal } : {});
  const result = useInfiniteQuery({
    queryKey,
    queryFn: ({ pageParam, signal }) => read(pageParam, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.cursor,
    maxPages: PAGES_MAX,
    enabled,
    // These would read every page that was ever shown.
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
    refetchOnMount: false,
  });
  const hash = hashKey(queryKey);
  const renewing = useRef(false);
  /** Something has changed since the reading that is under way began. */
  const stale = useRef(false);
  const renewView = async (isNews = true) => {
    const known = client.getQueryData<Pages<T>>(queryKey);
    if (!enabled) return;
    if (renewing.current || (known === undefined && result.isFetching)) {
      stale.current ||= isNews;
      return;
    }
    if (known === undefined) {
      await result.refetch();
      return;
    }
    renewing.current = true;
    try {
      const pages = inView(known, view.current);
      const fresh = await Promise.all(pages.map(async (n) => [n, await read(known.pageParams[n] ?? null)] as const));
      client.setQueryData<Pages<T>>(queryKey, (now) => now && withFresh(now, known, fresh));
    } catch {
      // The list says so when it is asked for more; the stream says whether the centre can be reached.
    } finally {
      renewing.current = false;
      renewAgain();
    }
  };
  const renewAgain = () => {
    if (!stale.current) return;
    stale.current = false;
    void act.current();
  };
  const act = useRef(renewView);
  act.current = renewView;
  useEffect(() => {
    lists.set(hash, () => act.current());
    // What was shown before may be old.
    void act.current(false);
    return () => void lists.delete(hash);
  }, [hash]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: when the first reading has ended
  useEffect(renewAgain, [result.isFetching]);
  useEffect(() => {
    if (everyMs === undefined) return;
    const timer = setInterval(() => void act.current(), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  const items = useMemo(() => result.data?.pages.flatMap((p) => p.items) ?? [], [result.data]);
  return {
    ...result,
    items,
    onView: (first: number, last: number) => {
      view.current = { first, last };
    },
  };
}

/** Numbers of the pages on which items of these places lie. */
function inView<T>({ pages }: Pages<T>, { first, last }: { first: number; last: number }): number[] {
  const numbers: number[] = [];
  let at = 0;
  for (const [n, { items }] of pages.entries()) {
    if (at <= last && at + items.length > first) numbers.push(n);
    at += items.length;
  }
  return (numbers.length === 0 ? [0] : numbers).slice(0, RENEWED_MAX);
}

/** A page that ends elsewhere than it did takes those after it with it: they are read when the reader comes there. */
function withFresh<T>(now: Pages<T>, asked: Pages<T>, fresh: readonly (readonly [number, Page<T>])[]): Pages<T> {
  let [pages, pageParams] = [[...now.pages], [...now.pageParams]];
  for (const [n, page] of fresh) {
    if (n >= pages.length || pageParams[n] !== asked.pageParams[n]) continue;
    pages[n] = page;
    if (n + 1 < pages.length && pageParams[n + 1] !== page.cursor) {
      pages = pages.slice(0, n + 1);
      pageParams = pageParams.slice(0, n + 1);
    }
  }
  return { pages, pageParams };
}
