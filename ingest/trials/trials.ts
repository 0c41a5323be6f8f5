import type { TrialAnswer, TrialSummary } from '#grid/api/mod.ts';
import type { CandidateReport, WatchReport } from '#grid/wire/mod.ts';
import { type Clock, GewuError } from '#service/mod.ts';
import type { Database, TrialWatchesTable } from '../database/mod.ts';
import type { Registry } from '../devices/mod.ts';
import { ACCEPTED, type Verdict } from '../ports.ts';
import { figuresOf, incidentsOf, unmetBy } from './compare.ts';
import type { PromotionConfig } from './config.ts';
import { readCandidates, readRaised, readWatches, writeCandidateReport, writeWatch } from './store.ts';

export interface TrialDependencies {
  config: PromotionConfig;
  database: Database;
  registry: Registry;
  clock: Clock;
}

/**
 * Candidates in shadow beside the models in use, and how the two compare:
 *
 *   edges: time that both looked --+
 *   events of both, verdicts ------+--> incidents: both, gained, lost --> false alarms per camera-day --> limits kept or not
 */
export interface Trials {
  /** What edges say; idempotent, in any order. */
  reported(reports: readonly (CandidateReport | WatchReport)[]): Promise<Verdict[]>;
  list(): Promise<TrialSummary[]>;
  /** By the candidate's package. Throws GEWU_NOT_FOUND. */
  compare(sha256: string): Promise<Omit<TrialAnswer, 'promotions'>>;
}

const HOUR_MS = 3_600_000;

export function createTrials({ config, database, registry, clock }: TrialDependencies): Trials {
  const refusal = ({ edge, of, id }: CandidateReport | WatchReport): Verdict => {
    if (of === 'candidate') {
      if (id !== edge) return { ok: false, code: 'GEWU_HEALTH_INVALID', reason: `${edge} speaks for edge ${id}` };
      return registry.edges.has(edge)
        ? ACCEPTED
        : { ok: false, code: 'GEWU_DEVICE_UNKNOWN', reason: `edge ${edge} is not registered` };
    }
    if (registry.cameras.get(id)?.edge === edge) return ACCEPTED;
    return { ok: false, code: 'GEWU_DEVICE_UNKNOWN', reason: `${edge} has no camera ${id}` };
  };

  return {
    async reported(reports) {
      const verdicts = reports.map(refusal);
      const now = clock.now();
      await database.transaction(async (db) => {
        for (const [n, report] of reports.entries()) {
          if (verdicts[n]?.ok !== true) continue;
          // An edge's clock may run ahead: a report from the future would silence all later ones.
          if (report.of === 'candidate') await writeCandidateReport(db, { ...report, ts: Math.min(report.ts, now) });
          else await writeWatch(db, report);
        }
      });
      return verdicts;
    },

    async list() {
      const { kysely } = database;
      const [candidates, watches] = [await readCandidates(kysely), await readWatches(kysely)];
      const packages = new Set([...watches.map((w) => w.package), ...candidates.map((c) => c.candidate.package).filter(Boolean)]);
      return [...packages].map((sha256) =>
        headOf(
          sha256,
          candidates,
          watches.filter((w) => w.package === sha256),
        ),
      );
    },

    async compare(sha256) {
      const { kysely } = database;
      const [candidates, watches] = [await readCandidates(kysely), await readWatches(kysely, sha256)];
      const pushed = await kysely
        .selectFrom('model_packages')
        .select(['name', 'version'])
        .where('sha256', '=', sha256)
        .executeTakeFirst();
      if (pushed === undefined) throw new GewuError('GEWU_NOT_FOUND', `there is no model package ${sha256}`);
      const head = headOf(sha256, candidates, watches);
      const incidents = incidentsOf(await readRaised(kysely, watches));
      const watchedMs = sum(watches, (w) => w.watched_ms);
      const total = figuresOf(incidents, watchedMs);
      const byClass = Map.groupBy(incidents, (i) => i.detects);
      const unmet = unmetBy(total, watchedMs, config);
      return {
        ...head,
        // One that an edge refused at once has not told its name.
        model: head.model || `${pushed.name}@${pushed.version}`,
        against: [...new Set(watches.map((w) => w.against))],
        pictures: sum(watches, (w) => w.pictures),
        skipped: sum(watches, (w) => w.skipped),
        total,
        perClass: Object.fromEntries([...byClass].map(([name, group]) => [name, figuresOf(group, watchedMs)])),
        supported: unmet.length === 0,
        unmet,
      };
    },
  };
}

function headOf(
  sha256: string,
  candidates: readonly TrialSummary['edges'][number][],
  watches: readonly TrialWatchesTable[],
): TrialSummary {
  const edges = candidates.filter((c) => c.candidate.package === sha256);
  return {
    package: sha256,
    model: watches[0]?.model ?? edges[0]?.candidate.model ?? '',
    edges,
    cameras: new Set(watches.map((w) => w.camera)).size,
    cameraHours: Math.round((sum(watches, (w) => w.watched_ms) / HOUR_MS) * 1000) / 1000,
  };
}

const sum = <T>(items: readonly T[], of: (item: T) => number): number =>
  items.reduce((total, item) => total + Number(of(item)), 0);
