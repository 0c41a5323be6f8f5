import { classOf, type ruleOf } from '../city/mod.ts';
import type { DeviceTable } from '../world/mod.ts';
import type { Expected } from './staged.ts';

/** What becomes of one device that breaks a rule by itself. */
export function expectedOf(
  rule: ReturnType<typeof ruleOf>,
  { component, lon, lat }: Pick<ReturnType<DeviceTable['view']>, 'component' | 'lon' | 'lat'>,
): Expected {
  return {
    class: classOf(rule, { component }),
    ...{ component, lon, lat },
    confirmMs: rule.confirm.forS * 1000,
    confirmSamples: rule.confirm.samples,
    members: 1,
  };
}
