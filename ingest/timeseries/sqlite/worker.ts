import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import type { ErrorCode } from '#service/mod.ts';
import type { RetentionConfig } from '../config.ts';
import { Maintenance } from './maintenance.ts';
import { Reader } from './reader.ts';
import { type Refusals, Writer } from './writer.ts';

/**
 * The two threads of the embedded store: one writes (and rolls up and prunes), one reads. Calls are served one by one,
 * in order; the answer carries the id of the call.
 */
export interface WorkerData {
  role: 'writer' | 'reader';
  file: string;
  retention: RetentionConfig;
}
export interface Call {
  id: number;
  op: string;
  args: unknown[];
}
export type Answer = { id: number; ok: true; value: unknown } | { id: number; ok: false; code: ErrorCode; message: string };

type Operations = Record<string, (...args: never[]) => unknown>;

const { role, file, retention } = workerData as WorkerData;
const operations: Operations = role === 'writer' ? writerOperations() : readerOperations();

parentPort?.on('message', async (call: Call) => {
  let answer: Answer;
  try {
    const operation = operations[call.op];
    if (!operation) throw coded('GEWU_INTERNAL', `no operation ${call.op}`);
    answer = { id: call.id, ok: true, value: await operation(...(call.args as never[])) };
  } catch (error) {
    const code = (error as Coded).gewu ?? 'GEWU_STORE_UNAVAILABLE';
    answer = { id: call.id, ok: false, code, message: `${file}: ${(error as Error).message}` };
  }
  parentPort?.postMessage(answer);
});

function writerOperations(): Operations {
  let lock: DatabaseSync | null = null;
  let opened: { writer: Writer; maintenance: Maintenance } | null = null;
  /** After an error of the disk nothing is acknowledged before the file was opened again and checked. */
  let suspect = false;

  const open = () => {
    lock ??= takeLock();
    const writer = new Writer(file);
    return { writer, maintenance: new Maintenance(writer, retention) };
  };
  const running = () => {
    if (suspect) {
      opened?.writer.db.close();
      opened = null;
    }
    if (opened) return opened;
    const again = open();
    checkFile(again.writer.db);
    suspect = false;
    opened = again;
    return again;
  };
  const guarded = <T>(body: () => T): T => {
    try {
      return body();
    } catch (error) {
      if (isDiskError(error)) suspect = true;
      throw error;
    }
  };
  return {
    open: () => {
      opened ??= open();
    },
    write: (lines: Uint8Array): Refusals => guarded(() => running().writer.write(lines)),
    maintain: (now: number): boolean => guarded(() => running().maintenance.step(now)),
    close: () => {
      opened?.writer.db.close();
      opened = null;
      lock?.close();
      lock = null;
    },
  };
}

function readerOperations(): Operations {
  let reader: Reader | null = null;
  const opened = () => {
    reader ??= new Reader(file, retention);
    return reader;
  };
  return {
    open: () => void opened(),
    range: (...args: Parameters<Reader['range']>) => opened().range(...args),
    latest: (...args: Parameters<Reader['latest']>) => opened().latest(...args),
    count: (...args: Parameters<Reader['count']>) => opened().count(...args),
    close: () => {
      reader?.close();
      reader = null;
    },
  };
}

/** The thread imports nothing but what it needs, so that it starts at once; the other side makes a GewuError of it. */
type Coded = Error & { gewu?: ErrorCode };
function coded(code: ErrorCode, message: string): Coded {
  return Object.assign(new Error(message), { gewu: code });
}

/** Held as long as this thread lives, and freed by the kernel when the process is killed. */
function takeLock(): DatabaseSync {
  mkdirSync(dirname(file), { recursive: true });
  const lock = new DatabaseSync(`${file}.lock`, { timeout: 0 });
  try {
    lock.exec('PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE');
  } catch (error) {
    lock.close();
    throw coded('GEWU_STORE_LOCKED', `in use by another process (${(error as Error).message})`);
  }
  return lock;
}

function checkFile(db: DatabaseSync): void {
  const row = db.prepare('PRAGMA quick_check(1)').get() as { quick_check: string };
  if (row.quick_check !== 'ok') throw coded('GEWU_STORE_UNAVAILABLE', `damaged: ${row.quick_check}`);
}

const SQLITE_IOERR = 10;
const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;
function isDiskError(error: unknown): boolean {
  const primary = ((error as { errcode?: number }).errcode ?? 0) & 0xff;
  return primary === SQLITE_IOERR || primary === SQLITE_CORRUPT || primary === SQLITE_NOTADB;
}
