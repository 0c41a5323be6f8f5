import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Static, Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { DesiredState } from '#grid/mod.ts';
import type { Log } from '#service/mod.ts';
import { makeFolder, writeDurably } from '../evidence/mod.ts';

const revision = Type.Integer({ minimum: 1 });
const Kept = Type.Object({
  v: Type.Literal(1),
  /** The revision that has proved itself; null: the node's own file alone. */
  running: Type.Union([Type.Object({ revision, state: DesiredState }), Type.Null()]),
  /** One that is in force and has yet to live for a while, and how many lives of the node have tried. */
  trial: Type.Union([Type.Object({ revision, state: DesiredState, lives: Type.Integer({ minimum: 1 }) }), Type.Null()]),
  /** The newest that ended the node again and again; it is not tried any more. 0: none. */
  crashed: Type.Integer({ minimum: 0 }),
});
export type Kept = Static<typeof Kept>;
const check = Compile(Kept);

const NOTHING: Kept = { v: 1, running: null, trial: null, crashed: 0 };

/** The desired state on disk: one small file, written whole and durably. */
export class DesiredStore {
  readonly #dir: string;
  readonly #log: Log;

  constructor({ dataDir, log }: { dataDir: string; log: Log }) {
    this.#dir = join(dataDir, 'desired');
    this.#log = log;
  }

  /** Empty when there is none, or when it cannot be used (logged): the centre sends its newest again. */
  async read(): Promise<Kept> {
    const file = this.#file;
    try {
      const input: unknown = JSON.parse(await readFile(file, 'utf8'));
      if (check.Check(input)) return input;
      this.#log.error({ file }, 'the desired state on disk is not usable: begun anew');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') this.#log.error({ file, err: error }, 'the desired state on disk');
    }
    return NOTHING;
  }

  async write(kept: Kept): Promise<void> {
    await makeFolder(this.#dir);
    await writeDurably(this.#file, JSON.stringify(kept));
  }

  get #file(): string {
    return join(this.#dir, 'desired.json');
  }
}
