import type { FieldSpec, PlausibilityCheck } from '#grid/mod.ts';
import type { RegisteredDevice } from '../registry.ts';
import { Alarm, ThresholdAlarm } from './alarm.ts';
import { UnstableDevice } from './many.ts';
import { type FieldHistory, isWatched, onValue, unbelieved } from './plausibility.ts';
import type { Fields } from './threshold.ts';

/** What a sample says of its sensors, and the fields that no rule of the city may look at. */
export interface Judgement {
  /** Nothing of `stuck` as long as no value has moved in this life of the node. */
  verdicts: Readonly<Partial<Record<PlausibilityCheck, boolean>>>;
  excluded: readonly string[];
}
const FINE: Judgement['verdicts'] = { implausible: false, stuck: false, jump: false };
const UNSURE: Judgement['verdicts'] = { implausible: false, jump: false };

/** Everything that is watched on one device. */
export class DeviceAlarms {
  readonly device: RegisteredDevice;
  readonly rules: readonly ThresholdAlarm[];
  /** Over the verdicts on its sensors. */
  readonly checks: readonly ThresholdAlarm[];
  /** Over its silence; null where that is no alarm. */
  readonly absence: Alarm | null;
  readonly unstable: UnstableDevice;
  /** Latest value of each field: a payload may carry only what changed. */
  readonly latest: Record<string, number | boolean> = {};
  /** Monotonic ms of its last sample in this life of the node; null before the first. */
  heardAt: number | null = null;
  readonly #watched: readonly [string, FieldSpec][];
  readonly #histories = new Map<string, FieldHistory>();
  #moved = false;

  constructor(device: RegisteredDevice) {
    this.device = device;
    this.rules = device.rules.map((rule) => new ThresholdAlarm(device, rule));
    this.checks = device.checks.map((rule) => new ThresholdAlarm(device, rule));
    this.absence = device.absence && new Alarm(device, device.absence, 'silent');
    if (this.absence) this.absence.value = true;
    this.unstable = new UnstableDevice(device);
    this.#watched = device.checks.length === 0 ? [] : Object.entries(device.kind.fields).filter(([, spec]) => isWatched(spec));
  }

  get all(): Alarm[] {
    return [...this.rules, ...this.checks, ...(this.absence ? [this.absence] : [])];
  }

  judge(fields: Fields, implausible: readonly string[], now: number): Judgement {
    let excluded = unbelieved(fields, implausible);
    let [stuck, jump] = [false, false];
    for (const [name, spec] of this.#watched) {
      const value = fields[name];
      let history = this.#histories.get(name);
      if (typeof value === 'number' && !implausible.includes(name)) {
        if (history !== undefined && value !== history.value) this.#moved = true;
        history = onValue(spec, history, value, now);
        this.#histories.set(name, history);
        if (history.verdict === 'jump') {
          jump = true;
          excluded = [...excluded, name];
        }
      }
      stuck ||= history?.verdict === 'stuck';
    }
    if (implausible.length === 0 && !stuck && !jump) return { verdicts: this.#moved ? FINE : UNSURE, excluded };
    const known = stuck || this.#moved ? { stuck } : {};
    return { verdicts: { implausible: implausible.length > 0, jump, ...known }, excluded };
  }
}
