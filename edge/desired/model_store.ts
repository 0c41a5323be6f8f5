import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Static, Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { ModelError, type UnpackedModel, unpackModel } from '#models/mod.ts';
import { GewuError, isTextSignedBy, type Log } from '#service/mod.ts';
import { makeFolder, writeDurably } from '../evidence/mod.ts';
import { openModel } from '../vision/mod.ts';

const Package = Type.String({ pattern: '^[0-9a-f]{64}$' });
const State = Type.Object({
  v: Type.Literal(1),
  /** In use; null: the model of the node's own file. */
  active: Type.Union([Package, Type.Null()]),
  /** What is gone back to. */
  previous: Type.Union([Package, Type.Null()]),
  /** Lives of the node that have tried the active one; null: it has proved itself. */
  lives: Type.Union([Type.Integer({ minimum: 1 }), Type.Null()]),
  /** Those that crashed; they are not tried any more. */
  crashed: Type.Array(Package, { maxItems: 32 }),
});
export type ModelState = Static<typeof State>;
const check = Compile(State);
const NOTHING: ModelState = { v: 1, active: null, previous: null, lives: null, crashed: [] };
const CRASHED_MAX = 32;

const Candidate = Type.Object({
  v: Type.Literal(1),
  /** In shadow; null: none. */
  package: Type.Union([Package, Type.Null()]),
  /** Lives of the node that have tried it; null: it has proved itself. */
  lives: Type.Union([Type.Integer({ minimum: 1 }), Type.Null()]),
  /** Those that crashed; they are not tried any more. */
  crashed: Type.Array(Package, { maxItems: CRASHED_MAX }),
});
export type CandidateState = Static<typeof Candidate>;
const checkCandidate = Compile(Candidate);
const NO_CANDIDATE: CandidateState = { v: 1, package: null, lives: null, crashed: [] };

export const withCrashed = <S extends { crashed: string[] }>(state: S, sha256: string): S => ({
  ...state,
  crashed: [sha256, ...state.crashed.filter((c) => c !== sha256)].slice(0, CRASHED_MAX),
});

/**
 * Pushed models on disk:
 *
 *   models/state.json        which one is in use, and which is gone back to
 *   models/candidate.json    which one looks in shadow
 *   models/<sha256>.part     a package on its way here; goes on where it stopped
 *   models/<sha256>/         a package that was checked, as a model folder
 */
export class ModelFiles {
  readonly #dir: string;
  readonly #log: Log;
  /** Packages that are about to be used. */
  readonly #wanted: { model: string | null; candidate: string | null } = { model: null, candidate: null };

  constructor({ dataDir, log }: { dataDir: string; log: Log }) {
    this.#dir = join(dataDir, 'models');
    this.#log = log;
  }

  async read(): Promise<ModelState> {
    const input = await this.#parsed('state.json');
    return check.Check(input) ? input : NOTHING;
  }

  async readCandidate(): Promise<CandidateState> {
    const input = await this.#parsed('candidate.json');
    return checkCandidate.Check(input) ? input : NO_CANDIDATE;
  }

  /** What is wanted stays, whatever becomes of the one that is written down. */
  keepModel(sha256: string | null): void {
    this.#wanted.model = sha256;
  }

  keepCandidate(sha256: string | null): void {
    this.#wanted.candidate = sha256;
  }

  /** Durable when it resolves. */
  async writeCandidate(state: CandidateState): Promise<void> {
    await makeFolder(this.#dir);
    await writeDurably(join(this.#dir, 'candidate.json'), JSON.stringify(state));
  }

  async #parsed(name: string): Promise<unknown> {
    const file = join(this.#dir, name);
    try {
      return JSON.parse(await readFile(file, 'utf8'));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') this.#log.error({ file, err: error }, 'begun anew');
      return undefined;
    }
  }

  /**
   * Durable when it resolves; packages that neither it names nor anybody wants go, and so does what an earlier life has left of one
   * that is unpacked.
   */
  async write(state: ModelState): Promise<void> {
    await makeFolder(this.#dir);
    await writeDurably(join(this.#dir, 'state.json'), JSON.stringify(state));
    const unpacked = [state.active, state.previous];
    const kept = new Set([...unpacked, this.#wanted.model, this.#wanted.candidate]);
    for (const name of await readdir(this.#dir)) {
      const [, sha256, part] = /^([0-9a-f]{64})(\.part)?$/.exec(name) ?? [];
      if (sha256 === undefined || (kept.has(sha256) && !(part && unpacked.includes(sha256)))) continue;
      await rm(join(this.#dir, name), { recursive: true, force: true });
    }
  }

  folder(sha256: string): string {
    return join(this.#dir, sha256);
  }

  part(sha256: string): string {
    return join(this.#dir, `${sha256}.part`);
  }

  /** Bytes of a package that are here already. */
  async partBytes(sha256: string): Promise<number> {
    await makeFolder(this.#dir);
    return (await stat(this.part(sha256)).catch(() => null))?.size ?? 0;
  }

  async isUnpacked(sha256: string): Promise<boolean> {
    return openModel(this.folder(sha256)).then(
      () => true,
      () => false,
    );
  }

  /**
   * Checks hash, signature and content of a package that is here whole and makes a model folder of it. Throws
   * GEWU_MODEL_UNREADABLE (it is fetched anew), GEWU_MODEL_SIGNATURE, GEWU_MODEL_INVALID.
   */
  async unpack(sha256: string, trustedKeys: readonly string[]): Promise<void> {
    const part = this.part(sha256);
    const hash = createHash('sha256');
    for await (const chunk of createReadStream(part)) hash.update(chunk as Buffer);
    if (hash.digest('hex') !== sha256) {
      await rm(part, { force: true });
      throw new GewuError('GEWU_MODEL_UNREADABLE', `package ${sha256} came with other bytes`);
    }
    try {
      const unpacked = unpackedOf(await readFile(part), sha256);
      if (trustedKeys.length === 0) throw new GewuError('GEWU_MODEL_SIGNATURE', 'this edge trusts no release key');
      if (!trustedKeys.some((key) => isTextSignedBy(unpacked.signedText, unpacked.signature, key)))
        throw new GewuError('GEWU_MODEL_SIGNATURE', `signed with ${unpacked.signature.key}, or not at all: not trusted here`);
      await this.#writeFolder(sha256, unpacked);
    } finally {
      await rm(part, { force: true });
    }
  }

  /** The manifest comes last: a folder without one is no model. */
  async #writeFolder(sha256: string, { model, manifestText }: UnpackedModel): Promise<void> {
    const dir = this.folder(sha256);
    await makeFolder(dir);
    await writeDurably(join(dir, model.manifest.file), model.bytes);
    await writeDurably(join(dir, 'manifest.json'), manifestText);
  }
}

function unpackedOf(bytes: Buffer, sha256: string): UnpackedModel {
  try {
    return unpackModel(bytes, sha256);
  } catch (error) {
    if (error instanceof ModelError) throw new GewuError(error.code, error.message, { cause: error });
    throw error;
  }
}
