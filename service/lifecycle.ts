/**
 * Everything that runs has a constructor that does nothing, a `start` that may fail, and a `stop` that is bounded
 * and safe to call twice or before `start`.
 */
export interface Service {
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts in order; when one fails, those that run are stopped in reverse and the error goes on. */
export async function startAll(services: readonly Service[]): Promise<void> {
  const running: Service[] = [];
  for (const service of services) {
    try {
      await service.start();
      running.push(service);
    } catch (error) {
      await stopAll(running);
      throw error;
    }
  }
}

/** Stops in reverse order; one that fails does not keep the others from stopping. The first error is thrown at the end. */
export async function stopAll(services: readonly Service[]): Promise<void> {
  const errors: unknown[] = [];
  for (const service of [...services].reverse()) {
    await service.stop().catch((error: unknown) => errors.push(error));
  }
  if (errors.length > 0) throw errors[0];
}

/**
 * Runs until SIGINT, SIGTERM or the loss of the parent that holds our IPC channel, then stops within `deadlineMs`;
 * a second signal exits at once.
 * Resolves after the stop; the exit code is the caller's.
 */
export async function runUntilSignal(service: Service, deadlineMs: number): Promise<void> {
  await service.start();
  await new Promise<void>((resolve) => {
    const first = () => {
      process.once('SIGINT', () => process.exit(130));
      process.once('SIGTERM', () => process.exit(143));
      resolve();
    };
    process.once('SIGINT', first);
    process.once('SIGTERM', first);
    // A parent that was killed cannot send a signal; its end of the channel closes all the same.
    process.once('disconnect', first);
  });
  const deadline = setTimeout(() => process.exit(1), deadlineMs);
  deadline.unref();
  await service.stop();
  clearTimeout(deadline);
}
