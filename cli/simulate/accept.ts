import { join } from 'node:path';
import { GewuError, setShare } from '#service/mod.ts';
import type { RunReport } from '#simulators/report/mod.ts';
import { parseFlags, say } from '../command.ts';
import { RunningInstallation } from '../installation/mod.ts';
import { ensurePrograms } from '../programs.ts';
import { mustBeFree } from '../servers/mod.ts';
import { CITY_FLAGS, emptyDir, planOf, portsOf, writeCity } from './city.ts';
import { optionsOf, play, tell } from './run.ts';

export const ACCEPT_USAGE = `gewu simulate accept [SCENARIO] --out DIR [--for 10m] [--cells 1652] [--edges N] [--sensors N] [--cameras N] ...
                           [--json]`;

/** Of the generator, beside what it measures: one that comes late measures itself. It takes 0.3 cores of two. */
const NICE = -10;
/** Edges that have just begun load models and open their cameras: what they do then is no part of a run. */
const REST_MS = 10_000;

/**
 * All of it on this machine, from nothing: makes the city, starts its centre and its edges, plays the scenario with its
 * cameras, and ends everything. Exit status 1 when a threshold is missed.
 */
export async function accept(args: readonly string[]): Promise<number> {
  const text = { type: 'string' } as const;
  const json = { type: 'boolean', default: false } as const;
  const { values, positionals } = parseFlags(args, { ...CITY_FLAGS, out: text, for: text, json }, 1);
  const plan = planOf({ ...values, profile: values.profile ?? 'demo' });
  // Another installation there would be played instead of this one.
  await Promise.all(portsOf(plan).map(mustBeFree));
  const dir = await emptyDir(values.out);
  if (plan.district.cameras > 0) await ensurePrograms(['ffmpeg']);
  say('gewu: making the city ...');
  const installation = await writeCity(dir, plan);
  const options = await optionsOf(positionals[0] ?? 'rain-storm', { city: dir, for: values.for });
  const running = new RunningInstallation({ installation, api: options.api, logsDir: join(dir, 'logs') });
  let report: RunReport;
  try {
    say('gewu: drawing what the cameras will show ...');
    const whenShown = async () => {
      say(`gewu: starting a centre and ${installation.edges.length} edges ...`);
      await running.start();
      setShare(process.pid, NICE);
    };
    report = await play({ ...options, whenShown, restMs: REST_MS });
    if (running.fallen !== null) throw new GewuError('GEWU_INTERNAL', running.fallen);
  } finally {
    // The shell's session, too, is as it was.
    setShare(process.pid, 0);
    await running.stop();
  }
  return tell(report, { dir: join(dir, 'report'), json: values.json });
}
