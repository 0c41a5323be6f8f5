import type { QueryClient } from '@tanstack/react-query';
import { useSyncExternalStore } from 'react';

/**
 * The live stream: one connection a tab. A message names what changed; what shows it is asked for anew, at once for the first
 * message and then at most every GATHER_MS, so that two hundred events a second are two requests and not two hundred.
 *
 *   EventSource --> topic --(gather)--> invalidate [topic, ...] --> TanStack Query reads what is on screen
 */

type Topic = 'case' | 'event' | 'health';
const TOPICS: readonly Topic[] = ['case', 'event', 'health'];
const GATHER_MS = 400;
/** A hidden tab gives its connection back: a browser has six for each host. */
const HIDDEN_MS = 30_000;

/** First parts of the query keys that a topic touches. */
const TOUCHED: Record<Topic, readonly string[]> = {
  case: ['cases', 'situation'],
  event: ['events', 'situation'],
  health: ['devices', 'situation', 'pipeline'],
};

let connected = true;
const listeners = new Set<() => void>();

function say(next: boolean): void {
  if (next === connected) return;
  connected = next;
  for (const listener of listeners) listener();
}

/** Whether news comes in. */
export function useConnected(): boolean {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => connected,
  );
}

/** Follows the stream until the returned function is called. */
export function follow(client: QueryClient): () => void {
  let source: EventSource | null = null;
  let hidden: ReturnType<typeof setTimeout> | undefined;
  const gathers = TOPICS.map((topic) => gather(() => touch(client, topic)));

  const open = () => {
    if (source !== null) return;
    const stream = new EventSource('/api/v1/stream');
    stream.onopen = () => {
      say(true);
      // Whatever was missed in between.
      void client.invalidateQueries();
    };
    stream.onerror = () => say(false);
    for (const [i, topic] of TOPICS.entries()) stream.addEventListener(topic, () => gathers[i]?.push());
    source = stream;
  };
  const close = () => {
    source?.close();
    source = null;
  };
  const onVisibility = () => {
    clearTimeout(hidden);
    if (document.hidden) hidden = setTimeout(close, HIDDEN_MS);
    else open();
  };
  document.addEventListener('visibilitychange', onVisibility);
  open();
  return () => {
    document.removeEventListener('visibilitychange', onVisibility);
    clearTimeout(hidden);
    for (const g of gathers) g.stop();
    close();
    say(true);
  };
}

function touch(client: QueryClient, topic: Topic): void {
  for (const key of TOUCHED[topic]) void client.invalidateQueries({ queryKey: [key] });
}

/** Calls `act` for the first push at once, and once for all that come within the next GATHER_MS. */
function gather(act: () => void): { push(): void; stop(): void } {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let more = false;
  const ended = () => {
    timer = undefined;
    if (!more) return;
    more = false;
    run();
  };
  const run = () => {
    timer = setTimeout(ended, GATHER_MS);
    act();
  };
  return {
    push: () => {
      if (timer === undefined) run();
      else more = true;
    },
    stop: () => clearTimeout(timer),
  };
}
