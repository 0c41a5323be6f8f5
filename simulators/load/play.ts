import type { RunReport } from '../report/mod.ts';
import { type ApiClient, CaseWatch, UsageWatch } from '../target/mod.ts';
import { concludeRun, openCases } from './conclude.ts';
import type { LoadOptions, LoadRun } from './run.ts';

export interface PlayOptions extends LoadOptions {
  api: ApiClient;
}

/** The centre's clock may be a little behind ours. */
const SKEW_MS = 1_000;

/** Plays a run to its end, watching the target, and holds what the target has against what was sent. Throws GEWU_STORE_UNAVAILABLE. */
export async function playScenario(run: LoadRun, { api, scenario, seed, part }: PlayOptions): Promise<RunReport> {
  const open = await openCases(api);
  const usage = new UsageWatch(api);
  const cases = new CaseWatch(api, Date.now() - SKEW_MS);
  try {
    cases.start();
    await run.run(() => usage.start());
    return await concludeRun({ run, scenario, seed, part: `${part.number}/${part.of}`, api, cases, usage, open });
  } finally {
    await Promise.all([usage.stop(), cases.stop()]);
  }
}
