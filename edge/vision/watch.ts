import type { Zone, ZoneRule } from '#grid/mod.ts';
import type { Box } from '#models/mod.ts';
import { distanceM, type GroundPoint } from './ground.ts';
import { contactPixel } from './placement.ts';
import { inForce, inPolygon, type WallTime } from './schedule.ts';
import type { Track } from './tracker.ts';

/**
 * One thing that stands where a rule forbids it, from its first sight to its end:
 *
 *   pending --stood for dwellS, seen in 70 % of the time--> active --unseen for clearS--> gone
 *                                                             |         (its case is open: silent, until it is closed)
 *                                                             +--its case is closed--> pending again
 *
 * Time counts only while the camera shows pictures: a camera that shows nothing confirms nothing and clears nothing.
 */
export interface Incident {
  readonly zone: string;
  readonly rule: ZoneRule;
  state: 'pending' | 'active' | 'silent';
  /** The event of an active or silent one. */
  subject: string | null;
  /** Of the pending time: where it began to stand. */
  anchor: GroundPoint;
  /** Newest smoothed place. */
  point: GroundPoint;
  errorRadiusM: number;
  box: Box;
  score: number;
  trackId: string;
  /** Monotonic ms: first seen standing in the zone. */
  startedMs: number;
  /** UTC ms of the same moment, and when it was last seen. */
  startedAt: number;
  lastSeenAt: number;
  updatedMs: number;
  presentMs: number;
  unseenMs: number;
}

export interface Moment {
  /** UTC ms. */
  at: number;
  /** Monotonic ms. */
  ms: number;
  wall: WallTime;
}

export type Decision = { kind: 'raise' | 'update' | 'clear'; incident: Incident };

/** A pending incident must have been seen for this share of its time. */
export const PRESENCE_MIN = 0.7;
export const UPDATE_MS = 60_000;
/** A new track takes over an incident that is nearer than this, or within both error radii. */
const TAKEOVER_M_MIN = 2;
const TAKEOVER_M_MAX = 8;
const PENDING_UNSEEN_MS_MIN = 3000;
const PENDING_UNSEEN_MS_MAX = 60_000;
/** Time between pictures counts up to so much; a longer gap is a camera that showed nothing. */
const GAP_MS_MIN = 2000;
const INCIDENTS_MAX = 256;

/** Applies one camera's zone rules to its tracks, picture by picture. Decides only; who calls it makes events of it. */
export class ZoneWatch {
  readonly #zones: readonly Zone[];
  readonly #gapMsMax: number;
  #incidents: Incident[] = [];
  #lastMs: number | null = null;

  constructor({ zones, frameMs }: { zones: readonly Zone[]; frameMs: number }) {
    this.#zones = zones;
    this.#gapMsMax = Math.max(GAP_MS_MIN, 3 * frameMs);
  }

  get incidents(): readonly Incident[] {
    return this.#incidents;
  }

  /** Takes back what an earlier run had raised. */
  restore(incident: Incident): void {
    this.#incidents.push(incident);
  }

  /** One picture's tracks. Decisions are final when they are returned: raise sets the incident active. */
  step(tracks: readonly Track[], now: Moment): Decision[] {
    const gapMs = this.#lastMs === null ? 0 : Math.min(this.#gapMsMax, Math.max(0, now.ms - this.#lastMs));
    this.#lastMs = now.ms;
    const present = this.#observe(tracks, now, gapMs);
    const decisions: Decision[] = [];
    for (const incident of this.#incidents) {
      if (present.has(incident)) {
        incident.presentMs += gapMs;
        incident.unseenMs = 0;
        incident.lastSeenAt = now.at;
        this.#whilePresent(incident, now, decisions);
      } else {
        incident.unseenMs += gapMs;
        if (incident.state === 'active' && incident.unseenMs >= incident.rule.clearS * 1000)
          decisions.push({ kind: 'clear', incident });
      }
    }
    this.#forget(decisions);
    return decisions;
  }

  /** After a clear: keeps the place silent because the event's case is still open. */
  silence(incident: Incident): void {
    incident.state = 'silent';
    if (this.#incidents.includes(incident)) return;
    if (this.#incidents.length >= INCIDENTS_MAX) this.#dropOldestSilent();
    this.#incidents.push(incident);
  }

  /** The event's case was closed: what still stands there must confirm anew and becomes a new event. */
  rearm(subject: string): Incident | null {
    const incident = this.#incidents.find((i) => i.subject === subject) ?? null;
    if (incident !== null) this.#incidents = this.#incidents.filter((i) => i !== incident);
    return incident;
  }

  #observe(tracks: readonly Track[], now: Moment, gapMs: number): Set<Incident> {
    const present = new Set<Incident>();
    const live = new Set(tracks.filter((t) => t.seen).map((t) => t.id));
    for (const zone of this.#zones) {
      for (const rule of zone.rules) {
        if (!inForce(rule, now.wall)) continue;
        const standing = tracks.filter((t) => t.seen && t.class === rule.detects && isLarge(t, rule) && inZone(t, zone));
        for (const track of standing) {
          const incident = this.#incidentOf(track, zone, rule, live, present) ?? this.#begin(track, zone, rule, now, gapMs);
          if (incident === null) continue;
          this.#follow(incident, track, now, gapMs);
          present.add(incident);
        }
      }
    }
    return present;
  }

  /** The incident of this track; else the nearest one of the rule that has lost its own. */
  #incidentOf(track: Track, zone: Zone, rule: ZoneRule, live: Set<string>, present: Set<Incident>): Incident | null {
    const point = track.point as GroundPoint;
    const ofRule = this.#incidents.filter((i) => i.zone === zone.id && i.rule.id === rule.id && !present.has(i));
    const near = (i: Incident): boolean => distanceM(i.point, point) <= takeoverM(i.errorRadiusM, track.errorRadiusM);
    const mine = ofRule.filter((i) => i.trackId === track.id);
    const own = mine.find((i) => i.state === 'pending' || near(i));
    if (own !== undefined) return own;
    // One with an event is not followed when its track walks away: it clears where it was, and another may take it over.
    for (const left of mine) left.trackId = '';
    const lost = ofRule.filter((i) => !live.has(i.trackId) && near(i));
    lost.sort((a, b) => distanceM(a.point, point) - distanceM(b.point, point));
    return lost[0] ?? null;
  }

  #begin(track: Track, zone: Zone, rule: ZoneRule, now: Moment, gapMs: number): Incident | null {
    // A track counts from its second picture on.
    if (!track.confirmed) return null;
    if (this.#incidents.length >= INCIDENTS_MAX) this.#dropOldestSilent();
    if (this.#incidents.length >= INCIDENTS_MAX) return null;
    const point = track.point as GroundPoint;
    const incident: Incident = {
      zone: zone.id,
      rule,
      state: 'pending',
      subject: null,
      anchor: point,
      point,
      errorRadiusM: track.errorRadiusM,
      box: track.box,
      score: track.score,
      trackId: track.id,
      startedMs: now.ms,
      startedAt: now.at,
      lastSeenAt: now.at,
      updatedMs: now.ms,
      // The time before this picture does not count; `step` is about to add it.
      presentMs: -gapMs,
      unseenMs: 0,
    };
    this.#incidents.push(incident);
    return incident;
  }

  #follow(incident: Incident, track: Track, now: Moment, gapMs: number): void {
    const point = track.point as GroundPoint;
    Object.assign(incident, { trackId: track.id, errorRadiusM: track.errorRadiusM, box: track.box, score: track.score });
    // Far away a pixel means metres: half the error radius is noise, not a step.
    const stillM = Math.max(incident.rule.stationaryM, track.errorRadiusM / 2);
    if (incident.state === 'pending') {
      incident.point = point;
      if (distanceM(incident.anchor, point) > stillM) {
        Object.assign(incident, { anchor: point, startedMs: now.ms, startedAt: now.at, presentMs: -gapMs });
      }
    } else if (distanceM(incident.anchor, point) <= stillM) incident.point = point;
  }

  #whilePresent(incident: Incident, now: Moment, decisions: Decision[]): void {
    const elapsedMs = now.ms - incident.startedMs;
    if (incident.state === 'active' && now.ms - incident.updatedMs >= UPDATE_MS) {
      incident.updatedMs = now.ms;
      decisions.push({ kind: 'update', incident });
    }
    if (incident.state !== 'pending' || elapsedMs < incident.rule.dwellS * 1000) return;
    if (incident.presentMs < PRESENCE_MIN * elapsedMs || incident.score < incident.rule.confidenceMin) return;
    if (this.#raisedBefore(incident)) return;
    incident.state = 'active';
    incident.anchor = incident.point;
    incident.updatedMs = now.ms;
    decisions.push({ kind: 'raise', incident });
  }

  /** Another zone's rule has raised the same thing already: one physical incident is one event. */
  #raisedBefore(incident: Incident): boolean {
    const same = (i: Incident): boolean => JSON.stringify(i.rule.raises) === JSON.stringify(incident.rule.raises);
    return this.#incidents.some(
      (i) =>
        i.state !== 'pending' &&
        same(i) &&
        distanceM(i.point, incident.point) <= takeoverM(i.errorRadiusM, incident.errorRadiusM) &&
        !this.#bothSeen(i, incident),
    );
  }

  /** Two tracks that are seen in the same picture are two things, even side by side. */
  #bothSeen(a: Incident, b: Incident): boolean {
    return a.trackId !== b.trackId && a.unseenMs === 0;
  }

  #forget(decisions: readonly Decision[]): void {
    const cleared = new Set(decisions.filter((d) => d.kind === 'clear').map((d) => d.incident));
    this.#incidents = this.#incidents.filter((i) => {
      if (i.state !== 'pending') return !cleared.has(i);
      const patienceMs = Math.min(PENDING_UNSEEN_MS_MAX, Math.max(PENDING_UNSEEN_MS_MIN, i.rule.dwellS * 300));
      return i.unseenMs <= patienceMs;
    });
  }

  #dropOldestSilent(): void {
    const oldest = this.#incidents.filter((i) => i.state === 'silent').sort((a, b) => a.lastSeenAt - b.lastSeenAt)[0];
    if (oldest !== undefined) this.#incidents = this.#incidents.filter((i) => i !== oldest);
  }
}

function isLarge({ box: [left, top, right, bottom] }: Track, { areaMin = 0 }: ZoneRule): boolean {
  return (right - left) * (bottom - top) >= areaMin;
}

function inZone(track: Track, zone: Zone): boolean {
  return track.point !== null && standsIn(zone.polygon, track.class, track.box);
}

/** Whether a thing of that box touches the ground inside; fractions of the picture. */
export function standsIn(polygon: Zone['polygon'], className: string, box: Box): boolean {
  // A box that is cut off by the picture's edge stands in a polygon that reaches to it.
  const [x, y] = contactPixel(className, box).map((v) => Math.min(1 - 1e-6, Math.max(1e-6, v))) as [number, number];
  return inPolygon(x, y, polygon);
}

function takeoverM(a: number, b: number): number {
  return Math.max(TAKEOVER_M_MIN, Math.min(TAKEOVER_M_MAX, a + b));
}
