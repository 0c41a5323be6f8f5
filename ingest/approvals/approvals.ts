import type { ApprovalAnswer } from '#grid/api/mod.ts';
import type { SiteApproval } from '#grid/mod.ts';
import { type Clock, GewuError } from '#service/mod.ts';
import type { Database } from '../database/mod.ts';
import type { DesiredService } from '../desired/mod.ts';
import type { Registry } from '../devices/mod.ts';
import { ofRaised } from '../verdicts/mod.ts';
import { edgeOf, type VouchingChange } from './change.ts';
import type { ApprovalsConfig } from './config.ts';

export interface ApprovalDependencies {
  config: ApprovalsConfig;
  database: Database;
  desired: DesiredService;
  registry: Registry;
  clock: Clock;
}

/** A class of a model, by `name@version`. */
export interface ApprovalWanted {
  model: string;
  detects: string;
}

/**
 * Which classes of a model that has not seen real streets may open cases on which camera.
 *
 *   events in shadow --> verdicts of reviewers --> measured precision --> a person switches the class on --> desired state --> edge
 *
 * An approval belongs to the camera's part of the desired state, so its history, its author and the edge's confirmation are there.
 */
export interface Approvals {
  /** What was judged on this camera, the most judged first. Throws GEWU_NOT_FOUND. */
  list(camera: string): Promise<ApprovalAnswer[]>;
  /**
   * Switches a class on. Throws GEWU_NOT_FOUND, and GEWU_APPROVAL_NOT_EARNED with the figures where too little was judged or
   * too much of it was wrong.
   */
  approve(camera: string, wanted: ApprovalWanted, change: VouchingChange): Promise<ApprovalAnswer[]>;
  /** Switches it off; what is off already stays so. Cases that were opened go on. */
  withdraw(camera: string, wanted: ApprovalWanted, change: VouchingChange): Promise<ApprovalAnswer[]>;
}

/** The newest verdicts count: a model is judged by how it does now. */
const JUDGED_MAX = 1_000;

export function createApprovals({ config, database, desired, registry, clock }: ApprovalDependencies): Approvals {
  async function list(camera: string): Promise<ApprovalAnswer[]> {
    const { approvals } = await desired.camera(edgeOf(registry, camera), camera);
    const counts = await judged(database, camera);
    for (const { model, detects } of approvals)
      counts.set(keyOf({ model, detects }), counts.get(keyOf({ model, detects })) ?? none);
    const items = [...counts].map(([key, { judged, accepted }]): ApprovalAnswer => {
      const [model, detects] = key.split(' ') as [string, string];
      const precision = judged === 0 ? null : accepted / judged;
      const earned = judged >= config.judgedMin && (precision ?? 0) >= config.precisionMin;
      const approved = approvals.find((r) => r.model === model && r.detects === detects) ?? null;
      return { model, detects, judged, accepted, precision, earned, approved };
    });
    return items.sort((a, b) => b.judged - a.judged || keyOf(a).localeCompare(keyOf(b)));
  }

  async function set(camera: string, change: VouchingChange, next: (present: readonly SiteApproval[]) => SiteApproval[]) {
    const edge = edgeOf(registry, camera);
    const { revision, approvals } = await desired.camera(edge, camera);
    await desired.setVouched(edge, camera, { approvals: next(approvals) }, { ...change, revision });
    return list(camera);
  }

  return {
    list,
    async approve(camera, wanted, change) {
      const figures = (await list(camera)).find((r) => keyOf(r) === keyOf(wanted));
      const { judged = 0, accepted = 0 } = figures ?? {};
      if (figures?.earned !== true)
        throw new GewuError(
          'GEWU_APPROVAL_NOT_EARNED',
          `${wanted.detects} of ${wanted.model} on ${camera}: ${accepted} of ${judged} judged were accepted; ` +
            `wanted are ${config.judgedMin} and a share of ${config.precisionMin}`,
        );
      const at = new Date(clock.now()).toISOString();
      const added: SiteApproval = { ...wanted, by: change.by, at, judged, precision: accepted / judged };
      return set(camera, change, (present) => [...without(present, wanted), added]);
    },
    withdraw: (camera, wanted, change) => set(camera, change, (present) => without(present, wanted)),
  };
}

const none = { judged: 0, accepted: 0 };
/** Neither has a space in it. */
const keyOf = ({ model, detects }: ApprovalWanted): string => `${model} ${detects}`;
const without = (present: readonly SiteApproval[], wanted: ApprovalWanted): SiteApproval[] =>
  present.filter((r) => keyOf(r) !== keyOf(wanted));

async function judged(database: Database, camera: string): Promise<Map<string, { judged: number; accepted: number }>> {
  const rows = await database.kysely
    .selectFrom('verdicts')
    .select(['model', 'detects', 'verdict'])
    .where('source', '=', camera)
    .where('model', '!=', '')
    .where(ofRaised)
    .orderBy('at', 'desc')
    .limit(JUDGED_MAX)
    .execute();
  const groups = Map.groupBy(rows, keyOf);
  return new Map(
    [...groups].map(([key, group]) => [
      key,
      { judged: group.length, accepted: group.filter((r) => r.verdict === 'accepted').length },
    ]),
  );
}
