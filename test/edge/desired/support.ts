import { createHash } from 'node:crypto';
import { onTestFinished } from 'vitest';
import { DesiredKeeper, openDesired, type RefusedChange } from '#edge/desired/mod.ts';
import { type DesiredState, Site } from '#grid/mod.ts';
import type { ConfigNotice, ConfigReport } from '#grid/wire/mod.ts';
import { checkConfig, silentLog, systemClock } from '#service/mod.ts';
import { EDGE, SITE, ZONE } from '../../ingest/api/fixture.ts';

export const FILE = checkConfig('test', Site, SITE);

/** A state that is told from others by the dwell time of its one rule. */
export const stateOf = (dwellS: number): DesiredState =>
  ({ cameras: { 'cam-1': { zones: [{ ...ZONE, rules: ZONE.rules.map((r) => ({ ...r, dwellS })) }] } } }) as never;
export const dwellOf = (site: Site | undefined) => site?.cameras[0]?.zones[0]?.rules[0]?.dwellS;

export function noticeOf(revision: number, state: unknown): ConfigNotice {
  const json = JSON.stringify(state);
  return { edge: EDGE, revision, sha256: createHash('sha256').update(json).digest('hex'), bytes: json.length };
}

export interface Life {
  keeper: DesiredKeeper;
  /** What the node started with, and what was put in force since. */
  sites: Site[];
  reports: ConfigReport[];
  /** Documents by revision. */
  documents: Map<number, unknown>;
  fetched: number[];
  /** Thrown by the next apply. */
  refuse: RefusedChange | Error | null;
  /** A state of this revision, as the centre would tell it. */
  tell(revision: number, state: unknown): void;
}

/** One life of the part that keeps the desired state, over a folder that outlives it. */
export async function live(
  dataDir: string,
  { file = FILE, ignored = false, proofMs = 60_000 }: { file?: Site; ignored?: boolean; proofMs?: number } = {},
): Promise<Life> {
  const start = await openDesired({ site: file, dataDir, ignored, log: silentLog });
  const documents = new Map<number, unknown>();
  const [reports, fetched, sites] = [[] as ConfigReport[], [] as number[], [start.site]];
  const keeper = new DesiredKeeper({
    edge: EDGE,
    start,
    proofMs,
    clock: systemClock,
    log: silentLog,
    health: { report: async (report) => void reports.push(report as ConfigReport) },
    async fetch({ revision }) {
      fetched.push(revision);
      if (!documents.has(revision)) throw new Error('the centre is away');
      return documents.get(revision);
    },
    async apply(site) {
      const refuse = life.refuse;
      life.refuse = null;
      if (refuse !== null) throw refuse;
      sites.push(site);
      return [];
    },
  });
  const life: Life = {
    ...{ keeper, sites, reports, documents, fetched, refuse: null },
    tell(revision, state) {
      documents.set(revision, state);
      keeper.receive(noticeOf(revision, state));
    },
  };
  await keeper.start();
  onTestFinished(() => keeper.stop());
  return life;
}
