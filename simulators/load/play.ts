import { createLog, systemClock } from '#service/mod.ts';
import { CAMERA_USER, seededSecrets } from '../city/mod.ts';
import type { RunReport } from '../report/mod.ts';
import { type ApiClient, CaseWatch, UsageWatch } from '../target/mod.ts';
import { concludeRun, openCases } from './conclude.ts';
import { Film } from './film.ts';
import type { LoadOptions, LoadRun } from './run.ts';

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
export async function playScenario(
  run: LoadRun,
  { api, scenario, seed, part, plan, restMs, whenShown }: PlayOptions,
): Promise<RunReport> {
  const film = filmOf(run, plan);
  const usage = new UsageWatch(api);
  let cases: CaseWatch | null = null;
  try {
    await film?.start();
    await whenShown?.();
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
  }
}

/** Null where the run shows nothing. */
function filmOf({ staged, durationS }: LoadRun, { host, ports, district }: PlayOptions['plan']): Film | null {
  const { cameras } = staged;
  if (cameras.views.length === 0) return null;
  const password = seededSecrets(district.seed).password('rtsp');
  const rtsp = { host, port: ports.rtsp, username: CAMERA_USER, password };
  return new Film({ config: { cameras, durationS, rtsp }, log: createLog('cameras'), clock: systemClock });
}
