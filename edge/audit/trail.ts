import { open, readFile, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { auditParts, type EdgeAuditEntry } from '#grid/wire/mod.ts';
import { type Clock, chainHash, type Log, type Service } from '#service/mod.ts';
import type { HealthSink } from '../events.ts';
import { makeFolder, syncFolder } from '../evidence/mod.ts';

export interface TrailDeps {
  dir: string;
  edge: string;
  health: HealthSink;
  clock: Clock;
  log: Log;
  /** Of one file; 4 MiB unless told. */
  fileBytesMax?: number;
}

export type TrailAct = Pick<EdgeAuditEntry, 'actor' | 'roles' | 'action' | 'subject' | 'purpose' | 'grant' | 'reason'>;

/** About 8,000 lines each. What is older than these is at the centre. */
const FILE_BYTES_MAX = 4 * 1024 * 1024;
const FILES_MAX = 4;
const FILE_MODE = 0o600;
const NAME = 'audit.ndjson';

/**
 * The node's own trail: who was shown what, on whose word. Lines are appended and never changed, each holds the hash of the
 * one before, and each goes to the centre by the health lane.
 *
 *   audit.ndjson --full--> audit.ndjson.1 --> ... .3 --> gone
 */
export class Trail implements Service {
  readonly #deps: TrailDeps;
  readonly #file: string;
  #last: { seq: number; hash: string } = { seq: 0, hash: '' };
  #chain: Promise<unknown> = Promise.resolve();

  constructor(deps: TrailDeps) {
    this.#deps = deps;
    this.#file = join(deps.dir, NAME);
  }

  /** Reads the end of the chain. A torn last line is what a crash leaves: it was never answered for. */
  async start(): Promise<void> {
    await makeFolder(this.#deps.dir);
    for (const file of [this.#file, `${this.#file}.1`]) {
      const lines = (await readFile(file, 'utf8').catch(() => '')).split('\n').filter((line) => line !== '');
      const last = lines.map(parse).findLast((entry) => entry !== null);
      if (last === undefined || last === null) continue;
      this.#last = { seq: last.seq, hash: last.hash };
      return;
    }
  }

  async stop(): Promise<void> {
    await this.#chain.catch(() => {});
  }

  /** On disk when it resolves; throws when it cannot be written: what is not written down must not happen. */
  record(act: TrailAct): Promise<EdgeAuditEntry> {
    const entry = this.#chain.then(() => this.#append(act));
    this.#chain = entry.catch(() => {});
    return entry;
  }

  async #append(act: TrailAct): Promise<EdgeAuditEntry> {
    const { edge, health, clock, log } = this.#deps;
    await this.#roll();
    const { seq, hash: prev } = this.#last;
    const line = { ...act, seq: seq + 1, at: clock.now(), prev };
    const entry: EdgeAuditEntry = { ...line, hash: chainHash(auditParts(line)) };
    const handle = await open(this.#file, 'a', FILE_MODE);
    try {
      // A line of its own, whatever a crash has left before it.
      const { size } = await handle.stat();
      await handle.writeFile(`${size === 0 ? '' : '\n'}${JSON.stringify(entry)}`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    this.#last = { seq: entry.seq, hash: entry.hash };
    health
      .report({ ts: entry.at, edge, of: 'audit', id: edge, entry })
      .catch((error: unknown) => log.error({ seq: entry.seq, err: error }, 'a line of the trail did not get into the outbox'));
    return entry;
  }

  async #roll(): Promise<void> {
    const { fileBytesMax = FILE_BYTES_MAX, dir } = this.#deps;
    const { size } = await stat(this.#file).catch(() => ({ size: 0 }));
    if (size < fileBytesMax) return;
    for (let n = FILES_MAX - 1; n > 0; n--)
      await rename(n === 1 ? this.#file : `${this.#file}.${n - 1}`, `${this.#file}.${n}`).catch(() => {});
    await syncFolder(dir);
  }
}

function parse(line: string): EdgeAuditEntry | null {
  try {
    const entry = JSON.parse(line) as EdgeAuditEntry;
    return chainHash(auditParts(entry)) === entry.hash ? entry : null;
  } catch {
    return null;
  }
}
