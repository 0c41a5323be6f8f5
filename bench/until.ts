import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { GewuError } from '#service/mod.ts';

/** Asks again and again until the answer is neither null nor false. Throws GEWU_INTERNAL when it takes too long. */
export async function until<T>(
  what: string,
  ask: () => Promise<T | null | false>,
  { msMax = 30_000, everyMs = 20 } = {},
): Promise<T> {
  const deadline = performance.now() + msMax;
  for (;;) {
    const answer = await ask();
    if (answer !== null && answer !== false) return answer;
    if (performance.now() > deadline) throw new GewuError('GEWU_INTERNAL', `${what}: not within ${msMax} ms`);
    await pause(everyMs);
  }
}

export function untilListening(port: number): Promise<true> {
  const listens = () =>
    new Promise<true | null>((resolve) => {
      const socket = connect(port, '127.0.0.1');
      socket.once('error', () => resolve(null));
      socket.once('connect', () => {
        socket.destroy();
        resolve(true);
      });
    });
  return until(`port ${port}`, listens);
}
