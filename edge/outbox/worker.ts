import { parentPort, workerData } from 'node:worker_threads';
import type { Chunk, CommitRequest, Reply, Request, WorkerOptions } from './protocol.ts';
import { OutboxFull, OutboxStore } from './store.ts';

/** The thread that owns the outbox's file: a flash whose sync takes 50 ms stalls nobody else. */
const options = workerData as WorkerOptions;
const port = parentPort as NonNullable<typeof parentPort>;
const AGE_CHECK_MS = 60_000;

let store: OutboxStore | null = new OutboxStore(options);
let agedAt = 0;

/** After an error of the disk nothing is acknowledged until the file was reopened and found intact. */
function reopened(): OutboxStore {
  if (store !== null) return store;
  const fresh = new OutboxStore(options);
  try {
    fresh.settle();
  } catch (error) {
    fresh.close();
    throw error;
  }
  store = fresh;
  return store;
}

function commit(request: CommitRequest): void {
  const now = Date.now();
  const current = reopened();
  try {
    current.commit(request, now);
    if (now - agedAt > AGE_CHECK_MS) {
      agedAt = now;
      current.dropAged(now);
    }
  } catch (error) {
    if (!(error instanceof OutboxFull)) {
      store = null;
      // What it could not write it cannot write now either; the error that counts is the first one.
      try {
        current.close();
      } catch {}
    }
    throw error;
  }
  if (options.syncDelayMs > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, options.syncDelayMs);
}

function handle(request: Request): Chunk | [string, string][] | null {
  switch (request.op) {
    case 'commit':
      commit(request);
      return null;
    case 'take':
      return reopened().take(request);
    case 'state':
      return reopened().readState(request.prefix);
    case 'close':
      try {
        store?.close();
      } finally {
        port.close();
      }
      return null;
  }
}

port.on('message', (request: Request) => {
  try {
    const result = handle(request);
    const stats = store?.stats;
    if (stats) port.postMessage({ id: request.id, ok: true, result, stats } satisfies Reply);
  } catch (error) {
    const code = error instanceof OutboxFull ? 'GEWU_OUTBOX_FULL' : 'GEWU_OUTBOX_BROKEN';
    const stats = store?.stats ?? null;
    port.postMessage({ id: request.id, ok: false, code, message: (error as Error).message, stats } satisfies Reply);
  }
});
port.postMessage({ id: 0, ok: true, result: null, stats: store.stats } satisfies Reply);
