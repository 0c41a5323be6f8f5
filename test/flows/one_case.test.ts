import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeFolder } from '#edge/evidence/mod.ts';
import { CaseStateMap } from '#edge/uplink/mod.ts';
import { CameraMemory, EventReporter, groundOf, Locator, type Track, ZoneWatch } from '#edge/vision/mod.ts';
import { type Case, createCellIndex, wallClock } from '#grid/mod.ts';
import type { EventRecord } from '#grid/wire/mod.ts';
import { type ManualClock, silentLog } from '#service/mod.ts';
import { type Dice, diceOf } from '#simulators/cameras/street/mod.ts';
import { ORIGIN, RULE, siteCamera } from '../edge/vision/street.ts';
import { advance, allCases, type Centre, openCentre, photo, SUPERVISION, store, take } from '../ingest/cases/fixture.ts';
import { tempDir } from '../support/temp.ts';

/**
 * A centre and two edges, whole flows by chance: three cameras see the same stalls, each a little elsewhere; edges restart, are cut
 * off, send late, in any order and twice; what the centre says is lost now and then; officers close cases at any moment. Whenever:
 * one incident is one case, and nothing is lost. GEWU_SEED=n repeats a seed, GEWU_SEEDS=n runs so many.
 */
const SEEDS =
  process.env.GEWU_SEED === undefined
    ? Array.from({ length: Number(process.env.GEWU_SEEDS ?? 3) }, (_, k) => k + 1)
    : [Number(process.env.GEWU_SEED)];
const FRAME_MS = 500;
const LENGTH_MS = 560_000;
/** At the end nothing stands any more, everybody is connected, and all that is left is told. */
const QUIET_MS = 60_000;
const OUTAGE_MS_MAX = 60_000;
/** The longest until a place is watched again after its case was closed: an outage, a closing that was lost, its dwell time. */
const REARMED_MS_MAX = OUTAGE_MS_MAX + 300_000 + 30_000;
/** East of the cameras, metres; at the first one something stands nearly all the time. */
const PLACES = [-9, 0, 9] as const;
const NORTH_M = 14;
const CAMERAS = { 'edge-1': ['cam-a', 'cam-b'], 'edge-2': ['cam-c'] } as const;
const DWELL_MS = RULE.dwellS * 1000;

const camera = siteCamera();
const ground = groundOf(camera);
const wall = wallClock('Asia/Shanghai');
const [w, e, s, n] = [ORIGIN.lon - 0.002, ORIGIN.lon + 0.002, ORIGIN.lat - 0.002, ORIGIN.lat + 0.002];
const polygon: [number, number][] = [
  [w, s],
  [e, s],
  [e, n],
  [w, n],
];
const cells = createCellIndex([{ code: '110101001001001', polygon }]);

type Span = readonly [fromMs: number, toMs: number];
const holds = (spans: readonly Span[], ms: number): boolean => spans.some(([from, to]) => ms >= from && ms < to);

/** When something stands at a place: never in the quiet. */
function spansOf(dice: Dice, east: number): Span[] {
  const endMs = LENGTH_MS - QUIET_MS;
  if (east === PLACES[0]) return [[dice.between(1_000, 20_000), endMs]];
  const spans: Span[] = [];
  for (let at = dice.between(1_000, 40_000); ; ) {
    const to = at + dice.between(15_000, 80_000);
    if (to > endMs) return spans;
    spans.push([at, to]);
    at = to + dice.between(5_000, 60_000);
  }
}

interface Message {
  dueMs: number;
  give(): Promise<void>;
}

/** One edge: its cameras, its outbox, which outlives it, and the line to the centre. */
class Edge {
  readonly #id: keyof typeof CAMERAS;
  readonly #dir: string;
  readonly #dice: Dice;
  readonly #clock: ManualClock;
  readonly #centre: Centre;
  readonly #saving = new Set<Promise<void>>();
  readonly raised = new Set<string>();
  #cases = new CaseStateMap();
  #nodes: { watch: ZoneWatch; report: EventReporter; offM: number; blind: Span[] }[] = [];
  #mail: Message[] = [];
  #cutUntilMs = 0;
  #downUntilMs = 0;

  constructor(id: keyof typeof CAMERAS, { dir, dice, centre }: { dir: string; dice: Dice; centre: Centre }) {
    this.#id = id;
    this.#dir = dir;
    this.#dice = dice;
    this.#centre = centre;
    this.#clock = centre.clock;
  }

  async start(): Promise<void> {
    this.#cases = new CaseStateMap();
    this.#nodes = CAMERAS[this.#id].map((name) => this.#node(name));
    for (const { report } of this.#nodes) await report.start();
  }

  async stop(): Promise<void> {
    for (const { report } of this.#nodes) await report.stop();
    this.#nodes = [];
  }

  /** What the centre says of an event; lost without a connection, and now and then with one. */
  tell(command: Parameters<CaseStateMap['tell']>[0]): void {
    const ms = this.#clock.monotonic();
    if (ms < this.#cutUntilMs || ms < this.#downUntilMs || this.#dice.chance(0.05)) return;
    this.#cases.tell(command);
  }

  /** One picture of each camera, and what is due on the line. */
  async step(things: readonly { east: number; spans: Span[] }[], isQuiet: boolean): Promise<void> {
    const ms = this.#clock.monotonic();
    if (!isQuiet) await this.#misfortunes(ms);
    if (this.#nodes.length === 0 && ms >= this.#downUntilMs) await this.start();
    for (const node of this.#nodes) {
      const tracks = things.flatMap((thing) => this.#look(thing, node, ms));
      const [at, { watch, report }] = [this.#clock.now(), node];
      report.handle(watch.step(tracks, { at, ms, wall: wall(at) }), at);
      if (ms % 1_000 < FRAME_MS) report.pollCases();
    }
    await this.#settled();
    if (ms < this.#cutUntilMs) return;
    const due = this.#mail.filter((m) => m.dueMs <= ms).sort((a, b) => a.dueMs - b.dueMs);
    this.#mail = this.#mail.filter((m) => m.dueMs > ms);
    for (const { give } of due) await give();
  }

  async #misfortunes(ms: number): Promise<void> {
    if (this.#dice.chance(0.006)) this.#cutUntilMs = Math.max(this.#cutUntilMs, ms + this.#dice.between(2_000, OUTAGE_MS_MAX));
    if (!this.#dice.chance(0.004) || this.#nodes.length === 0) return;
    await this.stop();
    this.#downUntilMs = ms + this.#dice.between(0, 5_000);
  }

  #look({ east, spans }: { east: number; spans: Span[] }, { offM, blind }: { offM: number; blind: Span[] }, ms: number): Track[] {
    if (!holds(spans, ms) || holds(blind, ms) || this.#dice.chance(0.1)) return [];
    const jitter = () => this.#dice.between(-0.3, 0.3);
    const x = 0.5 + east / 30;
    const seen = { class: 'stall', score: 0.8, errorRadiusM: 1.2, confirmed: true, seen: true, newFrom: null } as const;
    const point = [east + offM + jitter(), NORTH_M + jitter()] as const;
    const [id, box] = [`${east}-${Math.floor(ms / 37_000)}`, [x - 0.03, 0.4, x + 0.03, 0.6] as const];
    return [{ ...seen, id, box, point, foot: [x, 0.6] }];
  }

  #node(name: string) {
    const dice = this.#dice;
    const watch = new ZoneWatch({ zones: camera.zones, frameMs: FRAME_MS });
    const memory = new CameraMemory({ dir: this.#dir, camera: name, log: silentLog });
    const save = memory.save.bind(memory);
    memory.save = (...args) => this.#noted(save(...args));
    const report = new EventReporter({
      camera: { ...camera, id: name },
      edgeId: this.#id,
      model: { name: 'drawn', version: '1', provenance: 'drawn-scenes' },
      ground,
      locator: new Locator({ ground, cells, components: [] }),
      watch,
      memory,
      events: { emit: async (record) => this.#send(record) },
      cases: this.#cases,
      clock: this.#clock,
      log: silentLog,
      evidence: async () => photo('proof'),
    });
    const blind = Array.from({ length: 4 }, (): Span => {
      const from = dice.between(0, LENGTH_MS);
      return [from, from + dice.between(1_000, 30_000)];
    });
    return { watch, report, offM: dice.between(-0.5, 0.5), blind };
  }

  #send(record: EventRecord): void {
    if (record.type === 'gewu.event.raised') this.raised.add(record.subject);
    const give = () => take(this.#centre, record);
    const times = this.#dice.chance(0.05) ? 2 : 1;
    for (let k = 0; k < times; k++) this.#mail.push({ dueMs: this.#clock.monotonic() + this.#dice.between(0, 4_000), give });
  }

  #noted(work: Promise<void>): Promise<void> {
    this.#saving.add(work);
    return work.finally(() => this.#saving.delete(work));
  }

  /** Nothing of this picture is under way any more: so a seed gives the same run on every machine. */
  async #settled(): Promise<void> {
    do {
      await Promise.all(this.#saving);
      await new Promise((resolve) => setImmediate(resolve));
    } while (this.#saving.size > 0);
  }
}

/** Closes cases, each after a time of its own, as people do. */
class Officers {
  readonly #dueMs = new Map<string, number>();
  readonly closedAt = new Map<string, number>();

  async step(centre: Centre, dice: Dice, isEnd: boolean): Promise<void> {
    const ms = centre.clock.monotonic();
    for (const { id, state } of await allCases(centre)) {
      if (state === 'CLOSED') continue;
      const dueMs = this.#dueMs.get(id) ?? ms + dice.between(10_000, 100_000);
      this.#dueMs.set(id, dueMs);
      if (ms < dueMs && !isEnd) continue;
      await centre.cases.transition(id, 'file', SUPERVISION, {});
      await advance(centre, id, 'CLOSED');
      this.closedAt.set(id, centre.clock.now());
    }
  }
}

async function run(seed: number) {
  const dice = diceOf(seed, 907);
  const centre = await openCentre({ store: 'sqlite', file: join(await tempDir(), 'centre.db') });
  await store(centre, 'proof');
  const things = PLACES.map((east) => ({ east, spans: spansOf(dice, east) }));
  const officers = new Officers();
  const edges = new Map<string, Edge>();
  for (const id of Object.keys(CAMERAS) as (keyof typeof CAMERAS)[]) {
    const dir = join(await tempDir(), 'vision');
    await makeFolder(dir);
    const edge = new Edge(id, { dir, dice, centre });
    await edge.start();
    edges.set(id, edge);
  }
  const beganAt = centre.clock.now() - centre.clock.monotonic();
  for (let ms = 0, told = 0; ms < LENGTH_MS; ms += FRAME_MS) {
    centre.clock.advance(FRAME_MS);
    for (const edge of edges.values()) await edge.step(things, ms > LENGTH_MS - QUIET_MS);
    if (ms % 5_000 === 0) await officers.step(centre, dice, ms > LENGTH_MS - QUIET_MS / 3);
    for (; told < centre.sent.length; told++) {
      const { edge, command } = centre.sent[told] as Centre['sent'][number];
      edges.get(edge)?.tell(command);
    }
  }
  for (const edge of edges.values()) await edge.stop();
  const cases = await allCases(centre);
  const raised = [...edges.values()].flatMap((edge) => [...edge.raised]);
  const { items } = await centre.cases.listEvents({ limit: 500 });
  await centre.database.stop();
  return { things, cases, raised, events: items, closedAt: officers.closedAt, beganAt };
}

const eastOf = ({ place }: Case): number => ground.toPoint(place)[0];

test.for(SEEDS)('seed %i: one incident is one case, and nothing is lost', { timeout: 120_000 }, async (seed) => {
  const { things, cases, raised, events, closedAt, beganAt } = await run(seed);
  expect(cases.length, 'cases').toBeGreaterThan(5);
  expect(new Set(cases.flatMap((c) => c.events)), `seed ${seed}: every event has its case`).toEqual(new Set(raised));
  expect(events.map((e) => e.record.subject).sort()).toEqual([...raised].sort());
  const seenBy = (c: Case) => new Set(events.filter((e) => e.case === c.id).map((e) => e.record.data.edge));
  expect(cases.filter((c) => seenBy(c).size > 1).length, 'cases of both edges').toBeGreaterThan(2);
  for (const { east, spans } of things) {
    const own = cases.filter((c) => Math.abs(eastOf(c) - east) < 3).sort((a, b) => a.openedAt - b.openedAt);
    for (const [k, found] of own.entries()) {
      const what = `seed ${seed}, ${east} m, case ${k} of ${own.length}`;
      const before = own[k - 1];
      const begunMs = found.startedAt - beganAt;
      expect(
        spans.some(([from, to]) => begunMs >= from && begunMs <= to),
        `${what}: something stood there`,
      ).toBe(true);
      if (before === undefined) continue;
      const closed = closedAt.get(before.id) ?? Number.POSITIVE_INFINITY;
      expect(found.openedAt, `${what}: the one before was closed`).toBeGreaterThanOrEqual(closed);
      expect(found.lastSeenAt, `${what}: something was seen after that`).toBeGreaterThan(closed);
      expect(
        own.slice(0, k).map((c): string | null => c.id),
        what,
      ).toContain(found.recurrenceOf);
    }
    for (const [from, to] of spans) {
      if (to - from < 4 * DWELL_MS) continue;
      const lives = own.map((c): Span => [c.startedAt - beganAt, (closedAt.get(c.id) ?? Number.POSITIVE_INFINITY) - beganAt]);
      expect(
        lives.some(([a, b]) => a < to && b > from),
        `seed ${seed}, ${east} m: what stood from ${from} to ${to}`,
      ).toBe(true);
      for (const [, b] of lives)
        if (b >= from && to - b > REARMED_MS_MAX)
          expect(
            lives.some(([a]) => a > b && a < to),
            `seed ${seed}, ${east} m: closed at ${b}, stood until ${to}`,
          ).toBe(true);
    }
  }
});
