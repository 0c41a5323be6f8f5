import type { Fields } from '../devices/mod.ts';
import type { StagedTruth } from '../report/mod.ts';
import type { StagedIncident } from '../scenarios/mod.ts';

/** When a device said it, UTC ms. */
interface Telling {
  firstAt: number;
  lastAt: number;
  /** Of the first samples, as many as rules count. */
  times: number[];
}

/** What a sample says of incidents: which it is the first word of, which it speaks no more of, and whether of any. */
export interface Said {
  readonly begun: readonly StagedIncident[];
  readonly over: readonly StagedIncident[];
  readonly wrong: boolean;
}
const NOTHING: Said = { begun: [], over: [], wrong: false };

/** More than any rule counts. */
const TIMES_MAX = 8;
/** What was confirmed so shortly before its end is no fair test. */
const MARGIN_MS = 1_000;

/** Who said what of which incident: the truth is what devices said, not what was planned. */
export class ToldIncidents {
  readonly #of = new Map<number, StagedIncident[]>();
  readonly #told = new Map<StagedIncident, Map<number, Telling>>();
  readonly #incidents: readonly StagedIncident[];

  /** `atOnce`: it is told with the first sample, because the generator is the edge and confirms nothing. */
  constructor(incidents: readonly StagedIncident[], { atOnce }: { atOnce: boolean }) {
    this.#incidents = atOnce ? incidents.map(unconfirmed) : incidents;
    for (const incident of this.#incidents)
      for (const device of incident.devices) {
        const list = this.#of.get(device);
        if (list) list.push(incident);
        else this.#of.set(device, [incident]);
      }
  }

  said(device: number, fields: Readonly<Fields>, ts: number): Said {
    const mine = this.#of.get(device);
    // Most devices are in no incident.
    if (mine === undefined) return NOTHING;
    const change = { begun: [] as StagedIncident[], over: [] as StagedIncident[], wrong: false };
    for (const incident of mine) {
      if (!incident.breaks(fields)) {
        if (this.#told.has(incident)) change.over.push(incident);
        continue;
      }
      change.wrong = true;
      if (!this.#told.has(incident)) change.begun.push(incident);
      const tellings = this.#told.get(incident) ?? new Map<number, Telling>();
      this.#told.set(incident, tellings);
      const telling = tellings.get(device) ?? { firstAt: ts, lastAt: ts, times: [] };
      tellings.set(device, telling);
      telling.lastAt = ts;
      if (telling.times.length < TIMES_MAX) telling.times.push(ts);
    }
    return change;
  }

  /**
   * What the centre must know of, and what it may know of: an incident that was said, but not long enough to demand a case.
   */
  truths(): { due: StagedTruth[]; possible: StagedTruth[] } {
    const due: StagedTruth[] = [];
    const possible: StagedTruth[] = [];
    for (const incident of this.#incidents) {
      const { expected } = incident;
      const tellings = [...(this.#told.get(incident)?.values() ?? [])];
      if (expected === null || tellings.length === 0) continue;
      const firstAt = Math.min(...tellings.map((t) => t.firstAt));
      const lastAt = Math.max(...tellings.map((t) => t.lastAt));
      const confirmed = tellings
        .map((t) => ({ at: Math.max(t.firstAt + expected.confirmMs, t.times[expected.confirmSamples - 1] ?? Infinity), t }))
        .filter(({ at, t }) => at + MARGIN_MS <= t.lastAt)
        .map(({ at }) => at)
        .sort((a, b) => a - b);
      const { members, windowMs = Number.POSITIVE_INFINITY } = expected;
      const at = confirmed.find((t, n) => n >= members - 1 && t - (confirmed[n - members + 1] as number) <= windowMs);
      const { class: eventClass, component, lon, lat } = expected;
      const truth: StagedTruth = {
        id: incident.id,
        source: 'sensor',
        class: eventClass,
        component,
        lon,
        lat,
        standsFrom: firstAt,
        standsTo: lastAt,
        confirmMs: (at ?? firstAt + expected.confirmMs) - firstAt,
      };
      (at === undefined || incident.optional === true ? possible : due).push(truth);
    }
    return { due, possible };
  }
}

function unconfirmed(incident: StagedIncident): StagedIncident {
  const { expected } = incident;
  return { ...incident, expected: expected && { ...expected, confirmMs: 0, confirmSamples: 1, members: 1 } };
}
