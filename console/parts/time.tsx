import i18next, { type TFunction } from 'i18next';
import { useSyncExternalStore } from 'react';
import { useTranslation } from 'react-i18next';

const SECOND_MS = 1000;
const MINUTE_S = 60;
const HOUR_S = 3600;
const DAY_S = 86_400;

/** One clock for all ages on the page. */
const listeners = new Set<() => void>();
let now = Date.now();
let timer: ReturnType<typeof setInterval> | undefined;

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(() => {
    now = Date.now();
    for (const l of listeners) l();
  }, SECOND_MS);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

/** UTC ms, a second fine. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, () => now);
}

/** A length of time in its largest unit: `3 min`. */
export function lengthText(t: TFunction, ms: number): string {
  const s = Math.max(0, Math.round(ms / SECOND_MS));
  if (s < MINUTE_S) return t('time.seconds', { n: s });
  if (s < HOUR_S) return t('time.minutes', { n: Math.floor(s / MINUTE_S) });
  if (s < 2 * DAY_S) return t('time.hours', { n: Math.floor(s / HOUR_S) });
  return t('time.days', { n: Math.floor(s / DAY_S) });
}

/** A moment in the reader's own time zone, to the second. */
export function momentText(at: number): string {
  return new Date(at).toLocaleString(i18next.language, {
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hour12: false,
  });
}

/** How long ago; the moment itself on pointing. */
export function Ago({ at }: { at: number | null }) {
  const { t } = useTranslation();
  const current = useNow();
  if (at === null) return <span className="dim">{t('time.never')}</span>;
  const age = current - at;
  return (
    // Put there when somebody points: a list has a hundred of these.
    <time
      dateTime={new Date(at).toISOString()}
      onPointerEnter={(e) => {
        e.currentTarget.title = momentText(at);
      }}
    >
      {age < 2 * SECOND_MS ? t('time.now') : t('time.ago', { age: lengthText(t, age) })}
    </time>
  );
}

export function Moment({ at }: { at: number | null }) {
  const { t } = useTranslation();
  if (at === null) return <span className="dim">{t('time.never')}</span>;
  return <time dateTime={new Date(at).toISOString()}>{momentText(at)}</time>;
}

const OLD_MS = 30_000;

/** The age of what a tile shows; it says so loudly when that is old. */
export function DataAge({ at }: { at: number }) {
  const { t } = useTranslation();
  const age = Math.max(0, useNow() - at);
  if (at === 0) return null;
  return <span className={age > OLD_MS ? 'age old' : 'age'}>{t('time.updated', { age: lengthText(t, age) })}</span>;
}
