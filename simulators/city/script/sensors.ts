import { applyProfile, deviceKind, type EventClass, type Profile, type SiteDevice, type ThresholdRule } from '#grid/mod.ts';
import { type Dice, diceOf } from '../../cameras/street/mod.ts';
import type { City, SensorIncident } from '../types.ts';
import { DEVICE_FAULTS, type DeviceFault } from './faults.ts';

const FIRST_MS = 6_000;
const EVERY_MS = 4_000;
const JITTER_MS = 800;
/** Beyond the confirm time: there is something to see, and to recover from. */
const LASTS_ON_MS = [10_000, 15_000] as const;
/** A device that was wrong is left alone for so long after its recovery: it must have cleared before. */
const REST_MS = 30_000;

export interface SensorTerms {
  /** The devices' own report interval. */
  intervalMs: number;
  /** That of the edges: it says how long a rule confirms. */
  profile: Profile;
}

interface Candidate {
  edgeId: string;
  device: SiteDevice;
  /** Faults not staged on it yet, in order. */
  left: DeviceFault[];
  /** Class keys that were. */
  done: Set<string>;
  busyUntilMs: number;
}

/**
 * Incidents of the city's sensors, one about every four seconds, kinds in turn, without end: every device has its turn
 * before one comes again, with another fault; what raises the same class again is marked as a repeat.
 */
export function* sensorIncidents(city: City, seed: number, terms: SensorTerms): Generator<SensorIncident, void> {
  const dice = diceOf(seed, 81);
  const kinds = shuffledByKind(city, dice);
  if (kinds.length === 0) return;
  for (let n = 0; ; n++) {
    const queue = kinds[n % kinds.length] as Candidate[];
    const fromMs = Math.round(FIRST_MS + n * EVERY_MS + dice.between(0, JITTER_MS));
    const at = queue.findIndex((c) => c.busyUntilMs <= fromMs);
    // A city with a handful of sensors has moments in which all of them are busy.
    if (at < 0) continue;
    const [candidate] = queue.splice(at, 1) as [Candidate];
    queue.push(candidate);
    const incident = incidentOf(candidate, `sensor-${n + 1}`, fromMs, dice.between(...LASTS_ON_MS), terms);
    candidate.busyUntilMs = incident.toMs + REST_MS;
    yield incident;
  }
}

function shuffledByKind(city: City, dice: Dice): Candidate[][] {
  const byKind = new Map<string, Candidate[]>();
  for (const { id: edgeId, devices } of city.edges)
    for (const device of devices) {
      const queue = byKind.get(device.kind) ?? [];
      byKind.set(device.kind, queue);
      // Each device begins with another of its kind's faults, so that a short run shows many.
      const faults = DEVICE_FAULTS[device.kind] ?? [];
      const candidate = { edgeId, device, left: [...faults], done: new Set<string>(), busyUntilMs: 0 };
      if (faults.length > 0) queue.splice(dice.whole(0, queue.length), 0, candidate);
    }
  const queues = [...byKind.values()].filter((q) => q.length > 0);
  for (const queue of queues) for (const [i, { left }] of queue.entries()) left.push(...left.splice(0, i % left.length));
  return queues;
}

function incidentOf(c: Candidate, id: string, fromMs: number, lastsOnMs: number, terms: SensorTerms): SensorIncident {
  const { device, edgeId } = c;
  if (c.left.length === 0) c.left = [...(DEVICE_FAULTS[device.kind] ?? [])];
  const { fields, rule: ruleId } = c.left.shift() as DeviceFault;
  const rule = ruleOf(device, ruleId, terms.profile);
  const confirmForMs = rule.confirm.forS * 1000;
  const confirmSamples = rule.confirm.samples;
  const confirmMs = Math.max(confirmForMs, (confirmSamples - 1) * terms.intervalMs);
  const eventClass = classOf(rule, device);
  const key = JSON.stringify(eventClass);
  const repeats = c.done.has(key);
  c.done.add(key);
  return {
    id,
    edgeId,
    device: device.id,
    kind: device.kind,
    fields,
    rule: ruleId,
    class: eventClass,
    severity: rule.severity,
    component: device.component,
    lon: device.lon,
    lat: device.lat,
    fromMs,
    toMs: Math.round(fromMs + confirmMs + lastsOnMs),
    confirmForMs,
    confirmSamples,
    confirmMs,
    repeats,
  };
}

export function ruleOf(device: Pick<SiteDevice, 'kind'>, id: string, profile: Profile): ThresholdRule {
  const rules = applyProfile(deviceKind(device.kind)?.rules ?? [], profile);
  const rule = rules.find((r) => r.id === id);
  if (rule === undefined) throw new RangeError(`${device.kind} has no rule ${id}`);
  return rule;
}

export function classOf({ raises }: ThresholdRule, device: Pick<SiteDevice, 'component'>): EventClass {
  return 'fault' in raises
    ? { flag: 1, code: device.component.slice(6, 10), fault: raises.fault }
    : { flag: 2, code: raises.event };
}
