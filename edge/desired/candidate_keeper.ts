import { availableParallelism } from 'node:os';
import type { DesiredCandidate } from '#grid/mod.ts';
import type { CandidateReport } from '#grid/wire/mod.ts';
import { type Clock, GewuError, isGewuError, type Service } from '#service/mod.ts';
import type { Candidate } from '../cameras/mod.ts';
import type { HealthSink } from '../events.ts';
import { modelName, type PreparedModel } from '../vision/mod.ts';
import { fetchPackage, type PackageSource } from './model_fetch.ts';
import { type CandidateState, withCrashed } from './model_store.ts';

/** What a candidate in shadow is put beside. */
export interface CandidateUser {
  /** Loads a model folder beside the one in use, and runs it. Throws GEWU_MODEL_INVALID. */
  prepareModel(dir: string): Promise<PreparedModel>;
  discardModel(prepared: PreparedModel): Promise<void>;
  /** It looks at the same pictures from now on; null: nobody does. Throws GEWU_MODEL_INVALID where it cannot. */
  setCandidate(candidate: Candidate | null): Promise<void>;
  /** What these cameras want, all of them where none is named, and what the threads in use can give: ms of one thread in a second. */
  load(msPerPicture: number, cameras?: readonly string[]): { wantedMs: number; availableMs: number };
  /** That a thread works for a picture with the model in use, the mean of late; null before the first. */
  cpuMs(): number | null;
}

export interface CandidateKeeperDeps extends PackageSource {
  edge: string;
  user: CandidateUser;
  health: HealthSink;
  clock: Clock;
  /** Ms for which it has to run until it has proved itself; 60,000 unless told. */
  proofMs?: number;
}

const PROOF_MS = 60_000;
/** Threads of it that may die in a minute, and lives of the node that it is given. */
const DEATHS_MAX = 3;
const LIVES_MAX = 3;
/** Share of what there is that the models may take: the rest is for decoding and everything else. */
const BUDGET_SHARE = 0.8;
const THREAD_MS = 1000;

/**
 * Which candidate looks in shadow beside the model in use.
 *
 *   wanted --> fetch, signature --> loaded, timed --> budget of both models right? --> in shadow --> report
 *                                                          |                              |
 *              report <-- refused, nobody looks in shadow <+--- its threads die again and again
 *
 * Whatever becomes of it, the model in use goes on.
 */
export class CandidateKeeper implements Service {
  readonly #deps: CandidateKeeperDeps;
  readonly #stopping = new AbortController();
  #state: CandidateState | null = null;
  #wanted: DesiredCandidate | null = null;
  #abandon = new AbortController();
  #work: Promise<void> = Promise.resolve();
  #deathsMs: number[] = [];
  #proof: NodeJS.Timeout | undefined;
  #told: { model: string; cpuMs: number | null } = { model: '', cpuMs: null };

  constructor(deps: CandidateKeeperDeps) {
    this.#deps = deps;
  }

  /** The cameras run. What an earlier life has left is taken up, or put away. */
  async start(): Promise<void> {
    this.#state = await this.#deps.files.readCandidate();
    this.#pursueNow();
  }

  /** A node that is stopped in peace has not crashed. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#abandon.abort();
    clearTimeout(this.#proof);
    await this.#work;
    await this.#proved();
  }

  /** What the desired state says; undefined: none. Returns at once; heeded once it runs. */
  want(candidate: DesiredCandidate | undefined): void {
    const wanted = candidate ?? null;
    if (JSON.stringify(wanted) === JSON.stringify(this.#wanted)) return;
    this.#wanted = wanted;
    this.#deps.files.keepCandidate(wanted?.package ?? null);
    if (this.#state !== null) this.#pursueNow();
  }

  #pursueNow(): void {
    this.#abandon.abort();
    this.#abandon = new AbortController();
    const signal = AbortSignal.any([this.#stopping.signal, this.#abandon.signal]);
    const wanted = this.#wanted;
    this.#work = this.#work.then(() => this.#pursue(wanted, signal));
  }

  async #pursue(wanted: DesiredCandidate | null, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    clearTimeout(this.#proof);
    this.#told = { model: '', cpuMs: null };
    try {
      await this.#deps.user.setCandidate(null);
      if (wanted === null) {
        const before = this.#state?.package ?? null;
        await this.#keep({ package: null, lives: null });
        if (before !== null) this.#report('none', null);
        return;
      }
      await this.#countLife(wanted.package);
      await fetchPackage(this.#deps, wanted.package, { signal, fetching: (error) => this.#report('fetching', error) });
      await this.#shadow(wanted);
    } catch (error) {
      if (signal.aborted) return;
      if (!isGewuError(error)) this.#deps.log.error({ err: error }, 'a candidate could not be taken');
      this.#refuse(error);
    }
  }

  /** On disk before it is loaded: should it end the node, the next life knows. Throws GEWU_MODEL_CRASHED. */
  async #countLife(sha256: string): Promise<void> {
    const state = this.#state;
    const crashed = 'it crashed when it was tried: it is not tried again';
    if (state?.crashed.includes(sha256)) throw new GewuError('GEWU_MODEL_CRASHED', crashed);
    const lives = state?.package === sha256 ? state.lives : 0;
    if (lives !== null && lives >= LIVES_MAX) {
      await this.#giveUp(sha256);
      throw new GewuError('GEWU_MODEL_CRASHED', `the node ended ${LIVES_MAX} times with candidate ${sha256}`);
    }
    await this.#keep({ package: sha256, lives: lives === null ? null : lives + 1 });
  }

  async #shadow({ package: sha256, cameras }: DesiredCandidate): Promise<void> {
    const { user, files, log } = this.#deps;
    const prepared = await user.prepareModel(files.folder(sha256));
    try {
      this.#told = { model: modelName(prepared.model.manifest), cpuMs: prepared.cpuMs };
      this.#checkBudget(prepared.cpuMs, cameras);
      const onDeath = () => this.#died(sha256);
      await user.setCandidate({ prepared, package: sha256, cameras, onDeath, onEnd: (error) => this.#ended(error) });
    } catch (error) {
      await user.discardModel(prepared);
      throw error;
    }
    this.#deathsMs = [];
    log.info({ package: sha256, cpuMs: prepared.cpuMs }, 'a candidate looks in shadow');
    this.#report('shadow', null);
    this.#proof = setTimeout(() => {
      this.#work = this.#work.then(() => this.#proved());
    }, this.#deps.proofMs ?? PROOF_MS);
  }

  /** Its one thread has to keep up, and the machine with both. Throws GEWU_MODEL_BUDGET. */
  #checkBudget(cpuMs: number, cameras: readonly string[] | undefined): void {
    const { user } = this.#deps;
    const own = user.load(cpuMs, cameras).wantedMs;
    const { wantedMs: others, availableMs } = user.load(user.cpuMs() ?? cpuMs);
    const machineMs = Math.min(availableParallelism() * THREAD_MS, availableMs + THREAD_MS);
    if (own <= THREAD_MS * BUDGET_SHARE && own + others <= machineMs * BUDGET_SHARE) return;
    throw new GewuError(
      'GEWU_MODEL_BUDGET',
      `a picture takes ${cpuMs.toFixed(1)} ms: it wants ${Math.round(own)} ms a second of one thread beside ${Math.round(others)} ms ` +
        `of the model in use; there are ${Math.round(machineMs * BUDGET_SHARE)} ms. Let it look at fewer cameras (\`cameras\`)`,
    );
  }

  #died(sha256: string): void {
    const now = this.#deps.clock.monotonic();
    this.#deathsMs = [...this.#deathsMs.filter((ms) => now - ms < PROOF_MS), now];
    if (this.#deathsMs.length < DEATHS_MAX) return;
    this.#deathsMs = [];
    this.#work = this.#work.then(async () => {
      if (this.#stopping.signal.aborted || this.#wanted?.package !== sha256) return;
      await this.#deps.user.setCandidate(null);
      await this.#giveUp(sha256);
      this.#refuse(new GewuError('GEWU_MODEL_CRASHED', `threads died ${DEATHS_MAX} times with candidate ${sha256}`));
    });
  }

  #ended(error: GewuError): void {
    clearTimeout(this.#proof);
    this.#refuse(error);
  }

  async #giveUp(sha256: string): Promise<void> {
    clearTimeout(this.#proof);
    if (this.#state !== null) this.#state = withCrashed(this.#state, sha256);
    await this.#keep({ package: null, lives: null });
  }

  async #proved(): Promise<void> {
    if (this.#state === null || this.#state.lives === null) return;
    await this.#keep({ package: this.#state.package, lives: null }).catch((error: unknown) =>
      this.#deps.log.error({ err: error }, 'the state of the candidate could not be written'),
    );
  }

  async #keep(change: Pick<CandidateState, 'package' | 'lives'>): Promise<void> {
    const state: CandidateState = { v: 1, crashed: this.#state?.crashed ?? [], ...change };
    if (JSON.stringify(state) !== JSON.stringify(this.#state)) await this.#deps.files.writeCandidate(state);
    this.#state = state;
  }

  #refuse(error: unknown): void {
    this.#report('refused', isGewuError(error) ? error : new GewuError('GEWU_INTERNAL', (error as Error).message));
  }

  #report(phase: CandidateReport['phase'], error: GewuError | null): void {
    const { edge, clock, health, log } = this.#deps;
    const report: CandidateReport = {
      ...{ ts: clock.now(), edge, of: 'candidate', id: edge, package: this.#wanted?.package ?? '', phase },
      ...{ ...this.#told, code: error?.code ?? '', message: (error?.message ?? '').slice(0, 512) },
    };
    if (error !== null) log.error({ phase, code: error.code, err: error.message }, 'candidate');
    health.report(report).catch((cause: Error) => log.warn({ error: cause.message }, 'a report on the candidate was lost'));
  }
}
