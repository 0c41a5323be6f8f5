import { randomUUID } from 'node:crypto';
import type { EdgeModelAnswer, PromotionAnswer, TrialAnswer } from '#grid/api/mod.ts';
import type { DesiredState } from '#grid/mod.ts';
import { type Clock, GewuError, type Log, type Service } from '#service/mod.ts';
import { AUDIT_LOCK, type Audit } from '../audit/mod.ts';
import type { Database, PromotionsTable } from '../database/mod.ts';
import type { DesiredService } from '../desired/mod.ts';
import type { DeviceService, Registry } from '../devices/mod.ts';
import { ofRaised } from '../verdicts/mod.ts';
import type { PromotionConfig } from './config.ts';
import type { Trials } from './trials.ts';

export interface PromotionDependencies {
  config: PromotionConfig;
  trials: Pick<Trials, 'compare'>;
  database: Database;
  desired: DesiredService;
  devices: Pick<DeviceService, 'cameras'>;
  registry: Registry;
  audit: Pick<Audit, 'recordIn'>;
  clock: Clock;
  log: Log;
}

export interface PromotionWanted {
  /** One edge first; all when that one has kept it through its soak time. */
  to: 'one' | 'all';
  /** Which one; the first that has it as its candidate where not said. */
  edge?: string | undefined;
  /** Although the figures do not carry it. */
  forced?: boolean | undefined;
  reason: string;
}
export interface Who {
  id: string;
  roles: readonly string[];
}

/** What a model is held against while it soaks. */
interface Baseline {
  falseAlarmsPerCameraDay: number;
  cameras: number;
  camerasOnline: number;
  /** Of what the edge had said of its model; the edge's clock. */
  reportedAt: number;
}

const SWEEP_EVERY_MS = 2_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
const LISTED_MAX = 500;
const CAMERAS_MAX = 200;
const MACHINE: Who = { id: 'gewu', roles: [] };

/**
 * From a candidate to the model of one edge, then of all, and back by itself where it does worse:
 *
 *   comparison carries it --one--> soaking --soak time over--> passed --all--> soaking on every other edge --> passed
 *                                     |                                          |
 *                                     +-- crashed, refused, more false alarms, cameras missing --> returned: the model before
 */
export class Promotions implements Service {
  readonly #deps: PromotionDependencies;
  /** By promotion, monotonic ms since when cameras are missing. */
  readonly #missingMs = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;
  #sweeping: Promise<void> = Promise.resolve();

  constructor(dependencies: PromotionDependencies) {
    this.#deps = dependencies;
  }

  async start(): Promise<void> {
    this.#timer = setInterval(() => {
      this.#sweeping = this.#sweeping
        .then(() => this.sweep())
        .catch((error: unknown) => {
          this.#deps.log.warn({ err: error }, 'promoted models were not looked at; tried again');
        });
    }, SWEEP_EVERY_MS);
    this.#timer.unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#sweeping;
  }

  /** Newest first. */
  async list(sha256: string): Promise<PromotionAnswer[]> {
    const rows = await this.#deps.database.kysely
      .selectFrom('promotions')
      .selectAll()
      .where('package', '=', sha256)
      .orderBy('at', 'desc')
      .orderBy('edge')
      .limit(LISTED_MAX)
      .execute();
    return rows.map(toAnswer);
  }

  /** Throws GEWU_PROMOTION_NOT_EARNED with the figures, GEWU_NOT_FOUND. */
  async promote(sha256: string, { to, edge, forced = false, reason }: PromotionWanted, who: Who): Promise<PromotionAnswer[]> {
    const trial = await this.#deps.trials.compare(sha256);
    const before = await this.list(sha256);
    if (!forced) checkEarned(trial, to, before);
    const edges = to === 'one' ? [this.#chosen(trial, edge)] : this.#others(before);
    for (const one of edges) await this.#put(one, trial, { forced, reason }, who);
    return this.list(sha256);
  }

  /** The model before, on these edges or on all that have it from here. Throws GEWU_NOT_FOUND. */
  async return(
    sha256: string,
    { edge, reason }: { edge?: string | undefined; reason: string },
    who: Who,
  ): Promise<PromotionAnswer[]> {
    const rows = await this.#rows(sha256);
    const mine = rows.filter((row) => edge === undefined || row.edge === edge);
    if (mine.length === 0)
      throw new GewuError('GEWU_NOT_FOUND', `${sha256} was not promoted ${edge === undefined ? 'anywhere' : `on ${edge}`}`);
    for (const row of mine) await this.#sendBack(row, reason, who);
    return this.list(sha256);
  }

  /** Looks how promoted models do. Runs by itself every few seconds; tests call it. */
  async sweep(): Promise<void> {
    const rows = await this.#deps.database.kysely.selectFrom('promotions').selectAll().where('state', '=', 'soaking').execute();
    for (const row of rows) {
      const state = await this.#deps.desired.get(row.edge);
      if (state.state.model?.package !== row.package) {
        await this.#end(row, 'superseded', 'another model was set', MACHINE);
        continue;
      }
      const why = await this.#worse(row, state.model);
      if (why !== null) await this.#sendBack(row, why, MACHINE);
      else if (this.#deps.clock.now() >= row.soak_until && state.model?.package === row.package)
        await this.#end(row, 'passed', 'kept it through its soak time', MACHINE);
    }
  }

  /** Why a model that soaks has to go, or null. */
  async #worse(row: PromotionsTable, report: EdgeModelAnswer | null): Promise<string | null> {
    const { config, clock } = this.#deps;
    const baseline = JSON.parse(row.baseline_json) as Baseline;
    const isNew = report !== null && report.wanted === row.package && report.ts > baseline.reportedAt;
    if (isNew && (report.phase === 'refused' || report.phase === 'returned'))
      return `the edge has ${report.phase} it: ${report.code}`;
    const rejected = await this.#rejectedSince(row);
    const perCameraDay = (rejected * DAY_MS) / (Math.max(1, baseline.cameras) * Math.max(HOUR_MS, clock.now() - row.at));
    const most = baseline.falseAlarmsPerCameraDay * config.soakFalseAlarmRatioMax;
    if (rejected >= config.soakFalseAlarmsMin && perCameraDay > most)
      return `${rejected} false alarms, ${perCameraDay.toFixed(2)} a camera-day; ${most.toFixed(2)} were bearable`;
    const online = await this.#camerasOnline(row.edge);
    if (online >= baseline.camerasOnline) this.#missingMs.delete(row.id);
    else {
      const since = this.#missingMs.get(row.id) ?? clock.monotonic();
      this.#missingMs.set(row.id, since);
      if (clock.monotonic() - since >= config.soakCamerasMissingS * 1000)
        return `${online} cameras send pictures, ${baseline.camerasOnline} had before`;
    }
    return null;
  }

  async #rejectedSince({ model, edge, at }: PromotionsTable): Promise<number> {
    const { count } = await this.#deps.database.kysely
      .selectFrom('verdicts as v')
      .innerJoin('events as e', 'e.subject', 'v.event')
      .select((eb) => eb.fn.countAll<number>().as('count'))
      .where('v.model', '=', model)
      .where('v.verdict', '=', 'rejected')
      .where(ofRaised)
      .where('e.edge', '=', edge)
      .where('e.confirmed_at', '>=', at)
      .executeTakeFirstOrThrow();
    return Number(count);
  }

  async #camerasOnline(edge: string): Promise<number> {
    return (await this.#deps.devices.cameras({ edge, state: 'online', limit: CAMERAS_MAX })).items.length;
  }

  #chosen({ edges }: Pick<TrialAnswer, 'edges'>, edge: string | undefined): string {
    const chosen = edge ?? edges[0]?.edge;
    if (chosen === undefined) throw new GewuError('GEWU_REQUEST_INVALID', 'no edge has it as its candidate now: name one');
    if (!this.#deps.registry.edges.has(chosen)) throw new GewuError('GEWU_NOT_FOUND', `there is no edge ${chosen}`);
    return chosen;
  }

  /** Edges with cameras that do not have it yet. */
  #others(before: readonly PromotionAnswer[]): string[] {
    const have = new Set(before.filter((p) => p.state === 'passed' || p.state === 'soaking').map((p) => p.edge));
    return [...this.#deps.registry.edges.values()].filter((e) => e.cameras > 0 && !have.has(e.id)).map((e) => e.id);
  }

  /** The desired state first: what is only written down would be given up as superseded. */
  async #put(
    edge: string,
    trial: Omit<TrialAnswer, 'promotions'>,
    how: { forced: boolean; reason: string },
    who: Who,
  ): Promise<void> {
    const { desired, registry, database, audit, clock, config } = this.#deps;
    const { package: sha256, model } = trial;
    const { revision, state, model: report } = await desired.get(edge);
    const baseline: Baseline = {
      falseAlarmsPerCameraDay: trial.total.active.falseAlarmsPerCameraDay ?? 0,
      cameras: registry.edges.get(edge)?.cameras ?? 0,
      camerasOnline: await this.#camerasOnline(edge),
      reportedAt: report?.ts ?? 0,
    };
    const change = { by: who.id, roles: who.roles, reason: how.reason, revision };
    await desired.setModels(edge, { model: { package: sha256 }, candidate: null }, change);
    const at = clock.now();
    const row: PromotionsTable = {
      ...{ id: randomUUID(), package: sha256, model, edge, state: 'soaking', forced: how.forced ? 1 : 0, reason: how.reason },
      ...{ before_json: JSON.stringify(state.model ?? null), baseline_json: JSON.stringify(baseline) },
      ...{ by: who.id, at, soak_until: at + Math.round(config.soakHours * HOUR_MS), ended_at: null, ended_because: null },
    };
    await database.transaction(
      async (db) => {
        await db.insertInto('promotions').values(row).execute();
        const detail = { edge, model, forced: how.forced, unmet: trial.unmet.map((u) => u.limit).join(',') };
        const act = {
          actor: who.id,
          roles: who.roles,
          action: 'model-promoted',
          subject: `model:${sha256}`,
          purpose: how.reason,
        };
        await audit.recordIn(db, { ...act, detail });
      },
      { locks: [AUDIT_LOCK] },
    );
  }

  async #sendBack(row: PromotionsTable, why: string, who: Who): Promise<void> {
    const { desired } = this.#deps;
    const { revision, state } = await desired.get(row.edge);
    if (state.model?.package === row.package) {
      const model = JSON.parse(row.before_json) as DesiredState['model'] | null;
      const reason = `return from ${row.model}: ${why}`.slice(0, 500);
      await desired.setModels(row.edge, { model: model ?? null }, { by: who.id, roles: who.roles, reason, revision });
    }
    await this.#end(row, 'returned', why, who);
  }

  async #end(row: PromotionsTable, state: PromotionAnswer['state'], why: string, who: Who): Promise<void> {
    const { database, audit, clock, log } = this.#deps;
    this.#missingMs.delete(row.id);
    await database.transaction(
      async (db) => {
        const { numUpdatedRows } = await db
          .updateTable('promotions')
          .set({ state, ended_at: clock.now(), ended_because: why })
          .where('id', '=', row.id)
          .where('state', '=', row.state)
          .executeTakeFirst();
        // Another replica was quicker.
        if (numUpdatedRows !== 1n) return;
        const act = { actor: who.id, roles: who.roles, action: `model-${state}`, subject: `model:${row.package}`, purpose: why };
        await audit.recordIn(db, { ...act, detail: { edge: row.edge, model: row.model } });
      },
      { locks: [AUDIT_LOCK] },
    );
    log.info({ edge: row.edge, model: row.model, state, why }, 'a promoted model');
  }

  /** Those that have not ended by returning. */
  #rows(sha256: string): Promise<PromotionsTable[]> {
    return this.#deps.database.kysely
      .selectFrom('promotions')
      .selectAll()
      .where('package', '=', sha256)
      .where('state', 'in', ['soaking', 'passed'])
      .execute();
  }
}

function checkEarned(
  trial: Omit<TrialAnswer, 'promotions'>,
  to: PromotionWanted['to'],
  before: readonly PromotionAnswer[],
): void {
  if (!trial.supported) {
    const unmet = trial.unmet.map(({ limit, wanted, is }) => `${limit} ${wanted}, it is ${is}`).join('; ');
    throw new GewuError('GEWU_PROMOTION_NOT_EARNED', `${trial.model}: ${unmet}`);
  }
  const last = before.at(0)?.state;
  if (to === 'all' && !(last === 'passed' && before.every((p) => p.state !== 'soaking')))
    throw new GewuError(
      'GEWU_PROMOTION_NOT_EARNED',
      `${trial.model}: no edge has kept it through its soak time${last === undefined ? '' : `; the last is ${last}`}`,
    );
}

const toAnswer = (row: PromotionsTable): PromotionAnswer => ({
  id: row.id,
  edge: row.edge,
  state: row.state as PromotionAnswer['state'],
  forced: row.forced === 1,
  reason: row.reason,
  by: row.by,
  at: row.at,
  soakUntil: row.soak_until,
  endedAt: row.ended_at,
  endedBecause: row.ended_because,
});
