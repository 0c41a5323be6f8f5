import { createLog, systemClock } from '#service/mod.ts';
import type { RunReport } from '../report/mod.ts';
import { type ApiClient, CaseWatch, openCases, UsageWatch, type Watched } from '../target/mod.ts';
import { concludeRun } from './conclude.ts';
import { EdgeEventCount } from './edge_events.ts';
import { Film } from './film.ts';
import type { LoadOptions } from './options.ts';
import { permitMarket } from './permit.ts';
import type { LoadRun } from './run.ts';
import type { LoadTarget } from './target.ts';

export interface PlayOptions extends LoadOptions {
  api: ApiClient;
  /** Called when the cameras play, before anything connects: an installation that is started by it finds them. */
  whenShown?: () => Promise<void>;
  /** Everything is connected and its cameras are watched for so long before the load begins; at once where not given. */
  restMs?: number;
  /** Ends it without a report; what it has changed at the target is put back. */
  abandon?: AbortSignal;
}

/** The centre's clock may be a little behind ours. */
const SKEW_MS = 1_000;

/**
 * Plays a run to its end, its cameras too, watching the target, and holds what the target has against what was sent and
 * shown. Throws GEWU_STORE_UNAVAILABLE, GEWU_PORT_IN_USE, GEWU_MISSING_PROGRAM.
 */
export async function playScenario(run: LoadRun, options: PlayOptions): Promise<RunReport> {
  const { api, scenario, seed, part, target, restMs, whenShown, abandon } = options;
  const film = filmOf(run, target, seed);
  const centre = { name: 'centre', url: `${api.url}/metrics`, headers: api.headers };
  const edges = watchedEdges(run, options);
  const mute = [...run.edges.values()].filter((id) => !edges.some((e) => e.name === id));
  const usage = new UsageWatch([centre, ...edges]);
  const edgeEvents = new EdgeEventCount(api, edges, mute);
  let cases: CaseWatch | null = null;
  let permit: ReturnType<typeof permitMarket> | null = null;
  const toItsEnd = async () => {
    await film?.start();
    await whenShown?.();
    const { marketEdges } = run.staged.cameras;
    if (marketEdges.length > 0) permit = permitMarket(api, marketEdges, abandon);
    await permit;
    const open = await openCases(api);
    cases = new CaseWatch(api, Date.now() - SKEW_MS, () => run.apiFailed());
    cases.start();
    await edgeEvents.begin();
    await run.run(() => {
      usage.start();
      film?.begin();
    }, restMs);
    return await concludeRun({ run, scenario, seed, part: `${part.number}/${part.of}`, api, cases, usage, edgeEvents, open });
  };
  try {
    return await Promise.race([toItsEnd(), ...(abandon === undefined ? [] : [aborted(abandon)])]);
  } finally {
    await Promise.all([usage.stop(), (cases as CaseWatch | null)?.stop(), film?.stop()]);
    // Where it failed it has been taken back.
    const takeBack = await (permit as ReturnType<typeof permitMarket> | null)?.catch(() => undefined);
    await takeBack?.();
  }
}

/** Rejects when it comes. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    else signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

/** The edges that the run speaks to and that say how they are. */
function watchedEdges({ edges }: LoadRun, { target }: PlayOptions): Watched[] {
  return [...edges].flatMap(([number, name]) => {
    const url = target.edges[number]?.metricsUrl ?? null;
    return url === null ? [] : [{ name, url }];
  });
}

/** Null where the run shows nothing. */
function filmOf({ staged: { cameras } }: LoadRun, { rtsp }: LoadTarget, seed: number): Film | null {
  if (cameras.views.length === 0 || rtsp === null) return null;
  return new Film({ config: { cameras, seed, rtsp }, log: createLog('cameras'), clock: systemClock });
}
