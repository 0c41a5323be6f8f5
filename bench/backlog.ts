import { join } from 'node:path';
import { Outbox } from '#edge/mod.ts';
import { type EventData, type EventType, type SiteDevice, toEventRecord } from '#grid/mod.ts';
import { type Lane, toLine } from '#grid/wire/mod.ts';
import { createMetrics, silentLog } from '#service/mod.ts';
import { lampFields } from './load/main.ts';
import { CELL, EDGE } from './site.ts';

export interface Backlog {
  /** How long the centre was away. */
  seconds: number;
  readingsPerS: number;
  /** Revisions: each incident is raised, updated and cleared. */
  eventsPerS: number;
}

const REVISIONS: readonly EventType[] = ['gewu.event.raised', 'gewu.event.updated', 'gewu.event.cleared'];
const BATCH = 5_000;

/** Fills an edge's outbox by its own code with what an outage would have left there. Returns the records by lane. */
export async function fillOutbox(
  edgeDataDir: string,
  { lamps, covers }: { lamps: readonly SiteDevice[]; covers: readonly SiteDevice[] },
  { seconds, readingsPerS, eventsPerS }: Backlog,
): Promise<Record<'readings' | 'events', number>> {
  const outbox = new Outbox({
    file: join(edgeDataDir, 'outbox.db'),
    quotaBytes: 8 * 1024 ** 3,
    ageMsMax: 7 * 86_400_000,
    log: silentLog,
    metrics: createMetrics(),
  });
  await outbox.start();
  const startMs = Date.now() - (seconds + 60) * 1000;
  const append = async (lane: Lane, count: number, line: (i: number) => string) => {
    for (let first = 0; first < count; first += BATCH) {
      const batch = Array.from({ length: Math.min(BATCH, count - first) }, (_, k) => Buffer.from(line(first + k)));
      await outbox.append(lane, batch);
    }
    return count;
  };
  const readings = await append('readings', seconds * readingsPerS, (i) => readingLine(lamps, i, startMs, readingsPerS));
  const incidents = Math.floor((seconds * eventsPerS) / REVISIONS.length);
  const events = await append('events', incidents * REVISIONS.length, (i) => {
    const [incident, revision] = [Math.floor(i / REVISIONS.length), i % REVISIONS.length];
    const at = startMs + Math.floor((i * 1000) / eventsPerS);
    return eventLine(covers[incident % covers.length] as SiteDevice, incident, revision, at);
  });
  await outbox.stop();
  return { readings, events };
}

function readingLine(lamps: readonly SiteDevice[], i: number, startMs: number, perS: number): string {
  const lamp = lamps[i % lamps.length] as SiteDevice;
  // Numbers far from those of the live stream: gaps and repeats are not what is measured.
  const seq = 1_000_000 + Math.floor(i / lamps.length);
  const ts = startMs + Math.floor((i * 1000) / perS);
  return toLine({ kind: 'streetlight', device: lamp.id, cell: CELL, edge: EDGE, ts, us: 0, fields: { ...lampFields(i), seq } });
}

function eventLine(cover: SiteDevice, incident: number, revision: number, at: number): string {
  const type = REVISIONS[revision] as EventType;
  const data: EventData = {
    revision: revision + 1,
    edge: EDGE,
    class: { flag: 1, code: cover.component.slice(6, 10), fault: 'cover_open' },
    severity: 'critical',
    confidence: 1,
    place: { lon: cover.lon, lat: cover.lat, errorRadiusM: 5, cell: CELL, component: cover.component },
    origin: { by: 'sensor', device: cover.id, kind: cover.kind, rule: 'cover-overturned', field: 'tilt_deg', value: 120 },
    startedAt: at - 1000 * revision,
    confirmedAt: at - 1000 * revision,
    lastSeenAt: at,
    ...(type === 'gewu.event.cleared' ? { clearedAt: at } : {}),
    evidence: [],
  };
  return JSON.stringify(toEventRecord(`bench-${incident}`, type, at, data));
}
