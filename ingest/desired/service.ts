import type { DesiredAnswer, DesiredCameraAnswer, DesiredSummary } from '#grid/api/mod.ts';
import { type DesiredState, desiredMistakes, type Site, type SiteMistake } from '#grid/mod.ts';
import { type ConfigReport, DESIRED_VALUES, type HealthRecord, type ModelReport } from '#grid/wire/mod.ts';
import { type Clock, Counter, GewuError, type Log, type Metrics } from '#service/mod.ts';
import { AUDIT_LOCK, type Audit } from '../audit/mod.ts';
import type { Database, Queries } from '../database/mod.ts';
import { ACCEPTED, type ConfigSender, type Verdict } from '../ports.ts';
import { diffOf } from './diff.ts';
import {
  type Head,
  isPackageKnown,
  listRevisions,
  readHeads,
  readModelReport,
  readReports,
  readRevision,
  readState,
  toInfo,
  writeModelReport,
  writeReport,
  writeRevision,
} from './store.ts';
import {
  type CameraChange,
  type Change,
  DesiredError,
  type DesiredService,
  type ModelsChange,
  type VouchedParts,
} from './types.ts';
import { calendarsOf, cameraView, summaryOf, withCamera, withVouchedOf } from './view.ts';

export interface DesiredDependencies {
  /** The edges with what the centre knows of their files. */
  edges: readonly { id: string; site: Site | null }[];
  database: Database;
  audit: Pick<Audit, 'recordIn'>;
  config: ConfigSender;
  clock: Clock;
  log: Log;
  metrics: Metrics;
}

const LIMIT_DEFAULT = 100;
/** One edge is told of a revision at most so often. */
const TELL_EVERY_MS = 5_000;

/** Builds the service; the database must be started before it, and stopped after it. */
export function createDesiredService(dependencies: DesiredDependencies): DesiredService {
  return new DesiredStates(dependencies);
}

class DesiredStates implements DesiredService {
  readonly #deps: DesiredDependencies;
  readonly #sites: ReadonlyMap<string, Site | null>;
  readonly #revisions: Counter;
  readonly #verdicts: Counter<'verdict'>;
  /** Monotonic ms of the last notice, by edge. */
  readonly #toldAt = new Map<string, number>();

  constructor(dependencies: DesiredDependencies) {
    this.#deps = dependencies;
    this.#sites = new Map(dependencies.edges.map(({ id, site }) => [id, site]));
    const registers = [dependencies.metrics];
    this.#revisions = new Counter({ name: 'gewu_desired_revisions_total', help: 'Desired states that were set', registers });
    this.#verdicts = new Counter({
      name: 'gewu_desired_verdicts_total',
      help: 'What edges made of them',
      labelNames: ['verdict'],
      registers,
    });
  }

  async start(): Promise<void> {}
  async stop(): Promise<void> {}

  list(): Promise<DesiredSummary[]> {
    return this.#summaries([...this.#sites.keys()].sort());
  }

  async get(edge: string): Promise<DesiredAnswer> {
    const site = this.#siteOf(edge);
    const { state } = await readState(this.#deps.database.kysely, edge);
    const model = await readModelReport(this.#deps.database.kysely, edge);
    return { ...(await this.#summary(edge)), state, calendars: calendarsOf(site, state), model };
  }

  async camera(edge: string, camera: string): Promise<DesiredCameraAnswer> {
    const site = this.#siteOf(edge);
    const { state } = await readState(this.#deps.database.kysely, edge);
    if (site?.cameras.every(({ id }) => id !== camera))
      throw new GewuError('GEWU_NOT_FOUND', `edge ${edge} has no camera ${camera}`);
    const classes = (await readModelReport(this.#deps.database.kysely, edge))?.classes ?? null;
    return cameraView(await this.#summary(edge), { site, state, camera, classes });
  }

  async set(edge: string, state: DesiredState, change: Change): Promise<DesiredAnswer> {
    await this.#change(edge, change, async (_, present) => withVouchedOf(present, state));
    return this.get(edge);
  }

  async setCamera(edge: string, camera: string, parts: CameraChange, change: Change): Promise<DesiredCameraAnswer> {
    await this.camera(edge, camera);
    const prefix = `cameras.${camera}.`;
    await this.#change(edge, change, async (_, present) => withCamera(present, camera, parts)).catch((error: unknown) => {
      if (!(error instanceof DesiredError)) throw error;
      throw new DesiredError(error.mistakes.map((m) => ({ ...m, key: m.key.replace(prefix, '') })));
    });
    return this.camera(edge, camera);
  }

  async setVouched(edge: string, camera: string, vouched: VouchedParts, change: Change): Promise<DesiredCameraAnswer> {
    await this.camera(edge, camera);
    await this.#change(edge, change, async (_, present) => withCamera(present, camera, vouched));
    return this.camera(edge, camera);
  }

  setMaintenance(edge: string, maintenance: DesiredState['maintenance'] | null, change: Change): Promise<DesiredAnswer> {
    return this.#setPart(edge, 'maintenance', maintenance, change);
  }

  setCalendars(edge: string, calendars: DesiredState['calendars'] | null, change: Change): Promise<DesiredAnswer> {
    return this.#setPart(edge, 'calendars', calendars, change);
  }

  async setModels(edge: string, { model, candidate }: ModelsChange, change: Change): Promise<DesiredAnswer> {
    await this.#change(edge, change, async (_, { model: oldModel, candidate: oldCandidate, ...rest }) => {
      const [next, beside] = [model === undefined ? oldModel : model, candidate === undefined ? oldCandidate : candidate];
      return { ...rest, ...(next ? { model: next } : {}), ...(beside ? { candidate: beside } : {}) };
    });
    return this.get(edge);
  }

  async returnTo(edge: string, to: number, change: Change): Promise<DesiredAnswer> {
    await this.#change(edge, change, async (db, present) => withVouchedOf(present, await stateOf(db, edge, to)));
    return this.get(edge);
  }

  revisions(
    edge: string,
    { before = Number.MAX_SAFE_INTEGER, limit = LIMIT_DEFAULT }: Parameters<DesiredService['revisions']>[1],
  ) {
    this.#siteOf(edge);
    // An `integer` of PostgreSQL ends there.
    return listRevisions(this.#deps.database.kysely, edge, Math.min(before, 2 ** 31 - 1), limit);
  }

  async revision(edge: string, revision: number) {
    this.#siteOf(edge);
    const row = await readRevision(this.#deps.database.kysely, edge, revision);
    return { ...toInfo(row), state: JSON.parse(row.state_json) as DesiredState };
  }

  async diff(edge: string, from: number, to: number) {
    this.#siteOf(edge);
    const { kysely } = this.#deps.database;
    return diffOf(await stateOf(kysely, edge, from), await stateOf(kysely, edge, to));
  }

  async document(edge: string, revision: number): Promise<{ json: string; sha256: string }> {
    const { state_json, sha256 } = await readRevision(this.#deps.database.kysely, edge, revision);
    return { json: state_json, sha256 };
  }

  async reported(reports: readonly (ConfigReport | ModelReport)[]): Promise<Verdict[]> {
    const verdicts = reports.map(({ edge, id }): Verdict => {
      if (id !== edge) return { ok: false, code: 'GEWU_HEALTH_INVALID', reason: `${edge} speaks for edge ${id}` };
      if (this.#sites.has(edge)) return ACCEPTED;
      return { ok: false, code: 'GEWU_DEVICE_UNKNOWN', reason: `edge ${edge} is not registered` };
    });
    const { database, clock } = this.#deps;
    const now = clock.now();
    await database.transaction(async (db) => {
      // An edge's clock may run ahead: a report from the future would silence all later ones.
      for (const [i, report] of reports.entries())
        if (verdicts[i]?.ok) await write(db, { ...report, ts: Math.min(report.ts, now) });
    });
    for (const report of reports) if (report.of === 'config') this.#verdicts.inc({ verdict: report.verdict });
    return verdicts;
  }

  async heard(nodes: readonly HealthRecord[]): Promise<void> {
    const judged = new Map(
      nodes.flatMap(({ id, values }) => {
        const revision = values?.[DESIRED_VALUES.judged];
        // A node that says nothing of it takes nothing.
        return revision === undefined || !this.#sites.has(id) ? [] : [[id, revision] as const];
      }),
    );
    try {
      const heads = await readHeads(this.#deps.database.kysely, [...judged.keys()]);
      for (const [edge, head] of heads) if (head.revision > (judged.get(edge) ?? 0)) this.#tell(edge, head);
    } catch (error) {
      // The node says it again in some seconds.
      this.#deps.log.debug({ err: error }, 'nodes were not told of their desired state');
    }
  }

  #tell(edge: string, { revision, sha256, bytes }: Head): void {
    const now = this.#deps.clock.monotonic();
    if (now - (this.#toldAt.get(edge) ?? Number.NEGATIVE_INFINITY) < TELL_EVERY_MS) return;
    this.#toldAt.set(edge, now);
    this.#deps.config.notify({ edge, revision, sha256, bytes });
  }

  /** One part of the state, or none: null gives it back to the edge's own file. */
  async #setPart<P extends keyof DesiredState>(
    edge: string,
    part: P,
    value: DesiredState[P] | null,
    change: Change,
  ): Promise<DesiredAnswer> {
    await this.#change(edge, change, async (_, { [part]: __, ...rest }) =>
      value === null || value === undefined ? rest : { ...rest, [part]: value },
    );
    return this.get(edge);
  }

  /** Makes and stores the next revision; one that changes nothing is none. */
  async #change(
    edge: string,
    change: Change,
    make: (db: Queries, present: DesiredState) => Promise<DesiredState>,
  ): Promise<void> {
    const site = this.#siteOf(edge);
    const { database, clock, audit } = this.#deps;
    const head = await database.transaction(
      async (db): Promise<Head | null> => {
        const present = await readState(db, edge);
        if (present.revision !== change.revision)
          throw new GewuError('GEWU_REVISION_STALE', `edge ${edge} is at revision ${present.revision}, not ${change.revision}`);
        const state = await make(db, present.state);
        const mistakes = [...(site === null ? [] : desiredMistakes(site, state)), ...(await modelMistakes(db, state))];
        if (mistakes.length > 0) throw new DesiredError(mistakes);
        if (change.check === true || diffOf(present.state, state).entries.length === 0) return null;
        // A revision that the edge has seen and this database has lost must not come again with another content.
        const seen = (await readReports(db, [edge])).get(edge);
        const revision = Math.max(present.revision, seen?.running ?? 0, seen?.judged ?? 0) + 1;
        const { by, roles, reason, about } = change;
        const [action, subject] = ['desired-state-set', `edge:${edge}`];
        const detail = { revision, before: present.revision, ...about };
        await audit.recordIn(db, { actor: by, roles, action, subject, purpose: reason, detail });
        return writeRevision(db, { edge, revision, state, by, reason, at: clock.now() });
      },
      { locks: [AUDIT_LOCK, { name: `desired:${edge}`, mode: 'exclusive' }] },
    );
    if (head === null) return;
    this.#revisions.inc();
    this.#toldAt.delete(edge);
    this.#tell(edge, head);
  }

  #siteOf(edge: string): Site | null {
    const site = this.#sites.get(edge);
    if (site === undefined) throw new GewuError('GEWU_NOT_FOUND', `there is no edge ${edge}`);
    return site;
  }

  async #summary(edge: string): Promise<DesiredSummary> {
    return (await this.#summaries([edge]))[0] as DesiredSummary;
  }

  async #summaries(edges: readonly string[]): Promise<DesiredSummary[]> {
    const { kysely } = this.#deps.database;
    const [heads, reports] = [await readHeads(kysely, edges), await readReports(kysely, edges)];
    return edges.map((edge) => summaryOf(edge, heads.get(edge)?.revision ?? 0, reports.get(edge)));
  }
}

async function modelMistakes(db: Queries, { model, candidate }: DesiredState): Promise<SiteMistake[]> {
  const mistakes: SiteMistake[] = [];
  for (const [key, wanted] of Object.entries({ model, candidate }))
    if (wanted !== undefined && !(await isPackageKnown(db, wanted.package)))
      mistakes.push({ key: `${key}.package`, value: wanted.package, message: 'there is no such package here: push it first' });
  if (candidate !== undefined && candidate.package === model?.package)
    mistakes.push({ key: 'candidate.package', value: candidate.package, message: 'it is in use already' });
  return mistakes;
}

function write(db: Queries, report: ConfigReport | ModelReport): Promise<void> {
  return report.of === 'config' ? writeReport(db, report) : writeModelReport(db, report);
}

/** 0 is the edge's own file. */
async function stateOf(db: Queries, edge: string, revision: number): Promise<DesiredState> {
  return revision === 0 ? {} : JSON.parse((await readRevision(db, edge, revision)).state_json);
}
