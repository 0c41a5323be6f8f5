import { setTimeout as pause } from 'node:timers/promises';

/**
 * Waits until `fn` returns something truthy and gives it back; an error of `fn` counts as "not yet" and is
 * the cause when the time is over. For states that announce themselves by no event.
 */
export async function until<T>(
  fn: () => T | Promise<T>,
  { timeoutMs = 10_000, everyMs = 20, what = 'the condition' } = {},
): Promise<NonNullable<T>> {
  const deadline = performance.now() + timeoutMs;
  let last: unknown;
  for (;;) {
    try {
      const value = await fn();
      if (value) return value as NonNullable<T>;
    } catch (error) {
      last = error;
    }
    if (performance.now() > deadline) throw new Error(`${what} did not come true within ${timeoutMs} ms`, { cause: last });
    await pause(everyMs);
  }
}
