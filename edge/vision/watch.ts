import { type Calendars, inForce, type WallTime, type Zone, type ZoneRule } from '#grid/mod.ts';
import { iou } from '#models/mod.ts';
import { Footsteps } from './crossing.ts';
import { type Fixture, Fixtures } from './fixtures.ts';
import { distanceM } from './ground.ts';
import {
  beginIncident,
  type Decision,
  type Incident,
  isSamePlace,
  isThere,
  type Moment,
  type Sighting,
  type Standing,
  sightingOf,
  sightingOfMany,
} from './incident.ts';
import type { Track } from './tracker.ts';
import { isLarge, kindOf, raisesSame, standsIn } from './zone_rules.ts';

/** A pending incident must have been there for this share of its time. */
export const PRESENCE_MIN = 0.7;
export const UPDATE_MS = 60_000;
const PENDING_UNSEEN_MS_MIN = 3000;
const PENDING_UNSEEN_MS_MAX = 60_000;
/** Time between pictures counts up to so much; a longer gap is a camera that showed nothing. */
const GAP_MS_MIN = 2000;
const INCIDENTS_MAX = 256;

interface RuleOfZone {
  zone: Zone;
  rule: ZoneRule;
}

/** Applies one camera's zone rules to its tracks, picture by picture. Decides only; who calls it makes events of it. */
export class ZoneWatch {
  readonly #rules: readonly RuleOfZone[];
  readonly #calendars: Calendars;
  readonly #gapMsMax: number;
  /** A thing came between two pictures, on average half of their distance before its first; waiting for one more makes that a whole one. */
  readonly #roundingMs: number;
  readonly #footsteps: Footsteps | null;
  /** What was there before: a thing in its place has to be surer. */
  readonly fixtures = new Fixtures();
  #incidents: Incident[] = [];
  #lastMs: number | null = null;
  /** The rules in force at that minute of the wall clock. */
  #inForce: { wall: WallTime | null; rules: readonly RuleOfZone[] } = { wall: null, rules: [] };

  /** `frameMs` lies between two looks, `pictureMs` between two pictures of which the one that shows something new is looked at. */
  constructor({
    zones,
    frameMs,
    pictureMs = frameMs,
    calendars = {},
  }: { zones: readonly Zone[]; frameMs: number; pictureMs?: number; calendars?: Calendars | undefined }) {
    this.#rules = zones.flatMap((zone) => zone.rules.map((rule) => ({ zone, rule })));
    this.#calendars = calendars;
    this.#gapMsMax = Math.max(GAP_MS_MIN, 3 * frameMs);
    this.#roundingMs = pictureMs / 2;
    this.#footsteps = this.#rules.some(({ rule }) => rule.crosses !== undefined) ? new Footsteps() : null;
  }

  get incidents(): readonly Incident[] {
    return this.#incidents;
  }

  /** Takes back what an earlier run had raised. */
  restore(incident: Incident): void {
    this.#incidents.push(incident);
  }

  /**
   * One picture's tracks, and all its detections. Decisions are final when they are returned: raise sets the incident active.
   */
  step(tracks: readonly Track[], now: Moment, detections: readonly Fixture[] = []): Decision[] {
    const sinceMs = this.#lastMs === null ? 0 : Math.max(0, now.ms - this.#lastMs);
    const gapMs = Math.min(this.#gapMsMax, sinceMs);
    this.#lastMs = now.ms;
    // Time in which the camera showed nothing is none in which a thing could have been seen.
    for (const incident of this.#incidents) if (incident.state === 'pending') incident.startedMs += sinceMs - gapMs;
    this.fixtures.look(detections, this.#told(), now.ms);
    const present = this.#observe(tracks, now, gapMs);
    const decisions: Decision[] = [];
    for (const incident of this.#incidents) {
      const seen = present.has(incident);
      if (seen) incident.lastSeenAt = now.at;
      if (isThere(incident, seen)) {
        incident.presentMs += gapMs;
        incident.unseenMs = 0;
        this.#whileThere(incident, now, decisions);
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

  /** Somebody has said that what a fixture keeps quiet is one: it is raised with the next picture that shows it. */
  tellFixture(event: string): void {
    const dropped = this.fixtures.drop(event);
    if (dropped === null) return;
    for (const incident of this.#incidents)
      if (incident.state === 'pending' && incident.rule.detects === dropped.class && iou(incident.box, dropped.box) > 0)
        incident.surerThan = 0;
  }

  #observe(tracks: readonly Track[], now: Moment, gapMs: number): Set<Incident> {
    const seen = tracks.filter((t): t is Standing => t.seen && t.point !== null);
    this.#footsteps?.step(seen);
    this.#footsteps?.forget(new Set(tracks.map((t) => t.id)));
    const present = new Set<Incident>();
    for (const of of this.#rulesAt(now.wall)) {
      const { zone, rule } = of;
      const own = seen.filter((t) => t.class === rule.detects && isLarge(t, rule));
      if (own.length === 0) continue;
      if (rule.crosses !== undefined) this.#cross(of, own, { now, gapMs, present });
      else {
        const inside = own.filter((t) => standsIn(zone.polygon, t.foot));
        if (rule.count === undefined) this.#stand(of, inside, tracks, { now, gapMs, present });
        else this.#count(of, inside, { now, gapMs, present });
      }
    }
    return present;
  }

  #rulesAt(wall: WallTime): readonly RuleOfZone[] {
    if (this.#inForce.wall !== wall)
      this.#inForce = { wall, rules: this.#rules.filter(({ rule }) => inForce(rule, wall, this.#calendars)) };
    return this.#inForce.rules;
  }

  #stand(of: RuleOfZone, standing: readonly Standing[], tracks: readonly Track[], picture: Picture): void {
    const live = new Set(tracks.filter((t) => t.seen).map((t) => t.id));
    for (const track of standing) {
      const incident =
        this.#incidentOf(track, of, live, picture.present) ??
        this.#begin(of, track, sightingOf(track), stoodBefore(track, of.rule) ? sincePicture(picture) : picture);
      if (incident === null) continue;
      this.#follow(incident, track, picture);
      picture.present.add(incident);
    }
  }

  /** A thing has one incident of the rule, however often it goes to and fro while that lasts. */
  #cross(of: RuleOfZone, tracks: readonly Standing[], picture: Picture): void {
    for (const track of tracks) {
      if (!this.#footsteps?.crossed(track, of.rule.crosses as NonNullable<ZoneRule['crosses']>, of.zone)) continue;
      const incident =
        this.#incidents.find((i) => isOf(i, of) && i.trackId === track.id) ?? this.#begin(of, track, sightingOf(track), picture);
      if (incident !== null) picture.present.add(incident);
    }
  }

  #count(of: RuleOfZone, inside: readonly Standing[], picture: Picture): void {
    const [first, ...others] = inside.filter((t) => t.confirmed);
    const above = of.rule.count?.above ?? 0;
    if (first === undefined || others.length + 1 <= above) return;
    const sighting = sightingOfMany([first, ...others]);
    const incident = this.#incidents.find((i) => isOf(i, of)) ?? this.#begin(of, first, sighting, picture);
    if (incident === null) return;
    Object.assign(incident, sighting);
    picture.present.add(incident);
  }

  /** The incident of this track; else the nearest one of the rule that has lost its own. */
  #incidentOf(track: Standing, of: RuleOfZone, live: ReadonlySet<string>, present: ReadonlySet<Incident>): Incident | null {
    const ofRule = this.#incidents.filter((i) => isOf(i, of) && !present.has(i));
    const mine = ofRule.filter((i) => i.trackId === track.id);
    const own = mine.find((i) => i.state === 'pending' || isSamePlace(i, track));
    if (own !== undefined) return own;
    // One with an event is not followed when its track walks away: it clears where it was, and another may take it over.
    for (const left of mine) left.trackId = '';
    const lost = ofRule.filter((i) => !live.has(i.trackId) && isSamePlace(i, track));
    lost.sort((a, b) => distanceM(a.point, track.point) - distanceM(b.point, track.point));
    return lost[0] ?? null;
  }

  #begin({ zone, rule }: RuleOfZone, track: Track, sighting: Sighting, { now, gapMs }: Picture): Incident | null {
    // A track counts from its second picture on.
    if (!track.confirmed) return null;
    if (this.#incidents.length >= INCIDENTS_MAX) this.#dropOldestSilent();
    if (this.#incidents.length >= INCIDENTS_MAX) return null;
    const incident = beginIncident(zone, rule, sighting, now, gapMs);
    this.#incidents.push(incident);
    return incident;
  }

  #follow(incident: Incident, track: Standing, { now, gapMs }: Picture): void {
    const { point, errorRadiusM, box, score, id } = track;
    Object.assign(incident, { trackId: id, errorRadiusM, box, score });
    const stillM = stillOf(incident.rule, track);
    if (incident.state === 'pending') {
      incident.point = point;
      if (distanceM(incident.anchor, point) > stillM)
        Object.assign(incident, { anchor: point, startedMs: now.ms, startedAt: now.at, presentMs: -gapMs, surerThan: 0 });
    } else if (distanceM(incident.anchor, point) <= stillM) incident.point = point;
  }

  #whileThere(incident: Incident, now: Moment, decisions: Decision[]): void {
    const elapsedMs = now.ms - incident.startedMs;
    if (incident.state === 'active' && now.ms - incident.updatedMs >= UPDATE_MS) {
      incident.updatedMs = now.ms;
      decisions.push({ kind: 'update', incident });
    }
    if (incident.state !== 'pending') return;
    const scoreMin = this.#scoreMin(incident);
    if (elapsedMs + this.#roundingMs < incident.rule.dwellS * 1000) return;
    if (incident.presentMs < PRESENCE_MIN * elapsedMs || incident.score < incident.rule.confidenceMin) return;
    if (this.#raisedBefore(incident)) return;
    if (incident.score < scoreMin) {
      const fixture = this.fixtures.untold(incident.rule.detects, incident.box);
      if (fixture !== null) decisions.push({ kind: 'quiet', incident, fixture });
      return;
    }
    incident.state = 'active';
    incident.anchor = incident.point;
    incident.updatedMs = now.ms;
    decisions.push({ kind: 'raise', incident });
  }

  /**
   * More than the rule asks for where something of the class was before the camera looked, though only a part of it is seen now. What is
   * critical is told however long it has been there: an open shaft that a new camera finds is no part of the street.
   */
  #scoreMin(incident: Incident): number {
    const { rule, box } = incident;
    if (kindOf(rule) !== 'stands' || rule.severity === 'critical') return rule.confidenceMin;
    incident.surerThan = Math.max(incident.surerThan, this.fixtures.surerThan(rule.detects, box));
    return Math.max(rule.confidenceMin, incident.surerThan);
  }

  #told(): Pick<Fixture, 'class' | 'box'>[] {
    return this.#incidents.filter((i) => i.state !== 'pending').map(({ rule, box }) => ({ class: rule.detects, box }));
  }

  /** Another zone's rule has raised the same thing already: one physical incident is one event. */
  #raisedBefore(incident: Incident): boolean {
    if (kindOf(incident.rule) !== 'stands') return false;
    return this.#incidents.some(
      (i) =>
        i.state !== 'pending' &&
        kindOf(i.rule) === 'stands' &&
        raisesSame(i.rule, incident.rule) &&
        isSamePlace(i, incident) &&
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

/** One picture's doings: what it shows of incidents is gathered in `present`. */
interface Picture {
  now: Moment;
  gapMs: number;
  present: Set<Incident>;
}

/** Far away a pixel means metres: half the error radius is noise, not a step. */
const stillOf = ({ stationaryM }: ZoneRule, { errorRadiusM }: Standing): number => Math.max(stationaryM, errorRadiusM / 2);

/** It takes a second picture to believe a thing; where it stood there in the first one already, its time runs from then on. */
function stoodBefore(track: Standing, rule: ZoneRule): boolean {
  return track.newFrom !== null && distanceM(track.newFrom, track.point) <= stillOf(rule, track);
}

/** As if it had begun with the picture before. Times of an event are whole milliseconds, those between pictures are not. */
function sincePicture({ now, gapMs, present }: Picture): Picture {
  return { now: { ...now, at: Math.round(now.at - gapMs), ms: now.ms - gapMs }, gapMs: 0, present };
}

const isOf = (i: Incident, { zone, rule }: RuleOfZone): boolean => i.zone === zone.id && i.rule.id === rule.id;
