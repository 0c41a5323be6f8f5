import { GewuError } from '#service/mod.ts';
import { searchCapacity, stepOf } from '#simulators/load/mod.ts';
import { parseDurationS, parseFlags, print, say } from '../command.ts';
import { optionsOf, play, TARGET_FLAGS } from './run.ts';

export const CAPACITY_USAGE = `gewu simulate capacity --city DIR | --inventory FILE [--scenario quiet-day] [--target URL] [--for 30s] [--from 2] [--to 6000]
                           [--as devices|edges] [--json]`;

/** Bad and good are so near to each other at the end. */
const RATIO = 1.2;

/** Raises the load until a threshold of the scenario breaks. */
export async function capacity(args: readonly string[]): Promise<number> {
  const text = { type: 'string' } as const;
  const { values } = parseFlags(args, { ...TARGET_FLAGS, scenario: text, from: text, to: text });
  const options = await optionsOf(values.scenario ?? 'quiet-day', { ...values, for: values.for ?? '30s' });
  const rate = (name: 'from' | 'to', preset: number) => {
    const value = Number(values[name] ?? preset);
    if (!(value > 0)) throw new GewuError('GEWU_USAGE', `--${name} ${values[name]}: reports of a device a minute are wanted`);
    return value;
  };
  const [fromPerMin, toPerMin] = [rate('from', 2), rate('to', 6_000)];
  if (fromPerMin > toPerMin) throw new GewuError('GEWU_USAGE', `--from ${fromPerMin} is above --to ${toPerMin}`);
  const forS = parseDurationS(values.for ?? '30s');
  const city = { ...options.target.city, edges: options.target.city.edges.filter((e) => options.edges?.includes(e.id) ?? true) };
  try {
    const found = await searchCapacity({
      play: (perDevicePerMin, step) => {
        const scenario = stepOf(options.scenario, city, { perDevicePerMin, forS, times: perDevicePerMin / fromPerMin });
        return play({ ...options, seed: options.seed + step, scenario });
      },
      fromPerMin,
      toPerMin,
      ratio: RATIO,
      onStep: ({ perDevicePerMin, broken, readingsPerS }) => {
        const how =
          broken === null ? 'borne' : `${broken.name} ${broken.measured?.toFixed(2) ?? 'not measured'}, limit ${broken.limit}`;
        say(`gewu: ${perDevicePerMin.toFixed(1)} a minute: ${readingsPerS.toFixed(0)} readings/s, ${how}`);
      },
    });
    if (values.json) print(JSON.stringify(found));
    else say(JSON.stringify(found, null, 2));
    return 0;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    say(`gewu: ${error.message}`);
    return 1;
  }
}
