import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Static, Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { EventRecord, Id, type SiteCamera } from '#grid/mod.ts';
import type { Log } from '#service/mod.ts';
import { writeDurably } from '../evidence/mod.ts';
import type { KnownFixture } from './fixtures.ts';
import type { Ground } from './ground.ts';
import type { Incident } from './incident.ts';

/** An incident that has an event, as it is kept on disk. */
const Remembered = Type.Object({
  zone: Id(),
  rule: Id(),
  state: Type.Union([Type.Literal('active'), Type.Literal('silent')]),
  lon: Type.Number(),
  lat: Type.Number(),
  errorRadiusM: Type.Number(),
  box: Type.Tuple([Type.Number(), Type.Number(), Type.Number(), Type.Number()]),
  score: Type.Number(),
  /** Last revision. */
  record: EventRecord,
});
const FixtureRow = Type.Object({
  class: Id(),
  box: Remembered.properties.box,
  score: Type.Number(),
  /** By which reviewers see what it keeps quiet. */
  event: Type.Optional(Id()),
});
const Memory = Type.Object({
  v: Type.Literal(1),
  incidents: Type.Array(Remembered),
  /** Over, and no case was known of; not written by nodes from before. */
  ended: Type.Optional(Type.Array(Remembered)),
  offline: Type.Union([EventRecord, Type.Null()]),
  /** What was there before the camera looked, and by which view; not written before that is known. */
  fixtures: Type.Optional(Type.Array(FixtureRow)),
  /** Last revisions of their events. */
  quiet: Type.Optional(Type.Array(EventRecord)),
  view: Type.Optional(Type.String()),
});
const check = Compile(Memory);

/** An incident and the last revision of its event. */
export interface RememberedEvent {
  incident: Incident;
  record: EventRecord;
}

export interface Remembrance {
  /** Their rule is still in the configuration, as is that of those that are over. */
  incidents: RememberedEvent[];
  ended: RememberedEvent[];
  /** Active events whose rule is gone, and those of fixtures of another view. */
  orphans: EventRecord[];
  offline: EventRecord | null;
  /** Null where that is not known of this view. */
  fixtures: readonly KnownFixture[] | null;
  /** The events of these. */
  quiet: EventRecord[];
}

/**
 * What a camera has raised and not cleared, in a small file of its own, so that a restart neither raises it again nor
 * forgets to clear it. Written whole and durably with every revision, before the revision is emitted.
 */
export class CameraMemory {
  readonly #file: string;
  readonly #view: string;
  readonly #log: Log;

  /** `view` names what is seen and by which model: with another one, what was there before is not known. */
  constructor({ dir, camera, view = '', log }: { dir: string; camera: string; view?: string; log: Log }) {
    this.#file = join(dir, `${camera}.json`);
    this.#view = view;
    this.#log = log;
  }

  async save({ incidents, ended, offline, fixtures, quiet }: Omit<Remembrance, 'orphans'>, ground: Ground): Promise<void> {
    const rows = (events: readonly RememberedEvent[]) => events.map((event) => toRow(event, ground));
    const known = fixtures === null ? {} : { fixtures: fixtures.map(toFixtureRow), view: this.#view };
    const all = { v: 1, incidents: rows(incidents), ended: rows(ended), offline, ...known, quiet };
    await writeDurably(this.#file, JSON.stringify(all));
  }

  /** Empty when there is no file, or when it cannot be used (logged): things are then raised again, which is harmless. */
  async load(camera: Pick<SiteCamera, 'zones'>, ground: Ground, nowMs: number): Promise<Remembrance> {
    const found: Remembrance = { incidents: [], ended: [], orphans: [], offline: null, fixtures: null, quiet: [] };
    const input = await this.#read();
    if (input === undefined) return found;
    if (!check.Check(input)) {
      this.#log.error({ file: this.#file }, 'the camera memory is not usable and is begun anew');
      return found;
    }
    found.offline = input.offline;
    const fixtures = input.view === this.#view ? (input.fixtures ?? null) : null;
    for (const record of input.quiet ?? []) (isWanted(record, fixtures ?? [], camera) ? found.quiet : found.orphans).push(record);
    const told = (event: string | undefined) => found.quiet.find(({ subject }) => subject === event)?.subject ?? null;
    found.fixtures = fixtures?.map(({ event, ...fixture }) => ({ ...fixture, event: told(event) })) ?? null;
    for (const row of input.incidents) {
      const event = fromRow(row, camera, ground, nowMs);
      // A crash between the clear and the file after it.
      const isOver = row.state === 'active' && row.record.data.clearedAt !== undefined;
      if (event !== null) (isOver ? found.ended : found.incidents).push(event);
      else if (row.state === 'active') found.orphans.push(row.record);
    }
    found.ended.push(...(input.ended ?? []).flatMap((row) => fromRow(row, camera, ground, nowMs) ?? []));
    return found;
  }

  /** The events that are not cleared, of whatever rule or fixture, and the camera's own fault. */
  async uncleared(): Promise<EventRecord[]> {
    const input = await this.#read();
    if (!check.Check(input)) return [];
    const active = input.incidents.filter(({ state }) => state === 'active').map(({ record }) => record);
    return [...active, ...(input.quiet ?? []), ...(input.offline === null ? [] : [input.offline])];
  }

  async remove(): Promise<void> {
    await rm(this.#file, { force: true });
  }

  async #read(): Promise<unknown> {
    try {
      return JSON.parse(await readFile(this.#file, 'utf8'));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') this.#log.error({ file: this.#file, err: error }, 'camera memory');
      return undefined;
    }
  }
}

const toFixtureRow = ({ event, box, ...fixture }: KnownFixture): Static<typeof FixtureRow> => ({
  ...fixture,
  box: [...box],
  ...(event === null ? {} : { event }),
});

function toRow({ incident, record }: RememberedEvent, ground: Ground): Static<typeof Remembered> {
  return {
    zone: incident.zone,
    rule: incident.rule.id,
    // Of one that is over it says nothing.
    state: incident.state === 'silent' ? 'silent' : 'active',
    ...ground.toPosition(incident.point),
    errorRadiusM: incident.errorRadiusM,
    box: [...incident.box],
    score: incident.score,
    record,
  };
}

/** Whether the fixture is still known, and a rule of the zone still looks for such things: else nothing is kept quiet there. */
function isWanted(
  { subject, data: { origin } }: EventRecord,
  fixtures: readonly Static<typeof FixtureRow>[],
  { zones }: Pick<SiteCamera, 'zones'>,
): boolean {
  const fixture = fixtures.find(({ event }) => event === subject);
  const zone = zones.find(({ id }) => origin.by === 'camera' && id === origin.zone);
  return fixture !== undefined && zone?.rules.some(({ detects }) => detects === fixture.class) === true;
}

/** Null when its rule is gone. */
function fromRow(
  row: Static<typeof Remembered>,
  camera: Pick<SiteCamera, 'zones'>,
  ground: Ground,
  nowMs: number,
): RememberedEvent | null {
  const rule = camera.zones.find((z) => z.id === row.zone)?.rules.find((r) => r.id === row.rule);
  if (rule === undefined) return null;
  const point = ground.toPoint(row);
  const { startedAt, lastSeenAt } = row.record.data;
  const { zone, state, errorRadiusM, box, score, record } = row;
  const times = {
    startedMs: nowMs,
    updatedMs: nowMs,
    presentMs: 0,
    unseenMs: 0,
    pictures: 0,
    surerThan: 0,
    startedAt,
    lastSeenAt,
  };
  const identity = { subject: record.subject, trackId: '', count: null, anchor: point, point };
  return { incident: { zone, rule, state, errorRadiusM, box, score, ...identity, ...times }, record };
}
