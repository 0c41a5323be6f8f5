import type { Thing, UpkeepCause } from '#grid/api/mod.ts';
import type { DeviceService, HealthState, Registry } from '../devices/mod.ts';
import type { UpkeepConfig } from './config.ts';
import { type Cover, keyOf } from './cover.ts';

/** Something that is broken, as far as anybody knows. */
export interface Fault {
  thing: Thing;
  cause: UpkeepCause;
  edge: string;
  state: HealthState;
  reason: string;
  since: number;
  /** It has lasted beyond its grace, and nobody works on it: it is a matter of a case. */
  ripe: boolean;
}

export interface FaultsDependencies {
  config: UpkeepConfig;
  /** After the last report of an edge, until it counts as silent. */
  edgeSilentMs: number;
  registry: Registry;
  devices: Pick<DeviceService, 'sick' | 'silentEdges'>;
}

export const faultKey = (cause: string, thing: { of: string; id: string }): string => `${cause} ${keyOf(thing)}`;

/** What was fixed by a person's word counts from that word on; `mended` says when, by `faultKey`. */
export async function faultsNow(
  { config, edgeSilentMs, registry, devices }: FaultsDependencies,
  { cover, mended, now }: { cover: Cover; mended: ReadonlyMap<string, number>; now: number },
): Promise<{ faults: Fault[]; silent: ReadonlyMap<string, number> }> {
  const [sick, silent] = await Promise.all([devices.sick(), devices.silentEdges()]);
  const fault = (cause: UpkeepCause, rest: Omit<Fault, 'cause' | 'ripe'>, graceMs: number): Fault => {
    const from = Math.max(rest.since, mended.get(faultKey(cause, rest.thing)) ?? 0);
    return { cause, ...rest, ripe: now - from >= graceMs && cover.of(rest.thing) === null };
  };
  const { graceEdgeS, graceCameraS, graceDeviceS } = config;
  const dead = [...silent].map(([id, since]) => {
    const rest = { thing: { of: 'edge' as const, id }, edge: id, state: 'offline' as const, reason: 'silent', since };
    return fault('edge-silent', rest, edgeSilentMs + graceEdgeS * 1000);
  });
  const broken = sick.map(({ of, id, edge, state, reason, since }) => {
    const [cause, graceS] =
      of === 'camera' ? (['camera-fault', graceCameraS] as const) : (['device-fault', graceDeviceS] as const);
    return fault(cause, { thing: { of, id }, edge, state, reason, since }, graceS * 1000);
  });
  return { faults: [...dead, ...broken.filter((f) => f.thing.of === 'edge' || registry.edges.has(f.edge))], silent };
}
