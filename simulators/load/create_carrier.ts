import { seededSecrets } from '../city/mod.ts';
import type { Carrier, CarrierHooks } from './carrier.ts';
import type { Address } from './connection.ts';
import { DeviceCarrier } from './devices.ts';
import { EdgeCarrier } from './edges.ts';
import type { LoadOptions } from './options.ts';
import type { Scope } from './scope.ts';

export interface CarrierPlan {
  options: LoadOptions;
  scope: Scope;
  hooks: CarrierHooks;
  /** Devices whose secret is no longer valid. */
  expired: ReadonlySet<number>;
  /** Of this run, different in each. */
  epoch: string;
}

/** By what the scenario speaks as. */
export function createCarrier({ options, scope, hooks, expired, epoch }: CarrierPlan): Carrier {
  const { scenario, plan, host = plan.host, connectPerS } = options;
  const { table, devices } = scope;
  const common = { table, devices, hooks, ...(connectPerS === undefined ? {} : { connectPerS }) };
  const address = (port: number): Address => ({ host, port });
  if (scenario.as === 'devices') return new DeviceCarrier({ ...common, brokers: plan.ports.edgeBrokers.map(address), expired });
  const secrets = seededSecrets(plan.district.seed);
  const passwords = table.edges.map((id) => secrets.password(id));
  return new EdgeCarrier({ ...common, centre: address(plan.ports.centreBroker), passwords, epoch });
}
