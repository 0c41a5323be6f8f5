import type { QueryClient } from '@tanstack/react-query';
import { linkDown, linkUp } from './link.ts';
import { renew } from './pages.ts';

/**
 * The live stream: one connection a tab. A message names what changed; what shows it is asked for anew, at once for the first
 * message and then every so often, so that two hundred events a second are a few requests and not two hundred.
 *
 *   EventSource --> topic --(gather, by key)--> renew [key, ...] --> TanStack Query reads what is on screen
 */

type Topic = 'case' | 'event' | 'health';
const TOPICS: readonly Topic[] = ['case', 'event', 'health'];
/** A hidden tab gives its connection back: a browser has six for each host. */
const HIDDEN_MS = 30_000;

/** What the centre works out for all who ask is up to so old: it may be older than the news for which it was asked. */
const WORKED_OUT_MS = 1_000;

/**
 * First parts of query keys, what touches them, and how often they are asked for at most: lists of news soon, sums of the city less often; and
 * once more so long after the last news.
 */
const TOUCHED: readonly { key: string; by: readonly Topic[]; everyMs: number; againMs?: number }[] = [
  { key: 'latest', by: ['event'], everyMs: 100 },
  { key: 'events', by: ['event'], everyMs: 200 },
  { key: 'cases', by: ['case'], everyMs: 300 },
  { key: 'situation', by: TOPICS, everyMs: 500, againMs: WORKED_OUT_MS },
  { key: 'devices', by: ['health'], everyMs: 500 },
  { key: 'pipeline', by: ['health'], everyMs: 1_000 },
  { key: 'upkeep', by: ['health'], everyMs: 1_000 },
  { key: 'notify', by: ['case', 'health'], everyMs: 1_000 },
];

/** The centre says `anew` where another replica's changes may have been missed: everything that is on screen, this often at most. */
const ANEW_EVERY_MS = 1_000;
/** While somebody moves what takes all of the processor to draw, news is asked for this often. */
const WAITING_MS = 5_000;

/** What goes on when news needs to wait no longer; null: it does not wait. */
let waiting: Set<() => void> | null = null;
/** While it waits, each question waits for five seconds at most. */
export function letNewsWait(waits: boolean): void {
  if (waits) {
    waiting ??= new Set();
    return;
  }
  const ready = waiting ?? [];
  waiting = null;
  for (const go of ready) go();
}

/** A stream that ends, or that is refused, is opened again: soon first, then ever later, and not by all browsers at once. */
const AGAIN_MS_MIN = 1_000;
const AGAIN_MS_MAX = 10_000;

/** Follows the stream until the returned function is called. */
export function follow(client: QueryClient): () => void {
  let source: EventSource | null = null;
  let hidden: ReturnType<typeof setTimeout> | undefined;
  let again: ReturnType<typeof setTimeout> | undefined;
  let tries = 0;
  let isUp = false;
  const gathers = TOUCHED.map(({ key, by, ...paces }) => ({ by, ...gather(() => renew(client, key), paces) }));
  const anew = gather(() => renew(client), { everyMs: ANEW_EVERY_MS });

  const open = () => {
    clearTimeout(again);
    if (source !== null) return;
    const stream = new EventSource('/api/v1/stream');
    stream.onopen = () => {
      tries = 0;
      isUp = true;
      linkUp();
      // Whatever was missed in between.
      void renew(client);
    };
    stream.addEventListener('anew', anew.push);
    stream.onerror = () => {
      linkDown(isUp);
      close();
      again = setTimeout(open, Math.min(AGAIN_MS_MAX, AGAIN_MS_MIN * 2 ** tries++) * (0.5 + Math.random()));
      // A centre that has no room for another stream answers all the same, and one at which this session counts no more says so.
      void renew(client);
    };
    for (const topic of TOPICS)
      stream.addEventListener(topic, () => {
        for (const g of gathers) if (g.by.includes(topic)) g.push();
      });
    source = stream;
  };
  const close = () => {
    clearTimeout(again);
    source?.close();
    source = null;
    isUp = false;
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
    for (const g of [...gathers, anew]) g.stop();
    close();
    linkUp();
  };
}

/**
 * Calls `act` for the first push at once, and once for all that come within the next `everyMs`, before it has ended or while news waits: a
 * centre that answers more slowly than that is asked less often, and no answer is thrown away for the next question. With `againMs` once more so
 * long after the last push.
 */
function gather(
  act: () => Promise<unknown>,
  { everyMs, againMs }: { everyMs: number; againMs?: number },
): { push(): void; stop(): void } {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let last: ReturnType<typeof setTimeout> | undefined;
  let busy = false;
  let more = false;
  let over = false;
  const rest = (ms: number, orUntil?: Set<() => void>) =>
    new Promise<void>((resolve) => {
      timer = setTimeout(resolve, ms);
      orUntil?.add(resolve);
    });
  const run = async () => {
    busy = true;
    await Promise.all([rest(everyMs), act()]);
    if (waiting !== null) await rest(WAITING_MS, waiting);
    busy = false;
    if (!more || over) return;
    more = false;
    void run();
  };
  const push = () => {
    if (busy) more = true;
    else void run();
  };
  return {
    push: () => {
      push();
      clearTimeout(last);
      if (againMs !== undefined) last = setTimeout(push, againMs);
    },
    stop: () => {
      over = true;
      clearTimeout(timer);
      clearTimeout(last);
    },
  };
}
