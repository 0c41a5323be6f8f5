import type { Carrier, CarrierHooks } from './carrier.ts';
import { DeviceCarrier } from './devices.ts';
import { EdgeCarrier } from './edges.ts';
import type { LoadOptions } from './options.ts';
import type { Scope } from './scope.ts';

export interface CarrierPlan {
  options: LoadOptions;
  scope: Scope;
  hooks: CarrierHooks;
  /** Of this run, different in each. */
  epoch: string;
}

/** By what the scenario speaks as. Throws RangeError where the target does not say where edges connect. */
export function createCarrier({ options, scope, hooks, epoch }: CarrierPlan): Carrier {
  const { scenario, target, connectPerS } = options;
  const { table, devices } = scope;
  const common = { table, devices, hooks, ...(connectPerS === undefined ? {} : { connectPerS }) };
  if (scenario.as === 'devices') return new DeviceCarrier({ ...common, brokers: target.edges.map((e) => e.broker) });
  const centre = target.centreBroker;
  if (centre === null) throw new RangeError('edges want the address of the broker of the centre: `centreBroker`');
  return new EdgeCarrier({ ...common, centre, passwords: target.edges.map((e) => e.password), epoch });
}
