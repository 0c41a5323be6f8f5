import type { DesiredModel } from '#grid/mod.ts';
import type { ConfigNote, ModelReport } from '#grid/wire/mod.ts';
import type { ModelManifest } from '#models/mod.ts';
import { type Clock, GewuError, isGewuError, type Log, type Service } from '#service/mod.ts';
import type { HealthSink } from '../events.ts';
import type { PreparedModel } from '../vision/mod.ts';
import { fetchPackage } from './model_fetch.ts';
import type { StartingModel } from './model_start.ts';
import { type ModelState, withCrashed } from './model_store.ts';

/** The part of the cameras that a model is put into. */
export interface ModelUser {
  /** Loads a model folder beside the one in use, and runs it. Throws GEWU_MODEL_INVALID. */
  prepareModel(dir: string): Promise<PreparedModel>;
  discardModel(prepared: PreparedModel): Promise<void>;
  /** The prepared one takes over. Throws GEWU_MODEL_INVALID; the one in use stays then. */
  switchModel(prepared: PreparedModel): Promise<void>;
  /** Of the one in use; null where there is no camera. */
  manifest(): ModelManifest | null;
  /** Keys of the rules whose class the model does not know. */
  silentRules(manifest: ModelManifest): string[];
  /** What all cameras together want, and what the threads can give: ms of one thread in a second. */
  load(msPerPicture: number): { wantedMs: number; availableMs: number };
  onModelDeath(listener: () => void): () => void;
}

export interface ModelKeeperDeps {
  edge: string;
  start: StartingModel;
  trustedKeys: readonly string[];
  user: ModelUser;
  /** Into `file`, from a byte on. Throws GEWU_MODEL_UNREADABLE. */
  download(options: { sha256: string; file: string; from: number; stopping: AbortSignal }): Promise<void>;
  health: HealthSink;
  clock: Clock;
  log: Log;
  /** Ms for which a model has to run until it has proved itself; 60,000 unless told. */
  proofMs?: number;
}

const PROOF_MS = 60_000;
/** Threads that may die in that time. */
const DEATHS_MAX = 3;
/** Share of what the machine has that a model may take: the rest is for decoding and everything else. */
const BUDGET_SHARE = 0.8;

/**
 * Which model the cameras look with.
 *
 *   wanted --> fetch (goes on where it stopped) --> hash, signature --> loaded beside the one in use, run, timed
 *                                                                        |
 *     report <-- in use <-- takes over between two pictures <-- classes, budget right?
 *       ^           |                                                    |
 *       |           +-- threads die again and again: the one before      |
 *       +----------------------- refused, the one in use stays <---------+
 */
export class ModelKeeper implements Service {
  readonly #deps: ModelKeeperDeps;
  readonly #stopping = new AbortController();
  #state: ModelState;
  #started = false;
  /** undefined: nobody has said yet. */
  #wanted: DesiredModel | null | undefined;
  /** Of the pursuit under way. */
  #abandon = new AbortController();
  #work: Promise<void> = Promise.resolve();
  #proof: NodeJS.Timeout | undefined;
  #deaths = 0;
  #unsubscribe = () => {};
  #cpuMs: number | null = null;

  constructor(deps: ModelKeeperDeps) {
    this.#deps = deps;
    this.#state = deps.start.state;
  }

  /** The cameras run: says with what. */
  async start(): Promise<void> {
    const { note } = this.#deps.start;
    this.#unsubscribe = this.#deps.user.onModelDeath(() => this.#died());
    if (note === null) this.#report('active', null);
    else this.#report('returned', new GewuError('GEWU_MODEL_CRASHED', note.message));
    if (this.#state.lives !== null) this.#proveLater();
    this.#started = true;
    if (this.#wanted !== undefined) this.#pursueNow(this.#wanted);
  }

  /** A node that is stopped in peace has not crashed. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#abandon.abort();
    clearTimeout(this.#proof);
    this.#unsubscribe();
    await this.#work;
    await this.#proved();
  }

  /** What the desired state says of the model; undefined: the model of the node's own file. Returns at once; heeded once it runs. */
  want(model: DesiredModel | undefined): void {
    const wanted = model ?? null;
    if (this.#wanted !== undefined && JSON.stringify(wanted) === JSON.stringify(this.#wanted)) return;
    this.#wanted = wanted;
    this.#deps.start.files.keepModel(wanted?.package ?? null);
    if (this.#started) this.#pursueNow(wanted);
  }

  /** What was wanted before is given up, wherever it stands. */
  #pursueNow(wanted: DesiredModel | null): void {
    this.#abandon.abort();
    this.#abandon = new AbortController();
    const signal = AbortSignal.any([this.#stopping.signal, this.#abandon.signal]);
    this.#work = this.#work.then(() => this.#pursue(wanted, signal));
  }

  async #pursue(wanted: DesiredModel | null, signal: AbortSignal): Promise<void> {
    const sha256 = wanted?.package ?? null;
    if (signal.aborted || sha256 === this.#state.active) return;
    try {
      if (sha256 !== null && this.#state.crashed.includes(sha256))
        throw new GewuError('GEWU_MODEL_CRASHED', 'it crashed when it was tried: it is not tried again');
      if (sha256 !== null) {
        const source = { ...this.#deps, files: this.#deps.start.files };
        await fetchPackage(source, sha256, { signal, fetching: (error) => this.#report('fetching', error) });
      }
      await this.#activate(sha256, wanted?.silentRules ?? false);
    } catch (error) {
      if (signal.aborted) return;
      if (!isGewuError(error)) this.#deps.log.error({ err: error }, 'a model could not be taken');
      this.#refuse(error);
    }
  }

  async #activate(sha256: string | null, allowSilent: boolean): Promise<void> {
    const { start, user, log } = this.#deps;
    this.#cpuMs = null;
    const before = process.memoryUsage().rss;
    const prepared = await user.prepareModel(sha256 === null ? start.ownFolder : start.files.folder(sha256));
    try {
      this.#cpuMs = prepared.cpuMs;
      const silent = user.silentRules(prepared.model.manifest);
      if (sha256 !== null && silent.length > 0 && !allowSilent)
        throw new GewuError('GEWU_MODEL_CLASSES', `these rules would fall silent: ${silent.join(', ')}`.slice(0, 512));
      if (sha256 !== null) this.#checkBudget(prepared, process.memoryUsage().rss - before);
      // On disk before it is in use: should it end the node, the next life knows which one it was.
      const state = { ...this.#state, active: sha256, previous: this.#state.active, lives: sha256 === null ? null : 1 };
      const old = this.#state;
      await this.#keep(state);
      await user.switchModel(prepared).catch(async (error: unknown) => {
        await this.#keep(old);
        throw error;
      });
    } catch (error) {
      await user.discardModel(prepared);
      throw error;
    }
    this.#deaths = 0;
    log.info({ package: sha256, cpuMs: this.#cpuMs }, 'another model is in use');
    this.#report('active', null);
    this.#proveLater();
  }

  #checkBudget({ cpuMs, model }: PreparedModel, grownBytes: number): void {
    const { wantedMs, availableMs } = this.#deps.user.load(cpuMs);
    const budgetMs = availableMs * BUDGET_SHARE;
    if (wantedMs > budgetMs) {
      const text = `a picture takes ${cpuMs.toFixed(1)} ms; the cameras want ${Math.round(wantedMs)} ms a second of ${Math.round(budgetMs)}`;
      throw new GewuError('GEWU_MODEL_BUDGET', text);
    }
    // Each further thread takes about as much as the first, and no less than the file.
    const workers = availableMs / 1000;
    const needed = Math.max(grownBytes, model.bytes.length) * (workers - 1);
    if (needed > process.availableMemory() * BUDGET_SHARE)
      throw new GewuError(
        'GEWU_MODEL_BUDGET',
        `${workers} threads need ${needed} B more; the machine has ${process.availableMemory()}`,
      );
  }

  #died(): void {
    if (this.#state.active === null || this.#state.lives === null) return;
    this.#deaths++;
    if (this.#deaths < DEATHS_MAX) return;
    const crashed = this.#state.active;
    const { previous } = this.#state;
    this.#deaths = 0;
    this.#work = this.#work.then(() => this.#return(crashed, previous));
  }

  /** The one before is in use again; the one that crashed is not tried any more. */
  async #return(crashed: string, previous: string | null): Promise<void> {
    const { user, start, log } = this.#deps;
    if (this.#stopping.signal.aborted || this.#state.active !== crashed) return;
    clearTimeout(this.#proof);
    try {
      const prepared = await user.prepareModel(previous === null ? start.ownFolder : start.files.folder(previous));
      await user.switchModel(prepared);
      await this.#keep({ ...withCrashed(this.#state, crashed), active: previous, previous: null, lives: null });
      this.#report('returned', new GewuError('GEWU_MODEL_CRASHED', `threads died ${DEATHS_MAX} times with package ${crashed}`));
    } catch (error) {
      log.error({ err: error }, 'the model before could not be put in use again');
    }
  }

  #refuse(error: unknown): void {
    this.#report('refused', isGewuError(error) ? error : new GewuError('GEWU_INTERNAL', (error as Error).message));
  }

  async #keep(state: ModelState): Promise<void> {
    await this.#deps.start.files.write(state);
    this.#state = state;
  }

  #proveLater(): void {
    clearTimeout(this.#proof);
    if (this.#state.lives === null) return;
    this.#proof = setTimeout(() => {
      this.#work = this.#work.then(() => this.#proved());
    }, this.#deps.proofMs ?? PROOF_MS);
  }

  async #proved(): Promise<void> {
    if (this.#state.lives === null) return;
    await this.#keep({ ...this.#state, lives: null }).catch((error: unknown) =>
      this.#deps.log.error({ err: error }, 'the state of the models could not be written'),
    );
  }

  #report(phase: ModelReport['phase'], error: GewuError | null): void {
    const { edge, clock, health, log, user } = this.#deps;
    const manifest = user.manifest();
    const silent = manifest === null ? [] : user.silentRules(manifest);
    const report: ModelReport = {
      ts: clock.now(),
      edge,
      of: 'model',
      id: edge,
      model: manifest === null ? '' : `${manifest.name}@${manifest.version}`,
      package: this.#state.active ?? '',
      sha256: manifest?.sha256 ?? '',
      classes: manifest?.classes ?? [],
      wanted: this.#wanted === undefined ? (this.#state.active ?? '') : (this.#wanted?.package ?? ''),
      phase,
      code: error?.code ?? '',
      message: (error?.message ?? '').slice(0, 512),
      cpuMs: this.#cpuMs,
      notes: silent.slice(0, 50).map(silentNote),
    };
    if (error !== null) log.error({ phase, code: error.code, err: error.message }, 'model');
    health.report(report).catch((cause: Error) => log.warn({ error: cause.message }, 'a report on the model was lost'));
  }
}

const silentNote = (key: string): ConfigNote => ({
  code: 'GEWU_MODEL_CLASSES',
  key: key.slice(0, 256),
  message: 'the model in use has no such class: this rule is silent',
});
