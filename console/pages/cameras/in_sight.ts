import { type RefObject, useEffect, useRef } from 'react';

/** Scrolling past is no looking: so long an element stays in sight, or out of it, before that counts. */
const SETTLE_MS = 400;

/** Tells when an element comes into the window and when it leaves it. */
export function useInSight<T extends HTMLElement>(onChange: (inSight: boolean) => void): RefObject<T | null> {
  const element = useRef<T>(null);
  const tell = useRef(onChange);
  tell.current = onChange;
  useEffect(() => {
    const watched = element.current;
    if (watched === null) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const observer = new IntersectionObserver((entries) => {
      clearTimeout(timer);
      const seen = entries.at(-1)?.isIntersecting ?? false;
      timer = setTimeout(() => tell.current(seen), SETTLE_MS);
    });
    observer.observe(watched);
    return () => {
      clearTimeout(timer);
      observer.disconnect();
      tell.current(false);
    };
  }, []);
  return element;
}
