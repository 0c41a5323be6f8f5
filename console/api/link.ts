import { useSyncExternalStore } from 'react';

/** How this page stands with the centre. */
export interface Link {
  /** UTC ms since which no news comes in; null: it does. */
  lostAt: number | null;
  /** UTC ms at which the centre was heard last: while no news comes in, what is shown is as old as that. */
  heardAt: number;
}

let link: Link = { lostAt: null, heardAt: Date.now() };
const listeners = new Set<() => void>();

function become(next: Partial<Link>): void {
  link = { ...link, ...next };
  for (const listener of listeners) listener();
}

/** Something of the centre's was read. */
export function heard(): void {
  // Nobody asks for it while news comes in.
  if (link.lostAt === null) link.heardAt = Date.now();
  else become({ heardAt: Date.now() });
}

export function linkUp(): void {
  if (link.lostAt !== null) become({ lostAt: null, heardAt: Date.now() });
}

/** `wasUp`: until now news did come in. */
export function linkDown(wasUp: boolean): void {
  const now = Date.now();
  if (link.lostAt === null) become({ lostAt: now, heardAt: wasUp ? now : link.heardAt });
}

export function useLink(): Link {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => link,
  );
}
