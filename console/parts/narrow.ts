import { useSyncExternalStore } from 'react';

/** As in styles.css. */
const NARROW = matchMedia('(max-width: 760px)');

function subscribe(tell: () => void): () => void {
  NARROW.addEventListener('change', tell);
  return () => NARROW.removeEventListener('change', tell);
}

/** Whether there is as little room as on a phone. */
export const useNarrow = () => useSyncExternalStore(subscribe, () => NARROW.matches);
