import { createHash } from 'node:crypto';
import { DATASET_SPLITS, type DatasetSplit } from '#grid/api/mod.ts';
import { GewuError } from '#service/mod.ts';

/** Of the groups, for choosing thresholds and for measuring, each. */
const SHARE = 0.1;

/**
 * To which side each group of pictures goes (a camera's within one hour): pictures that are nearly the same on both sides would
 * flatter the figures. Follows from the names of the groups alone. Throws GEWU_DATASET_TOO_SMALL.
 */
export function splitOf(groups: Iterable<string>): Map<string, DatasetSplit> {
  const names = [...new Set(groups)].sort((a, b) => (lot(a) < lot(b) ? -1 : 1));
  if (names.length < DATASET_SPLITS.length)
    throw new GewuError(
      'GEWU_DATASET_TOO_SMALL',
      `the pictures are of ${names.length} camera-hours; to learn, choose thresholds and measure apart takes ${DATASET_SPLITS.length}`,
    );
  const each = Math.max(1, Math.round(names.length * SHARE));
  return new Map(names.map((name, n) => [name, n < each ? 'test' : n < 2 * each ? 'val' : 'train']));
}

const lot = (name: string): string => createHash('sha256').update(name).digest('hex');
