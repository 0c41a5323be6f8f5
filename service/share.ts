import { writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';

/**
 * How much of a busy machine a process gets, by its nice value (-20 to 19). Linux shares a machine between sessions first and
 * only then by nice (`sched_autogroup`), so it is said for the session as well: of a process
 * that leads one (`detached`) for that alone, else for all that share it, such as the shell of a command. Best effort:
 * who may not, or has no such thing, goes on as it is.
 */
export function setShare(pid: number, nice: number): void {
  for (const set of [() => setPriority(pid, nice), () => writeFileSync(`/proc/${pid}/autogroup`, String(nice))]) {
    try {
      set();
    } catch {}
  }
}
