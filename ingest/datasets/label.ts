import type { DatasetItem, DatasetLeftOut, VerdictReason } from '#grid/api/mod.ts';

/** What a verdict says of the picture, by its reason. A permitted stall is a stall, and so is a duplicate of one. */
const BY_REASON: Readonly<Record<VerdictReason, DatasetItem['label'] | 'unclear'>> = {
  'nothing-there': 'nothing',
  permitted: 'thing',
  duplicate: 'thing',
  // Something is there, and nobody says what.
  'wrong-class': 'unclear',
  'device-fault': 'unclear',
  other: 'unclear',
};

export function labelOf({ verdict, reason }: { verdict: string; reason: string | null }): DatasetItem['label'] | DatasetLeftOut {
  if (verdict === 'accepted') return 'thing';
  return BY_REASON[reason as VerdictReason] ?? 'unclear';
}
