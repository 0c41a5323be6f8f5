import type { CoverageAnswer } from '#grid/api/mod.ts';
import { type Clock, FreshAnswer } from '#service/mod.ts';
import type { Database } from '../database/mod.ts';
import type { Registry } from '../devices/mod.ts';
import type { UpkeepService } from '../upkeep/mod.ts';
import { type Timeline, timelines } from './history.ts';
import { type Span, shares, union, without } from './spans.ts';

const HOUR_MS = 3_600_000;
const HOURS = 24;
/** However many look, the history is read this often at most. */
const FRESH_MS = 60_000;

export interface CoverageDependencies {
  database: Database;
  registry: Registry;
  upkeep: Pick<UpkeepService, 'windowsOf'>;
  clock: Clock;
}

/**
 * Which unit grids were truly watched, hour by hour, so that no cases is not read as order. A thing watches while its state is
 * `online`, its edge is not silent, and nobody works on it; a camera that shows nothing, and a sensor that is degraded, do not.
 * It watches the grid in which it stands.
 *
 *   health history --+
 *   silent edges   --+--> spans of each thing --(union by grid)--> percent of each hour
 *   maintenance    --+
 */
export class Coverage {
  readonly #deps: CoverageDependencies;
  readonly #answer: FreshAnswer<CoverageAnswer>;

  constructor(dependencies: CoverageDependencies) {
    this.#deps = dependencies;
    this.#answer = new FreshAnswer({ freshMs: FRESH_MS, clock: dependencies.clock, ask: () => this.#ask() });
  }

  /** Of the last 24 hours. Throws GEWU_STORE_UNAVAILABLE. */
  lastDay(): Promise<CoverageAnswer> {
    return this.#answer.get();
  }

  async #ask(): Promise<CoverageAnswer> {
    const { database, registry, upkeep, clock } = this.#deps;
    const to = clock.now();
    const from = to - HOURS * HOUR_MS;
    const [states, windows] = await Promise.all([timelines(database.kysely, from), upkeep.windowsOf(from, to)]);
    const maintenance = Map.groupBy(windows, ({ thing }) => `${thing.of} ${thing.id}`);
    const silent = new Map([...registry.edges.keys()].map((id) => [id, spansOf(states.get(`${id} edge ${id}`), 'offline', to)]));
    const cells = new Map(
      [...registry.cells.keys()].map((code) => [code, { camera: [] as Span[], sensor: [] as Span[], cameras: 0, sensors: 0 }]),
    );
    const add = (of: 'device' | 'camera', { id, edge, cell }: { id: string; edge: string; cell: string | null }) => {
      const at = cells.get(cell ?? '');
      if (at === undefined) return;
      const online = spansOf(states.get(`${edge} ${of} ${id}`), 'online', to);
      const holes = union([
        ...(silent.get(edge) ?? []),
        ...(maintenance.get(`${of} ${id}`) ?? []).map((w): Span => [w.from, Math.min(to, w.to)]),
      ]);
      const watched = without(online, holes);
      at[of === 'device' ? 'sensor' : 'camera'].push(...watched);
      at[of === 'device' ? 'sensors' : 'cameras']++;
    };
    for (const device of registry.devices.values()) add('device', device);
    for (const camera of registry.cameras.values()) add('camera', camera);
    const hours = (things: number, spans: readonly Span[]) => (things === 0 ? [] : shares(union(spans), from, HOUR_MS, HOURS));
    return {
      from,
      to,
      hourMs: HOUR_MS,
      cells: [...cells].map(([code, { cameras, sensors, camera, sensor }]) => ({
        code,
        cameras,
        sensors,
        camera: hours(cameras, camera),
        sensor: hours(sensors, sensor),
        either: hours(cameras + sensors, [...camera, ...sensor]),
      })),
    };
  }
}

/** When a thing was in a state, up to `end`. */
function spansOf(timeline: Timeline | undefined, state: string, end: number): Span[] {
  if (timeline === undefined) return [];
  return union(timeline.flatMap(([at, was], i) => (was === state ? [[at, timeline[i + 1]?.[0] ?? end] as Span] : [])));
}
