import { type DeviceKind, deviceKind } from '#grid/mod.ts';
import { diceOf } from '../cameras/street/mod.ts';
import { type Fields, malformedPayloads } from '../devices/mod.ts';

/** In how many ways a device, its clock, its firmware or its network can be wrong, and what the edge must make of it. */
export const DEVICE_FAULT_KINDS = {
  stuck: 'says the same to the last bit: `device_fault` (stuck) where noise is expected',
  drifting: 'goes away from the truth, until it is out of its range: `device_fault` (implausible)',
  noisy: 'jumps as nothing real does: `device_fault` (jump)',
  flapping: 'raises and clears the same alarm again and again: `device_unstable`',
  silent: 'says nothing: `device_offline`',
  babbling: 'says a hundred times as much: slowed down by its own limit, and nobody else',
  duplicated: 'sends each sample twice: stored once, counted as a repeat',
  reordered: 'sends the newer sample before the older: both stored at their own times, and no alarm of the older',
  late: 'keeps samples for a while: stored at their own times',
  'clock-skew': 'is hours ahead: the edge takes its own time and adds `clock_skew`; or minutes behind: stored at its own times',
  'clock-jump': 'steps back and forth by minutes: stored at its own times, nothing lost',
  'wrong-units': 'a thousand times too large: out of range, `device_fault` (implausible), and no alarm of the city',
  corrupt: 'payloads cut off or with flipped bits: dead letters with `GEWU_PAYLOAD_NOT_JSON` and others',
  hostile: 'payloads made to hurt: dead letters or the end of the connection',
  twin: 'two devices with one id: the newer connection ends the older, and both are heard',
  expired: 'a secret that is no longer valid: not let in',
} as const;
export type DeviceFaultKind = keyof typeof DEVICE_FAULT_KINDS;

/** What an edge may say of such a device, by keys of FAULTS. Of one that nobody hears any more it is right to say so. */
const TOLD: Readonly<Record<DeviceFaultKind, readonly string[]>> = {
  stuck: ['device_fault'],
  drifting: ['device_fault'],
  noisy: ['device_fault'],
  flapping: ['device_unstable'],
  silent: ['device_offline'],
  babbling: [],
  duplicated: [],
  reordered: [],
  late: [],
  'clock-skew': [],
  'clock-jump': [],
  'wrong-units': ['device_fault'],
  corrupt: ['device_offline'],
  hostile: ['device_offline'],
  twin: [],
  expired: ['device_offline'],
};

/**
 * What an edge may say of a device of `kind` that has this fault, by keys of FAULTS: anything else about it is a false alarm. One
 * that flaps raises the alarm that it flaps with, and one that drifts is believed until its value cannot be.
 */
export function faultsToldOf(fault: DeviceFaultKind, kind: string): readonly string[] {
  const device = deviceKind(kind);
  const flap = FLAPS[kind]?.rule;
  const drifts = device === undefined ? undefined : driftingField(device, device.example);
  const alarms = (device?.rules ?? []).filter(
    ({ id, when }) =>
      (fault === 'flapping' && id === flap) || (fault === 'drifting' && when.some(({ field }) => field === drifts)),
  );
  return [...TOLD[fault], ...alarms.flatMap(({ raises }) => ('fault' in raises ? [raises.fault] : []))];
}

/** A message as it goes out; `seq` null for one that can be no reading. */
export interface Outgoing {
  seq: number | null;
  payload: Buffer;
  /** Seconds after the moment of its sample. */
  afterS: number;
  /** Another device with the same id says it. */
  twin?: true;
}

export interface Sound {
  fields: Readonly<Fields>;
  /** UTC ms. */
  ts: number;
  /** Gives the sample its number; a device that says nothing counts nothing. */
  issue(): number;
}

const BABBLES = 100;
const LATE_S = 20;
/** Clocks that are wrong for good: more ahead than can be believed, or behind. */
const SKEW_MS = { ahead: 2 * 3_600_000, behind: -5 * 60_000 } as const;
const JUMP_MS = 3 * 60_000;
/** A twin does not look in the same moment. */
const TWIN_MS = 137;
/** Drifts through its whole range in so many samples. */
const DRIFTS_OVER = 10;
const UNITS = 1_000;

/** One device that is wrong in one way: turns what it would say into what it sends. */
export class FaultyDevice {
  readonly #kind: DeviceFaultKind;
  readonly #device: DeviceKind;
  readonly #dice;
  readonly #skewMs: number;
  #said = 0;
  #first: Readonly<Fields> | null = null;
  #held: Outgoing | null = null;

  /** `kind` is that of the device, one of DEVICE_KINDS. Throws RangeError on another. */
  constructor(fault: DeviceFaultKind, kind: string, seed: number) {
    const device = deviceKind(kind);
    if (device === undefined) throw new RangeError(`there is no kind ${kind}`);
    this.#kind = fault;
    this.#device = device;
    this.#dice = diceOf(seed, 131);
    this.#skewMs = diceOf(seed, 132).chance(0.5) ? SKEW_MS.ahead : SKEW_MS.behind;
  }

  say(sound: Sound): Outgoing[] {
    const n = this.#said++;
    switch (this.#kind) {
      case 'silent':
      case 'expired':
        // Whoever is not let in says nothing either: its connection is what is wrong.
        return [];
      case 'stuck':
        this.#first ??= sound.fields;
        return [message(sound, this.#first)];
      case 'drifting':
      case 'noisy':
      case 'flapping':
      case 'wrong-units':
        return [message(sound, { ...sound.fields, ...this.#wrong(this.#kind, sound.fields, n) })];
      case 'babbling':
        return Array.from({ length: BABBLES }, () => message(sound, sound.fields));
      case 'duplicated': {
        const once = message(sound, sound.fields);
        return [once, once];
      }
      case 'reordered':
        return this.#reorder(message(sound, sound.fields));
      case 'late':
        return [{ ...message(sound, sound.fields), afterS: LATE_S * this.#dice.next() }];
      case 'clock-skew':
        return [message(sound, sound.fields, this.#skewMs)];
      case 'clock-jump':
        return [message(sound, sound.fields, n % 2 === 0 ? 0 : -JUMP_MS)];
      case 'corrupt':
        return [{ seq: null, payload: this.#corrupted(sound.fields), afterS: 0 }];
      case 'hostile': {
        const all = malformedPayloads();
        return [{ seq: null, payload: all[n % all.length]?.payload ?? Buffer.alloc(0), afterS: 0 }];
      }
      case 'twin':
        return [message(sound, sound.fields), { ...message(sound, sound.fields, TWIN_MS), twin: true }];
    }
  }

  /** Fields that are laid over what it should say. */
  #wrong(kind: 'drifting' | 'noisy' | 'flapping' | 'wrong-units', fields: Readonly<Fields>, n: number): Fields {
    const numbers = Object.entries(fields).filter((f): f is [string, number] => typeof f[1] === 'number');
    if (kind === 'wrong-units') return Object.fromEntries(numbers.map(([name, value]) => [name, value * UNITS]));
    if (kind === 'flapping') return n % 2 === 0 ? (FLAPS[this.#device.kind]?.fields ?? {}) : {};
    if (kind === 'noisy') {
      // Half of the range up, then back: each step is more than anything real makes.
      const jumpy = numbers.filter(([name]) => this.#device.fields[name]?.jumpMax !== undefined);
      return Object.fromEntries(jumpy.map(([name, value]) => [name, this.#within(name, value + (n % 2 === 0 ? 1.4 : -1.4))]));
    }
    const name = driftingField(this.#device, fields);
    return { [name]: (fields[name] as number) + (n / DRIFTS_OVER) * (this.#device.fields[name]?.max ?? 0) };
  }

  #within(name: string, value: number): number {
    const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY } = this.#device.fields[name] ?? {};
    return Math.min(max, Math.max(min, value));
  }

  /** Pairs change places. */
  #reorder(next: Outgoing): Outgoing[] {
    const held = this.#held;
    this.#held = held === null ? next : null;
    return held === null ? [] : [next, held];
  }

  #corrupted(fields: Readonly<Fields>): Buffer {
    const payload = Buffer.from(JSON.stringify(fields));
    if (this.#dice.chance(0.5)) return payload.subarray(0, this.#dice.whole(1, payload.length - 1));
    // A flipped top bit is no ASCII, so that no flip makes another number of one.
    const at = this.#dice.whole(0, payload.length - 1);
    payload[at] = (payload[at] as number) | 0x80;
    return payload;
  }
}

/** What raises an alarm with the first sample, and ends with the next; and the rule that notices it. */
const FLAPS: Readonly<Record<string, { rule: string; fields: Fields }>> = {
  manhole_cover: { rule: 'cover-overturned', fields: { tilt_deg: 120 } },
  streetlight: { rule: 'leakage', fields: { leakage_ma: 60 } },
  fire_hydrant: { rule: 'knocked-over', fields: { knocked_over: true } },
};

/** The first that has an end of its range. */
function driftingField({ fields: specs }: DeviceKind, fields: Readonly<Fields>): string {
  return Object.keys(fields).find((name) => typeof fields[name] === 'number' && specs[name]?.max !== undefined) ?? '';
}

function message({ ts, issue }: Sound, fields: Readonly<Fields>, shiftMs = 0): Outgoing {
  const seq = issue();
  return { seq, payload: Buffer.from(JSON.stringify({ ...fields, seq, ts: ts + shiftMs })), afterS: 0 };
}
