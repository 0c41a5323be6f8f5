import { parentPort, workerData } from 'node:worker_threads';
import { isDamage, OutboxFull } from './errors.ts';
import type { CommitRequest, Reply, Request, Result, SalvageReport, WorkerOptions } from './protocol.ts';
import { OutboxStore } from './store.ts';

/** The thread that owns the outbox's file: a flash whose sync takes 50 ms stalls nobody else. */
const options = workerData as WorkerOptions;
const port = parentPort as NonNullable<typeof parentPort>;
const AGE_CHECK_MS = 60_000;

let store: OutboxStore | null = new OutboxStore(options, performance.now());
let salvage: SalvageReport | undefined = store.salvage;
/** Of the file that is not open: the last numbers that it gave, and what is known to be wrong with it. */
let lastSeqs = options.lastSeqs;
let damage: string | undefined;
let agedAt = Number.NEGATIVE_INFINITY;

/** After an error of the disk nothing is acknowledged until the file was reopened and found intact, or salvaged. */
function opened(): OutboxStore {
  if (store !== null) return store;
  const fresh = new OutboxStore({ ...options, lastSeqs }, performance.now(), damage);
  salvage = fresh.salvage ?? salvage;
  try {
    fresh.settle();
  } catch (error) {
    fresh.close();
    throw error;
  }
  damage = undefined;
  store = fresh;
  return store;
}

function using<T>(work: (current: OutboxStore) => T): T {
  const current = opened();
  try {
    return work(current);
  } catch (error) {
    if (!(error instanceof OutboxFull)) {
      store = null;
      const { events, health, readings } = current.stats;
      lastSeqs = { events: events.lastSeq, health: health.lastSeq, readings: readings.lastSeq };
      damage = isDamage(error) ? (error as Error).message : undefined;
      // What it could not write it cannot write now either; the error that counts is the first one.
      try {
        current.close();
      } catch {}
    }
    throw error;
  }
}

function commit(request: CommitRequest): void {
  using((current) => {
    const now = performance.now();
    current.commit(request, now);
    // A bounded number in one go, and the rest with the commits that follow.
    if (now - agedAt > AGE_CHECK_MS && !current.dropAged(now)) agedAt = now;
  });
}

function handle(request: Request): Result {
  switch (request.op) {
    case 'commit':
      commit(request);
      return null;
    case 'take':
      return using((current) => current.take(request, performance.now()));
    case 'state':
      return using((current) => current.readState(request.prefix));
    case 'drops':
      return using((current) => current.droppedByDevice());
    case 'close':
      try {
        store?.close();
      } finally {
        port.close();
      }
      return null;
  }
}

function answer(reply: Reply, result?: Result): void {
  const chunk = result && 'body' in result ? result.body.buffer : undefined;
  port.postMessage(reply, chunk instanceof ArrayBuffer ? [chunk] : []);
}

/** Told once. */
function ok(id: number, result: Result, { stats }: OutboxStore): void {
  answer({ id, ok: true, result, stats, salvage }, result);
  salvage = undefined;
}

port.on('message', (request: Request) => {
  try {
    const result = handle(request);
    if (store) ok(request.id, result, store);
  } catch (error) {
    const code = error instanceof OutboxFull ? 'GEWU_OUTBOX_FULL' : 'GEWU_OUTBOX_BROKEN';
    const stats = store?.stats ?? null;
    answer({ id: request.id, ok: false, code, message: (error as Error).message, stats });
  }
});
ok(0, null, store);
