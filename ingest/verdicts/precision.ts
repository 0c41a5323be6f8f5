import type { PrecisionAnswer } from '#grid/api/mod.ts';

/** What a suggestion rests on at least, and the share that it wants. */
const VERDICTS_MIN = 20;
const PRECISION_WANTED = 0.9;

export interface Judged {
  source: string;
  zone: string;
  class_key: string;
  verdict: string;
  confidence: number;
}

/** Precision by source, zone and class, the most judged first. Source: docs/domain/kpi.md, report accuracy. */
export function precisionOf(judged: readonly Judged[]): PrecisionAnswer['items'] {
  const groups = Map.groupBy(judged, (j) => `${j.source} ${j.zone} ${j.class_key}`);
  const items = [...groups.values()].map((group) => {
    const { source, zone, class_key } = group[0] as Judged;
    const accepted = group.filter((j) => j.verdict === 'accepted').length;
    const rejected = group.length - accepted;
    return {
      source,
      zone,
      class: class_key,
      accepted,
      rejected,
      precision: accepted / group.length,
      threshold: thresholdOf(group),
    };
  });
  return items.sort((a, b) => b.accepted + b.rejected - a.accepted - a.rejected || (a.source < b.source ? -1 : 1));
}

/** The lowest confidence from which on the wanted share was accepted: it keeps the most. */
function thresholdOf(group: readonly Judged[]): number | null {
  if (group.length < VERDICTS_MIN) return null;
  const sorted = [...group].sort((a, b) => b.confidence - a.confidence);
  let [accepted, threshold] = [0, null as number | null];
  for (const [i, { verdict, confidence }] of sorted.entries()) {
    if (verdict === 'accepted') accepted++;
    // Of equal confidences all count, or none.
    const whole = sorted[i + 1]?.confidence !== confidence;
    if (whole && accepted / (i + 1) >= PRECISION_WANTED) threshold = confidence;
  }
  return threshold;
}
