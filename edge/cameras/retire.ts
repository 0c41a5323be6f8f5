import { readdir } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import type { EventRecord } from '#grid/mod.ts';
import type { Clock, Log } from '#service/mod.ts';
import type { EventSink } from '../events.ts';
import { CameraMemory, clearedRecord } from '../vision/mod.ts';

export interface RetireDeps {
  /** Of the cameras' memories. */
  dir: string;
  events: EventSink;
  clock: Clock;
  log: Log;
  /** Gives up what the outbox does not take; the memory stays, and the next start tries again. */
  signal: AbortSignal;
}

const RETRY_MS = 2000;
const MEMORY = /^([A-Za-z0-9_-]{1,64})\.json$/;

/** Cameras that have left a memory and are not among `ids`: taken out of the configuration while the node was down. */
export async function forgottenCameras(dir: string, ids: readonly string[]): Promise<string[]> {
  const found = (await readdir(dir)).flatMap((file) => MEMORY.exec(file)?.[1] ?? []);
  return found.filter((id) => !ids.includes(id));
}

/** Clears what a camera that is no more has raised. Its memory goes when all of it is in the outbox. */
export async function retireCamera(camera: string, deps: RetireDeps): Promise<void> {
  const memory = new CameraMemory({ dir: deps.dir, camera, log: deps.log });
  for (const record of await memory.uncleared()) if (!(await emitted(clearedRecord(record, deps.clock.now()), deps))) return;
  await memory.remove();
}

async function emitted(record: EventRecord, { events, log, signal }: RetireDeps): Promise<boolean> {
  while (!signal.aborted) {
    try {
      await events.emit(record);
      return true;
    } catch (error) {
      log.error({ event: record.id, err: error }, 'event not taken, tried again');
      await pause(RETRY_MS, undefined, { signal }).catch(() => {});
    }
  }
  return false;
}
