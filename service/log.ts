import { type Logger, pino } from 'pino';

export type Log = Logger;

/** JSON lines on stderr: stdout belongs to results. Level from `GEWU_LOG` (default `info`). */
export function createLog(name: string): Log {
  return pino({ name, level: process.env.GEWU_LOG ?? 'info', base: { name } }, pino.destination({ dest: 2, sync: true }));
}

/** Says nothing; for tests. */
export const silentLog: Log = pino({ level: 'silent' });
