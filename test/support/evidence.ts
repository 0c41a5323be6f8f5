import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { Trail } from '#edge/audit/mod.ts';
import { CentreApi } from '#edge/centre/mod.ts';
import { EvidenceRoom, type EvidenceRoomDeps } from '#edge/evidence/mod.ts';
import type { HealthLine } from '#grid/wire/mod.ts';
import { createMetrics, silentLog, systemClock } from '#service/mod.ts';

export const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

export interface RoomOptions extends Partial<Omit<EvidenceRoomDeps, 'trail' | 'centre'>> {
  dataDir: string;
  /** Of the centre; nobody listens where it is left out. */
  url?: string;
  /** What the node reports. */
  health?: HealthLine[];
}

/** What a node's cameras share to prove their events, with everything as shipped that is not said; `close` ends it. */
export async function evidenceRoom({
  health = [],
  url = 'http://127.0.0.1:1',
  ...options
}: RoomOptions): Promise<{ room: EvidenceRoom; trail: Trail; close(): Promise<void> }> {
  const common = { clock: systemClock, log: silentLog };
  const edge = options.edgeId ?? 'edge-01';
  const trail = new Trail({
    dir: join(options.dataDir, 'audit'),
    edge,
    health: { report: async (record) => void health.push(record) },
    ...common,
  });
  const centre = new CentreApi({ url, edgeId: edge, password: 'secret-1', clock: systemClock });
  const room = new EvidenceRoom({
    edgeId: edge,
    centre,
    limits: { quotaBytes: 100_000_000, originalsQuotaBytes: 100_000_000, retention: { '*': { days: 30, share: 1 } } },
    clips: false,
    metrics: createMetrics(),
    ...common,
    ...options,
    trail,
  });
  await trail.start();
  await centre.start();
  await room.start();
  return {
    room,
    trail,
    async close() {
      await room.stop();
      await centre.stop();
      await trail.stop();
    },
  };
}
