import { useQuery, useQueryClient } from '@tanstack/react-query';
import type { Role, SessionAnswer } from '#grid/api/mod.ts';
import { ApiError, call, rememberSession } from './client.ts';

const KEY = ['session'];
const CHECK_MS = 60_000;

/** Who is signed in; null: nobody. `undefined` while that is not known. */
export function useSession(): { session: SessionAnswer | null | undefined; error: Error | null } {
  const { data, error } = useQuery({
    queryKey: KEY,
    queryFn: async ({ signal }) => {
      try {
        const session = await call<SessionAnswer>('/api/v1/session', { signal });
        rememberSession(session);
        return session;
      } catch (refused) {
        if (!(refused instanceof ApiError && refused.status === 401)) throw refused;
        rememberSession(null);
        return null;
      }
    },
    refetchInterval: CHECK_MS,
    staleTime: CHECK_MS,
  });
  return { session: data, error };
}

/** Signing in and out; everything that was read for somebody else is forgotten. */
export function useSigning() {
  const client = useQueryClient();
  const become = (session: SessionAnswer | null) => {
    // The session itself stays: the gate watches it.
    client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== KEY[0] });
    rememberSession(session);
    client.setQueryData(KEY, session);
  };
  return {
    signIn: async (name: string, password: string) =>
      become(await call<SessionAnswer>('/api/v1/session', { method: 'POST', body: { name, password } })),
    signInByLink: async (code: string) =>
      become(await call<SessionAnswer>('/api/v1/session/link', { method: 'POST', body: { code } })),
    signOut: async (everywhere: boolean) => {
      await call(`/api/v1/session?everywhere=${everywhere}`, { method: 'DELETE' });
      become(null);
    },
    over: () => become(null),
  };
}

/** Of the session at hand, below the gate that asks for one. */
export function useMe(): SessionAnswer {
  const { session } = useSession();
  return session ?? { name: '', roles: [], department: null, csrf: null, expiresAt: null };
}

/** A higher technical role includes the lower ones. */
export function useMay(): { ops: boolean; administer: boolean; judge: boolean; approve: boolean; knowGrants: boolean } {
  const { roles } = useMe();
  const has = (...any: Role[]) => any.some((role) => roles.includes(role));
  const ops = has('ops', 'administrator');
  return {
    ops,
    administer: has('administrator'),
    judge: ops || has('supervision', 'supervisor'),
    approve: has('administrator', 'supervision'),
    knowGrants: ops || has('supervision', 'command', 'leader'),
  };
}
