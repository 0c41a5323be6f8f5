import { type Clock, createMetrics, type Log } from '#service/mod.ts';
import { CentreApi } from '../centre/mod.ts';
import { EvidenceRoom } from './room.ts';

/** Small: what is measured or tried for an hour. */
const QUOTA_BYTES = 100_000_000;

/** The evidence of cameras that run without a centre, to be measured or tried: it waits on the disk as in an outage, and there are no clips. */
export function evidenceAlone({
  dataDir,
  edgeId,
  clock,
  log,
}: {
  dataDir: string;
  edgeId: string;
  clock: Clock;
  log: Log;
}): EvidenceRoom {
  return new EvidenceRoom({
    dataDir,
    edgeId,
    // Nobody listens there.
    centre: new CentreApi({ url: 'http://127.0.0.1:1', edgeId, password: '', clock }),
    limits: { quotaBytes: QUOTA_BYTES, originalsQuotaBytes: QUOTA_BYTES, retention: {} },
    clips: false,
    trail: {
      record: () => Promise.reject(new Error('nothing is released without a centre')),
    },
    clock,
    log,
    metrics: createMetrics(),
  });
}
