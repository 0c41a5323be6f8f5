import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeFolder } from '#edge/evidence/mod.ts';
import { CaseStateMap } from '#edge/uplink/mod.ts';
import { CameraMemory, EventReporter, groundOf, Locator, type Track, ZoneWatch } from '#edge/vision/mod.ts';
import type { EventAnswer } from '#grid/api/mod.ts';
import { createCellIndex, wallClock } from '#grid/mod.ts';
import type { CaseStateCommand, EventRecord } from '#grid/wire/mod.ts';
import { ManualClock, silentLog } from '#service/mod.ts';
import { ORIGIN, RULE, siteCamera } from '../edge/vision/street.ts';
import { CELL, EDGE, type EdgeClient, TestCentre } from '../ingest/api/fixture.ts';
import { tempDir } from '../support/temp.ts';
import { until } from '../support/until.ts';

/**
 * What a camera shows from its first minute on is kept quiet, and reviewers see that it is: from the zones of an edge to a centre over MQTT,
 * to a reviewer over HTTP, and his word back to the zones.
 */
const LOOK_MS = 5_000;
const MINUTE_MS = 60_000;
/** An edge asks again how the case of a silent event is. */
const ASKS_AGAIN_MS = 5 * MINUTE_MS;
const camera = { ...siteCamera(), id: 'cam-1' };
const zones = camera.zones.map((zone) => ({ ...zone, rules: [{ ...RULE, dwellS: 180, confidenceMin: 0.5 }] }));
const ground = groundOf(camera);
const wall = wallClock('Asia/Shanghai');
const [w, e, s, n] = [ORIGIN.lon - 0.002, ORIGIN.lon + 0.002, ORIGIN.lat - 0.002, ORIGIN.lat + 0.002];
const polygon: [number, number][] = [
  [w, s],
  [e, s],
  [e, n],
  [w, n],
];
const TERRACE = { class: 'stall', score: 0.6, box: [0.2, 0.4, 0.3, 0.6] } as const;
const TRACK: Track = {
  ...TERRACE,
  ...{ id: 't-1', point: [4, 15], errorRadiusM: 1, foot: [0.25, 0.6] },
  ...{ confirmed: true, seen: true, newFrom: null },
};

let centre: TestCentre;
let line: EdgeClient;
beforeAll(async () => {
  centre = await TestCentre.start();
  line = await centre.edge();
});
afterAll(async () => {
  await line?.close();
  await centre?.stop();
});

/** One camera of an edge before which a terrace stands, on a clock of its own. */
class Node {
  readonly #clock = new ManualClock();
  readonly #cases = new CaseStateMap();
  readonly #dir: string;
  #watch = new ZoneWatch({ zones, frameMs: LOOK_MS });
  #report: EventReporter | null = null;
  #heard = 0;
  /** What is stored at the centre. */
  readonly told: EventRecord[] = [];

  constructor(dir: string) {
    this.#dir = dir;
  }

  async start(): Promise<void> {
    this.#watch = new ZoneWatch({ zones, frameMs: LOOK_MS });
    this.#report = new EventReporter({
      camera: { ...camera, zones },
      edgeId: EDGE,
      model: { name: 'street', version: '2', provenance: 'drawn-scenes' },
      ground,
      locator: new Locator({ ground, cells: createCellIndex([{ code: CELL, polygon }]), components: [] }),
      watch: this.#watch,
      memory: new CameraMemory({ dir: this.#dir, camera: camera.id, view: 'as it is', log: silentLog }),
      events: {
        emit: async (record) => {
          await line.send('events', [record]);
          this.told.push(record);
        },
      },
      cases: this.#cases,
      clock: this.#clock,
      log: silentLog,
      evidence: async () => null,
    });
    await this.#report.start();
  }

  /** All that it had to tell is told, and what it knows is on disk. */
  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  async stop(): Promise<void> {
    await this.#report?.stop();
  }

  /** The terrace all the time. */
  during(ms: number): void {
    for (const end = this.#clock.monotonic() + ms; this.#clock.monotonic() < end; ) {
      this.#clock.advance(LOOK_MS);
      const at = this.#clock.now();
      this.#report?.handle(this.#watch.step([TRACK], { at, ms: this.#clock.monotonic(), wall: wall(at) }, [TERRACE]), at);
      this.#report?.pollCases();
    }
  }

  /** What the centre has said of cases since the last time. */
  hear(): CaseStateCommand[] {
    const said = (line.commands.slice(this.#heard) as CaseStateCommand[]).filter(({ command }) => command === 'case-state');
    this.#heard = line.commands.length;
    for (const command of said) this.#cases.tell(command);
    return said;
  }
}

const eventsOf = async (): Promise<EventAnswer[]> => (await centre.get('/api/v1/events')).body.items;
const judge = (event: string, verdict: object) => centre.call('supervision', 'PUT', `/api/v1/events/${event}/verdict`, verdict);
const precision = async () => (await centre.get('/api/v1/verdicts/precision')).body.items;
const kinds = (records: readonly EventRecord[]) => records.map(({ type, data }) => [type.split('.').at(-1), data.suppressed]);

test('what a fixture keeps quiet is an event for reviewers alone; who says that it is one has it raised there', async () => {
  const dir = join(await tempDir(), 'vision');
  await makeFolder(dir);
  const node = new Node(dir);
  await node.start();
  node.during(10 * MINUTE_MS);
  const [quiet] = await until(async () => ((await eventsOf()).length > 0 ? eventsOf() : null), {
    what: 'the event for reviewers',
  });
  const subject = quiet?.record.subject ?? '';
  expect(quiet).toMatchObject({
    case: null,
    verdict: null,
    record: { data: { suppressed: 'fixture', origin: { zone: 'all' } } },
  });

  // It is no one: it stays quiet, over a restart too, and nobody was wrong who had told it.
  expect((await judge(subject, { verdict: 'rejected', reason: 'nothing-there' })).status).toBe(200);
  await node.restart();
  node.during(ASKS_AGAIN_MS + MINUTE_MS);
  await node.restart();
  expect(new Set(node.told.map((record) => record.id))).toEqual(new Set([`${subject}.1`]));
  expect([node.hear(), await precision(), (await centre.get('/api/v1/cases')).body.items]).toEqual([[], [], []]);

  // It is one after all. The word is lost; the edge asks again, and the centre says it again.
  await judge(subject, { verdict: 'accepted' });
  await until(() => line.commands.length > 0, { what: 'the word' });
  line.commands.length = 0;
  const before = node.told.length;
  node.during(2 * ASKS_AGAIN_MS);
  await until(() => line.commands.length > 0, { what: 'the word again' });
  expect(kinds(node.told.slice(before)).at(-1)).toEqual(['raised', 'fixture']);
  expect(node.hear()[0]).toMatchObject({ event: subject, open: false });
  const now = node.told.length;
  node.during(2 * LOOK_MS);
  await until(() => node.told.length === now + 2, { what: 'its end, and the event' });
  expect(kinds(node.told.slice(now)).sort()).toEqual([
    ['cleared', 'fixture'],
    ['raised', undefined],
  ]);
  const raised = (await eventsOf()).find((event) => event.record.data.suppressed === undefined);
  expect((await centre.get('/api/v1/cases')).body.items).toMatchObject([{ events: [raised?.record.subject] }]);

  // Figures are of what was raised.
  expect(await precision()).toEqual([]);
  await judge(raised?.record.subject ?? '', { verdict: 'accepted' });
  expect(await precision()).toMatchObject([{ source: 'cam-1', accepted: 1, rejected: 0 }]);
  const approvals = (await centre.get('/api/v1/cameras/cam-1/approvals')).body.items;
  expect(approvals).toMatchObject([{ judged: 1, accepted: 1 }]);

  // It was an event once: what stands there still is none that is kept quiet, after a restart neither.
  await node.restart();
  node.during(10 * MINUTE_MS);
  await node.stop();
  expect(kinds(node.told.slice(now)).filter(([kind, suppressed]) => kind === 'raised' && suppressed === 'fixture')).toEqual([]);
});
