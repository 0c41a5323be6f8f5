import { createLog, systemClock } from '#service/mod.ts';
import { CAMERA_USER, seededSecrets } from '../city/mod.ts';
import type { RunReport } from '../report/mod.ts';
import { type ApiClient, CaseWatch, UsageWatch, type Watched } from '../target/mod.ts';
import { concludeRun, openCases } from './conclude.ts';
import { Film } from './film.ts';
import type { LoadOptions } from './options.ts';
import { permitMarket } from './permit.ts';
import type { LoadRun } from './run.ts';

export interface PlayOptions extends LoadOptions {
  api: ApiClient;
  /** Called when the cameras play, before anything connects: an installation that is started by it finds them. */
  whenShown?: () => Promise<void>;
  /** Everything is connected and its cameras are watched for so long before the load begins; at once where not given. */
  restMs?: number;
}

/** The centre's clock may be a little behind ours. */
const SKEW_MS = 1_000;

/**
 * Plays a run to its end, its cameras too, watching the target, and holds what the target has against what was sent and
 * shown. Throws GEWU_STORE_UNAVAILABLE, GEWU_PORT_IN_USE, GEWU_MISSING_PROGRAM.
 */
export async function playScenario(run: LoadRun, options: PlayOptions): Promise<RunReport> {
  const { api, scenario, seed, part, plan, restMs, whenShown } = options;
  const film = filmOf(run, plan);
  const usage = new UsageWatch(watchedOf(run, options));
  let cases: CaseWatch | null = null;
  let endPermit: () => Promise<void> = async () => undefined;
  try {
    await film?.start();
    await whenShown?.();
    const { marketEdges } = run.staged.cameras;
    if (marketEdges.length > 0) endPermit = await permitMarket(api, marketEdges);
    const open = await openCases(api);
    cases = new CaseWatch(api, Date.now() - SKEW_MS);
    cases.start();
    await run.run(() => {
      usage.start();
      film?.begin();
    }, restMs);
    return await concludeRun({ run, scenario, seed, part: `${part.number}/${part.of}`, api, cases, usage, open });
  } finally {
    await Promise.all([usage.stop(), cases?.stop(), film?.stop()]);
    await endPermit();
  }
}

/** The centre, and the edges that the run speaks to. */
function watchedOf({ edges }: LoadRun, { plan, host = plan.host, api }: PlayOptions): Watched[] {
  const centre = { name: 'centre', url: `${api.url}/metrics`, headers: api.headers };
  const probes = [...edges].flatMap(([number, name]) => {
    const port = plan.ports.edgeProbes?.[number];
    return port === undefined ? [] : [{ name, url: `http://${host}:${port}/metrics` }];
  });
  return [centre, ...probes];
}

/** Null where the run shows nothing. */
function filmOf({ staged, durationS }: LoadRun, { host, ports, district }: PlayOptions['plan']): Film | null {
  const { cameras } = staged;
  if (cameras.views.length === 0) return null;
  const password = seededSecrets(district.seed).password('rtsp');
  const rtsp = { host, port: ports.rtsp, username: CAMERA_USER, password };
  return new Film({ config: { cameras, durationS, rtsp }, log: createLog('cameras'), clock: systemClock });
}
