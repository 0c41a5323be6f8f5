import { setTimeout as pause } from 'node:timers/promises';
import { addUpEvents, type EventCounts, noEvents } from '../report/mod.ts';
import { type ApiClient, metricOf, readMetrics, type StoredEvent, storedEvents, type Watched } from '../target/mod.ts';

const ACKED = 'gewu_uplink_acked_records_total{lane="events"}';
/** Of cameras, told once more to hear of a case: the centre has them already. */
const REPEATED = 'gewu_edge_events_repeated_total';
const WAITING = 'gewu_outbox_records{lane="events"}';
/** An event may get another revision so long after it was cleared: a clip that follows. */
const BEFORE_MS = 3_600_000;
/** Looks until nothing waits and the counters stood still during one. */
const LOOKS_MAX = 10;
const LOOK_AGAIN_MS = 300;
/** An edge that has just begun, or is busy, answers after so long. */
const PATIENCE_MS = 30_000;

/** What an edge has told by its own counters, and what the centre has of it. */
interface Look {
  /** Each revision once. */
  acked: number;
  waiting: number;
  stored: ReadonlyMap<string, StoredEvent>;
}

/**
 * Events of edges under test: what devices say becomes events there, so that only an edge knows how many it has sent. Its
 * counters before and after a run are held against the revisions that the centre has before and after it.
 */
export class EdgeEventCount {
  readonly #api: ApiClient;
  readonly #edges: readonly Watched[];
  readonly #mute: readonly string[];
  readonly #since = Date.now() - BEFORE_MS;
  readonly #before = new Map<string, Look | null>();

  /** `mute`: edges of the run that have no `/metrics`. */
  constructor(api: ApiClient, edges: readonly Watched[], mute: readonly string[]) {
    this.#api = api;
    this.#edges = edges;
    this.#mute = mute;
  }

  /** Throws GEWU_STORE_UNAVAILABLE. */
  async begin(): Promise<void> {
    await Promise.all(this.#edges.map(async (edge) => this.#before.set(edge.name, await this.#look(edge))));
  }

  /** Once nothing more is said. `lateMs` from an event's confirmation until it came. Throws GEWU_STORE_UNAVAILABLE. */
  async end(lateMs: number): Promise<EventCounts> {
    const mute = this.#mute.map((name) => noEvents(`${name} has no /metrics that would say how many events it has sent`));
    const told = await Promise.all(this.#edges.map((edge) => this.#countOf(edge, lateMs)));
    return addUpEvents([...mute, ...told]);
  }

  async #countOf(edge: Watched, lateMs: number): Promise<EventCounts> {
    const { name, url } = edge;
    const [before, after] = [this.#before.get(name) ?? null, await this.#look(edge)];
    if (before === null || after === null) return noEvents(`${name}: ${url} does not say how many events it has sent`);
    if (after.acked < before.acked) return noEvents(`${name} has begun anew: its counters say nothing of the time before`);
    const acked = after.acked - before.acked;
    let [stored, late] = [0, 0];
    for (const [subject, { record, receivedAt }] of await this.#withOld(before, after)) {
      const had = before.stored.get(subject)?.record.data.revision ?? 0;
      stored += record.data.revision - had;
      if (had === 0 && receivedAt - record.data.confirmedAt > lateMs) late++;
    }
    const [lost, unexpected] = [Math.max(0, acked - stored), Math.max(0, stored - acked - after.waiting)];
    return {
      by: 'edges',
      ...{ sent: acked + after.waiting, acked, stored, lost, duplicated: 0, unexpected, late },
      notes: [
        ...(lost === 0 ? [] : [`lost ${name}: ${lost} of ${acked} revisions that it was told are stored`]),
        ...(unexpected === 0 ? [] : [`unexpected ${name}: ${unexpected} revisions more than it has sent`]),
      ],
    };
  }

  /** Null where its counters cannot be read. */
  async #look(edge: Watched): Promise<Look | null> {
    for (let looks = 1; ; looks++) {
      const before = await counted(edge);
      if (before === null) return null;
      const lists = [{ since: this.#since }, { active: true }] as const;
      const found = await Promise.all(lists.map((asked) => storedEvents(this.#api, { edge: edge.name, ...asked })));
      const after = await counted(edge);
      const still = before.waiting === 0 && after?.waiting === 0 && after.acked === before.acked;
      if (still || looks === LOOKS_MAX) return { ...before, stored: new Map(found.flat().map((e) => [e.record.subject, e])) };
      await pause(LOOK_AGAIN_MS);
    }
  }

  /** What was open long before the run and has ended in it stands in neither list. */
  async #withOld(before: Look, after: Look): Promise<ReadonlyMap<string, StoredEvent>> {
    const all = new Map(after.stored);
    for (const subject of before.stored.keys())
      if (!all.has(subject)) all.set(subject, await this.#api.getPatiently<StoredEvent>(`/api/v1/events/${subject}`));
    return all;
  }
}

async function counted(edge: Watched): Promise<Pick<Look, 'acked' | 'waiting'> | null> {
  const deadline = performance.now() + PATIENCE_MS;
  let text = await readMetrics(edge);
  while (text === null && performance.now() < deadline) {
    await pause(LOOK_AGAIN_MS);
    text = await readMetrics(edge);
  }
  if (text === null) return null;
  const [acked, repeated, waiting] = [ACKED, REPEATED, WAITING].map((series) => metricOf(text, series));
  if (acked == null || repeated == null || waiting == null) return null;
  return { acked: acked - repeated, waiting };
}
