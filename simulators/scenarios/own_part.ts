import type { Staged } from './staged.ts';

/** Of what was staged over all devices of a run, what is of these. Groups are of one edge, and edges are played whole. */
export function ownPart(staged: Staged, devices: ReadonlySet<number>): Staged {
  return {
    ...staged,
    incidents: staged.incidents.filter((i) => i.devices.some((device) => devices.has(device))),
    faults: staged.faults.filter((f) => devices.has(f.device)),
  };
}
