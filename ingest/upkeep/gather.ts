import type { Subject } from '#grid/api/mod.ts';
import type { Registry } from '../devices/mod.ts';
import type { UpkeepConfig } from './config.ts';
import { keyOf } from './cover.ts';
import { type Fault, faultKey } from './faults.ts';

/** Faults that are one case. */
export interface Heap {
  cause: Fault['cause'];
  subject: Subject;
  edge: string;
  faults: Fault[];
}

export interface GatherOptions {
  config: UpkeepConfig;
  registry: Registry;
  /** `faultKey` of the subjects of open cases of more than one thing: what belongs there joins, however few they are. */
  open: ReadonlySet<string>;
}

/**
 * Which faults are one case: those of a circuit or pressure zone where its feeder may be gone, then those of one edge and cause, then each
 * by itself.
 */
export function gather(faults: readonly Fault[], { config, registry, open }: GatherOptions): Heap[] {
  const heaps: Heap[] = [];
  let rest = [...faults];
  const take = (subject: Subject, cause: Fault['cause'], edge: string, belongs: (f: Fault) => boolean, min: number) => {
    const own = rest.filter((f) => f.cause === cause && belongs(f));
    if (own.length === 0 || (own.length < min && !open.has(faultKey(cause, subject)))) return;
    heaps.push({ cause, subject, edge, faults: own });
    rest = rest.filter((f) => !own.includes(f));
  };
  for (const { id, edge, devices } of registry.groups.values()) {
    const members = new Set(devices);
    take(
      { of: 'group', id },
      'device-fault',
      edge,
      (f) => f.thing.of === 'device' && members.has(f.thing.id),
      config.groupFaultsMin,
    );
  }
  for (const { edge, cause } of new Map(rest.map((f) => [`${f.edge} ${f.cause}`, f])).values())
    take({ of: 'edge', id: edge }, cause, edge, (f) => f.edge === edge && f.thing.of !== 'edge', config.edgeFaultsMin);
  const single = new Map(rest.map((f) => [keyOf(f.thing), f]));
  return [...heaps, ...[...single.values()].map((f): Heap => ({ cause: f.cause, subject: f.thing, edge: f.edge, faults: [f] }))];
}
