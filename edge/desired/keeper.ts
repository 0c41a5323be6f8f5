import { Compile } from 'typebox/compile';
import { DesiredState, desiredMistakes, type Site } from '#grid/mod.ts';
import { CONFIG_NOTES_MAX, type ConfigNote, ConfigNotice, type ConfigReport } from '#grid/wire/mod.ts';
import { type Clock, isGewuError, type Log, type Service, schemaMistakes } from '#service/mod.ts';
import type { HealthSink } from '../events.ts';
import { notesOf, type StartingDesired, siteWith } from './kept.ts';
import type { Kept } from './store.ts';

/** A change of the running node that could not be made, with what was wrong. */
export class RefusedChange extends Error {
  readonly notes: readonly ConfigNote[];
  constructor(notes: readonly ConfigNote[]) {
    super(notes.map((n) => `${n.key}: ${n.message}`).join('; '));
    this.notes = notes;
  }
}

export interface DesiredKeeperDeps {
  edge: string;
  start: StartingDesired;
  /** The document of a notice. Throws GEWU_DESIRED_UNREADABLE. */
  fetch(notice: ConfigNotice, stopping: AbortSignal): Promise<unknown>;
  /** Makes this the site of the running node. Returns what of it is not in force; throws RefusedChange. */
  apply(site: Site, state: DesiredState): Promise<ConfigNote[]>;
  health: HealthSink;
  clock: Clock;
  log: Log;
  /** Ms for which a node has to live with a revision until it has proved itself; 10,000 unless told. */
  proofMs?: number;
}

const PROOF_MS = 10_000;
const REPORT_AGAIN_MS = 5_000;
const checkNotice = Compile(ConfigNotice);
const checkState = Compile(DesiredState);

/**
 * Takes in what the centre wants of this node.
 *
 *   notice --> newer? --> fetch --> check --> on trial (on disk) --> apply --> report --> after a while: proved (on disk)
 *                                     |                               |
 *                                     +-- refused, the old one stays <+
 *
 * Notices come in any order and again and again; the newest counts. What cannot be fetched or written now is tried with the next
 * notice, which the centre sends for as long as this node says that it has not judged its newest revision.
 */
export class DesiredKeeper implements Service {
  readonly #deps: DesiredKeeperDeps;
  readonly #stopping = new AbortController();
  #kept: Kept;
  #judged: number;
  /** In force; what is not is in the notes. */
  #site: Site;
  #wanted: ConfigNotice | null = null;
  #work: Promise<void> = Promise.resolve();
  #working = false;
  #started = false;
  #proof: NodeJS.Timeout | undefined;
  #unreported: ConfigReport | null = null;

  constructor(deps: DesiredKeeperDeps) {
    this.#deps = deps;
    this.#kept = deps.start.kept;
    this.#site = deps.start.site;
    this.#judged = Math.max(this.running, this.#kept.crashed);
  }

  /** Revision in force; 0: the node's own file alone. */
  get running(): number {
    return this.#deps.start.ignored ? 0 : (this.#newest?.revision ?? 0);
  }

  /** The newest revision that was confirmed or refused in this life, or given up in an earlier one. */
  get judged(): number {
    return this.#judged;
  }

  get ignored(): boolean {
    return this.#deps.start.ignored;
  }

  /** The node runs: says with what. */
  async start(): Promise<void> {
    const { ignored, notes } = this.#deps.start;
    if (ignored) return this.#report('ignored', 0, []);
    this.#report(this.#judged === this.running ? 'confirmed' : 'refused', this.#judged, notes);
    if (this.#kept.trial !== null) this.#proveLater();
    this.#started = true;
    this.#takeSoon();
  }

  /** A node that is stopped in peace has not crashed. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    clearTimeout(this.#proof);
    await this.#work;
    await this.#proved();
  }

  /** A message of `down/config`. Returns at once. */
  receive(message: unknown): void {
    const { log, edge, start } = this.#deps;
    if (!checkNotice.Check(message) || message.edge !== edge) {
      log.warn('a notice of a configuration that is not understood here');
      return;
    }
    if (start.ignored || message.revision <= this.#judged) return;
    if (this.#wanted === null || message.revision > this.#wanted.revision) this.#wanted = message;
    this.#takeSoon();
  }

  get #newest() {
    return this.#kept.trial ?? this.#kept.running;
  }

  /** What comes while the node's parts start waits until they stand. */
  #takeSoon(): void {
    if (this.#started && !this.#working) this.#work = this.#takeAll();
  }

  async #takeAll(): Promise<void> {
    this.#working = true;
    while (this.#wanted !== null && !this.#stopping.signal.aborted) {
      const notice = this.#wanted;
      this.#wanted = null;
      if (notice.revision > this.#judged) await this.#take(notice).catch((error: unknown) => this.#later(notice, error));
    }
    this.#working = false;
  }

  #later({ revision }: ConfigNotice, error: unknown): void {
    if (this.#stopping.signal.aborted) return;
    const { code } = error as { code?: string };
    this.#deps.log.warn({ revision, err: (error as Error).message, code }, 'a desired state was not taken; tried again');
  }

  async #take(notice: ConfigNotice): Promise<void> {
    const { fetch, log } = this.#deps;
    const { revision } = notice;
    const checked = this.#checked(await fetch(notice, this.#stopping.signal));
    if ('notes' in checked) return this.#refuse(revision, checked.notes);
    const before = { kept: this.#kept, site: this.#site, state: this.#newest?.state ?? {} };
    // What has proved itself is what is gone back to, also when this one follows another that has not.
    await this.#keep({ ...before.kept, trial: { revision, state: checked.state, lives: 1 } });
    try {
      const notes = await this.#deps.apply(checked.site, checked.state);
      this.#site = checked.site;
      this.#judged = revision;
      log.info({ revision, notes }, 'the desired state is in force');
      this.#report('confirmed', revision, notes);
      this.#proveLater();
    } catch (error) {
      const known = error instanceof RefusedChange || isGewuError(error);
      if (!known) log.error({ revision, err: error }, 'the desired state could not be applied');
      await this.#keep(before.kept);
      await this.#deps
        .apply(before.site, before.state)
        .catch((cause: unknown) => log.error({ err: cause }, 'the desired state before it'));
      const code = isGewuError(error) ? error.code : 'GEWU_INTERNAL';
      this.#refuse(revision, error instanceof RefusedChange ? error.notes : [{ code, key: '', message: textOf(error) }]);
    }
  }

  /** The checks of `gewu validate`, by key of the desired state. */
  #checked(document: unknown): { state: DesiredState; site: Site } | { notes: ConfigNote[] } {
    const { file } = this.#deps.start;
    if (!checkState.Check(document)) return { notes: notesOf(schemaMistakes(checkState, document)) };
    const mistakes = desiredMistakes(file, document);
    return mistakes.length > 0 ? { notes: notesOf(mistakes) } : { state: document, site: siteWith(file, document) };
  }

  #refuse(revision: number, notes: readonly ConfigNote[]): void {
    this.#judged = revision;
    this.#deps.log.error({ revision, notes }, 'the desired state was refused; the one before stays');
    this.#report('refused', revision, notes);
  }

  async #keep(kept: Kept): Promise<void> {
    await this.#deps.start.store.write(kept);
    this.#kept = kept;
  }

  #proveLater(): void {
    clearTimeout(this.#proof);
    this.#proof = setTimeout(() => {
      this.#work = this.#work.then(() => this.#proved());
    }, this.#deps.proofMs ?? PROOF_MS);
  }

  async #proved(): Promise<void> {
    const { trial } = this.#kept;
    if (trial === null || this.#deps.start.ignored) return;
    const { revision, state } = trial;
    await this.#keep({ ...this.#kept, running: { revision, state }, trial: null }).catch((error: unknown) =>
      this.#deps.log.error({ err: error }, 'the desired state could not be written'),
    );
  }

  #report(verdict: ConfigReport['verdict'], revision: number, notes: readonly ConfigNote[]): void {
    const { edge, clock } = this.#deps;
    const report: ConfigReport = {
      ts: clock.now(),
      edge,
      of: 'config',
      id: edge,
      running: this.running,
      revision,
      verdict,
      notes: notes.slice(0, CONFIG_NOTES_MAX),
    };
    this.#unreported = report;
    this.#send(report);
  }

  /** Until the outbox has it, or there is something newer to say. */
  #send(report: ConfigReport): void {
    const { health, log } = this.#deps;
    health.report(report).catch((error: Error) => {
      log.warn({ error: error.message }, 'a report on the desired state was not taken; tried again');
      if (this.#stopping.signal.aborted) return;
      setTimeout(() => this.#unreported === report && this.#send(report), REPORT_AGAIN_MS).unref();
    });
  }
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error)).slice(0, 512);
