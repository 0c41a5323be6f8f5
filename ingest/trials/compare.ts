import type { Judged, Side, TrialFigures, UnmetLimit } from '#grid/api/mod.ts';
import type { PromotionConfig } from './config.ts';

/** An event of one of the two, as far as it is compared. Times UTC ms. */
export interface Raised {
  side: 'active' | 'candidate';
  camera: string;
  zone: string;
  detects: string;
  from: number;
  /** Cleared, or the end of what is compared. */
  to: number;
  /** Raised while both looked; else it only explains what the other raised. */
  counts: boolean;
  verdict: 'accepted' | 'rejected' | null;
}

/** What happened once at a place, raised by either or both. */
interface Incident {
  detects: string;
  active: boolean;
  candidate: boolean;
  verdict: Raised['verdict'];
}

/** Two events of one zone and class that are no further apart are one incident: one of the two was cleared and raised again. */
const APART_MS_MAX = 60_000;
const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

/** Events of one camera, zone and class that overlap in time are one incident; a word on any of them counts for it. */
export function incidentsOf(raised: readonly Raised[]): Incident[] {
  const places = Map.groupBy(raised, ({ camera, zone, detects }) => `${camera} ${zone} ${detects}`);
  return [...places.values()].flatMap((events) => {
    const groups: Raised[][] = [];
    let end = Number.NEGATIVE_INFINITY;
    for (const event of [...events].sort((a, b) => a.from - b.from)) {
      if (event.from > end + APART_MS_MAX) groups.push([]);
      groups.at(-1)?.push(event);
      end = Math.max(end, event.to);
    }
    return groups.filter((group) => group.some((e) => e.counts)).map(incidentOf);
  });
}

function incidentOf(group: readonly Raised[]): Incident {
  const has = (verdict: Raised['verdict']) => group.some((e) => e.verdict === verdict);
  return {
    detects: group[0]?.detects ?? '',
    active: group.some((e) => e.side === 'active'),
    candidate: group.some((e) => e.side === 'candidate'),
    verdict: has('accepted') ? 'accepted' : has('rejected') ? 'rejected' : null,
  };
}

export function figuresOf(incidents: readonly Incident[], watchedMs: number): TrialFigures {
  const side = (mine: readonly Incident[]): Side => {
    const { accepted, rejected } = judgedOf(mine);
    return {
      incidents: mine.length,
      precision: accepted + rejected === 0 ? null : rounded(accepted / (accepted + rejected)),
      falseAlarmsPerCameraDay: watchedMs === 0 ? null : rounded((rejected * DAY_MS) / watchedMs),
    };
  };
  return {
    both: judgedOf(incidents.filter((i) => i.active && i.candidate)),
    gained: judgedOf(incidents.filter((i) => !i.active)),
    lost: judgedOf(incidents.filter((i) => !i.candidate)),
    active: side(incidents.filter((i) => i.active)),
    candidate: side(incidents.filter((i) => i.candidate)),
  };
}

function judgedOf(incidents: readonly Incident[]): Judged {
  const of = (verdict: Raised['verdict']) => incidents.filter((i) => i.verdict === verdict).length;
  return { accepted: of('accepted'), rejected: of('rejected'), unjudged: of(null) };
}

/** Limits that the figures do not keep; none: the candidate may take the other's place. */
export function unmetBy({ both, gained, lost }: TrialFigures, watchedMs: number, limits: PromotionConfig): UnmetLimit[] {
  const judged = [both, gained, lost].reduce((sum, j) => sum + j.accepted + j.rejected, 0);
  const differ = [gained, lost].reduce((sum, j) => sum + j.accepted + j.rejected + j.unjudged, 0);
  const differJudged = differ - gained.unjudged - lost.unjudged;
  const wasRight = both.accepted + lost.accepted;
  const [wrong, wasWrong] = [both.rejected + gained.rejected, both.rejected + lost.rejected];
  const least = (limit: keyof PromotionConfig, is: number) =>
    is < limits[limit] ? [{ limit, wanted: limits[limit], is: rounded(is) }] : [];
  const most = (limit: keyof PromotionConfig, is: number) =>
    is > limits[limit] ? [{ limit, wanted: limits[limit], is: rounded(is) }] : [];
  return [
    ...least('cameraHoursMin', watchedMs / HOUR_MS),
    ...least('judgedMin', judged),
    ...least('differencesJudgedMin', differ === 0 ? 1 : differJudged / differ),
    ...most('lostShareMax', wasRight === 0 ? 0 : lost.accepted / wasRight),
    // Against none, each one is too many: as if it were held against one.
    ...most('falseAlarmRatioMax', wrong === 0 ? 0 : wasWrong === 0 ? wrong + limits.falseAlarmRatioMax : wrong / wasWrong),
  ];
}

const rounded = (value: number): number => Math.round(value * 1000) / 1000;
