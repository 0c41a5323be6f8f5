import { QueryClient, useQuery } from '@tanstack/react-query';
import type { CatalogueAnswer } from '#grid/api/mod.ts';
import { ApiError, call } from './client.ts';

const RETRIES_MAX = 3;
const FRESH_MS = 2_000;

/** A refusal that asking again cannot mend is told at once. */
export function createQueries(onOver: () => void): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: FRESH_MS,
        // What a browser calls offline is the internet: the centre may be next door.
        networkMode: 'always',
        retry: (failures, error) => {
          if (error instanceof ApiError && error.status === 401) onOver();
          const mendable = !(error instanceof ApiError) || error.status >= 500 || error.status === 429;
          return mendable && failures < RETRIES_MAX;
        },
        refetchOnWindowFocus: true,
      },
    },
  });
}

/** One thing, read again when the stream names its topic (the first part of the key) and every `everyMs`, which may depend on what was read. */
export function useThing<T>(
  key: readonly [topic: string, ...rest: (string | number | null)[]],
  path: string | null,
  everyMs?: number | ((data: T | undefined) => number),
) {
  return useQuery<T>({
    queryKey: key,
    queryFn: ({ signal }) => call<T>(path ?? '', { signal }),
    enabled: path !== null,
    ...(everyMs === undefined
      ? {}
      : { refetchInterval: typeof everyMs === 'number' ? everyMs : ({ state }) => everyMs(state.data) }),
  });
}

const CATALOGUE_MS = 3_600_000;

/** Classes, faults and device kinds with the names that people read; the same until the centre is updated. */
export function useCatalogue(): CatalogueAnswer | undefined {
  return useQuery({
    queryKey: ['catalogue'],
    queryFn: ({ signal }) => call<CatalogueAnswer>('/api/v1/catalogue', { signal }),
    staleTime: CATALOGUE_MS,
  }).data;
}
