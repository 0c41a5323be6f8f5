import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { CaseStanding, CaseStates } from '#edge/events.ts';
import { makeFolder } from '#edge/evidence/mod.ts';
import { CameraMemory, EventReporter, groundOf, type Incident, Locator, ZoneWatch } from '#edge/vision/mod.ts';
import { createCellIndex, type SiteCamera, type SiteComponent } from '#grid/mod.ts';
import { checkEvent, type EventRecord } from '#grid/wire/mod.ts';
import { ManualClock, silentLog } from '#service/mod.ts';
import { tempDir } from '#test/support/temp.ts';
import { until } from '#test/support/until.ts';
import { ORIGIN, RULE, siteCamera } from './street.ts';

const CELL = '110101001001017';
const [w, e, s, n] = [ORIGIN.lon - 0.002, ORIGIN.lon + 0.002, ORIGIN.lat - 0.002, ORIGIN.lat + 0.002];
const polygon: [number, number][] = [
  [w, s],
  [e, s],
  [e, n],
  [w, n],
];
const cells = createCellIndex([{ code: CELL, polygon }]);
const camera = siteCamera();
const ground = groundOf(camera);

function incident(changes: Partial<Incident> = {}): Incident {
  return {
    zone: 'all',
    rule: RULE,
    state: 'active',
    subject: null,
    anchor: [1, 15],
    point: [1, 15],
    errorRadiusM: 1.2,
    box: [0.4, 0.4, 0.5, 0.6],
    score: 0.8,
    trackId: 't-1',
    count: null,
    startedMs: 0,
    startedAt: 1_700_000_000_000,
    lastSeenAt: 1_700_000_005_000,
    updatedMs: 0,
    presentMs: 5000,
    unseenMs: 0,
    pictures: 0,
    surerThan: 0,
    ...changes,
  };
}

function component(code: string, east: number, north: number): SiteComponent {
  return { code, ...ground.toPosition([east, north]) };
}

test('an event of the city needs a unit grid, and names the ground point and not the camera', () => {
  const locator = new Locator({ ground, cells, components: [component('1101010102000001', 1, 15)] });
  const located = locator.locate(incident());
  expect(located).toMatchObject({ class: { flag: 2, code: '0501' }, place: { cell: CELL, errorRadiusM: 1.2 } });
  expect(located?.place.component).toBeUndefined();
  const back = ground.toPoint(located?.place ?? ORIGIN);
  expect(Math.hypot(back[0] - 1, back[1] - 15)).toBeLessThan(0.05);
  const nowhere = new Locator({ ground, cells: createCellIndex([]), components: [] });
  expect(nowhere.locate(incident())).toBeNull();
});

const OPEN = { ...RULE, detects: 'open_manhole', raises: { fault: 'cover_open' } };

test('an open manhole is a fault of the nearest registered cover within reach, whatever else stands there', () => {
  const components = [
    component('1101010118000001', 1, 15),
    component('1101010103000002', 2.5, 15),
    component('1101010102000003', 1, 17.6),
    component('1101010113000004', 1, 15.1),
  ];
  const locator = new Locator({ ground, cells, components });
  expect(locator.locate(incident({ rule: OPEN }))).toMatchObject({
    class: { flag: 1, code: '0103', fault: 'cover_open' },
    place: { component: '1101010103000002' },
  });
});

test('an open manhole without a registered cover is an unowned one and names no component', () => {
  const locator = new Locator({ ground, cells, components: [component('1101010102000003', 1, 19)] });
  const located = locator.locate(incident({ rule: OPEN }));
  expect(located).toMatchObject({ class: { flag: 1, code: '0114', fault: 'cover_open' } });
  expect(located?.place.component).toBeUndefined();
  // Far away the error radius decides.
  expect(locator.locate(incident({ rule: OPEN, errorRadiusM: 5 }))?.place.component).toBe('1101010102000003');
  expect(locator.locate(incident({ rule: { ...OPEN, raises: { fault: 'lamp_out' } } }))).toBeNull();
});

interface Setup {
  dir?: string;
  emit?: (record: EventRecord) => Promise<void>;
  stateOf?: CaseStates['stateOf'];
  zones?: SiteCamera['zones'];
}

async function reporter({ dir, emit, stateOf = () => 'unknown', zones = camera.zones }: Setup = {}) {
  const folder = dir ?? (await tempDir());
  await makeFolder(join(folder, 'vision'));
  const clock = new ManualClock();
  const events: EventRecord[] = [];
  const watch = new ZoneWatch({ zones, frameMs: 500 });
  const report = new EventReporter({
    camera: { ...camera, zones },
    edgeId: 'edge-01',
    model: { name: 'bright-street', version: '1', provenance: 'drawn-scenes' },
    ground,
    locator: new Locator({ ground, cells, components: [] }),
    watch,
    memory: new CameraMemory({ dir: join(folder, 'vision'), camera: camera.id, log: silentLog }),
    events: { emit: emit ?? (async (record) => void events.push(record)) },
    cases: { stateOf },
    clock,
    log: silentLog,
    evidence: async () => null,
  });
  await report.start();
  onTestFinished(() => report.stop());
  return { report, events, watch, clock, dir: folder };
}

test('raise, update and clear are revisions of one event, in order, each valid on the wire', async () => {
  const { report, events, watch, clock } = await reporter();
  const one = incident();
  watch.restore(one);
  report.handle([{ kind: 'raise', incident: one }], clock.now());
  report.handle([{ kind: 'update', incident: one }], clock.now() + 60_000);
  report.handle([{ kind: 'clear', incident: one }], clock.now() + 90_000);
  await until(() => events.length === 3);
  expect(events.map((r) => [r.type, r.data.revision])).toEqual([
    ['gewu.event.raised', 1],
    ['gewu.event.updated', 2],
    ['gewu.event.cleared', 3],
  ]);
  expect(new Set(events.map((r) => r.subject)).size).toBe(1);
  expect(events[2]?.data.clearedAt).toBe(clock.now() + 90_000);
  for (const record of events) expect(checkEvent.Check(record)).toBe(true);
});

test('an outbox that takes nothing holds the event, not the camera; it is told again after a restart', async () => {
  let refused = 0;
  const first = await reporter({
    emit: () => {
      refused++;
      return Promise.reject(new Error('full'));
    },
  });
  const one = incident();
  first.report.handle([{ kind: 'raise', incident: one }], first.clock.now());
  await until(() => refused === 1);
  await first.report.stop();
  const second = await reporter({ dir: first.dir });
  await until(() => second.events.length === 1);
  expect(second.events[0]).toMatchObject({ type: 'gewu.event.raised', subject: one.subject });
  expect(second.watch.incidents).toMatchObject([{ state: 'active', subject: one.subject, zone: 'all' }]);
});

test('what the configuration no longer knows is cleared at the start', async () => {
  const first = await reporter();
  const one = incident();
  first.watch.restore(one);
  first.report.handle([{ kind: 'raise', incident: one }], first.clock.now());
  await until(() => first.events.length === 1);
  await first.report.stop();
  const second = await reporter({ dir: first.dir, zones: [] });
  await until(() => second.events.length === 1);
  expect(second.events[0]).toMatchObject({ type: 'gewu.event.cleared', subject: one.subject, data: { revision: 2 } });
  expect(second.watch.incidents).toEqual([]);
});

test('a cleared event whose case is open keeps its place silent until the centre says closed', async () => {
  const open = new Set<string>();
  const { report, events, watch, clock } = await reporter({ stateOf: (event) => (open.has(event) ? 'open' : 'closed') });
  const one = incident();
  watch.restore(one);
  report.handle([{ kind: 'raise', incident: one }], clock.now());
  await until(() => events.length === 1);
  open.add(one.subject ?? '');
  report.pollCases();
  report.handle([{ kind: 'clear', incident: one }], clock.now());
  await until(() => events.length === 2);
  expect(one.state).toBe('silent');
  expect(watch.incidents).toContain(one);
  open.clear();
  report.pollCases();
  expect(watch.incidents).toEqual([]);
});

test('a case that is rejected while the thing still stands there leaves it untold until it has been gone', async () => {
  let said: CaseStanding = 'open';
  const { report, events, watch, clock } = await reporter({ stateOf: () => said });
  const [one, other] = [incident(), incident({ state: 'silent', trackId: 't-2', anchor: [4, 15], point: [4, 15] })];
  for (const each of [one, other]) {
    watch.restore(each);
    report.handle([{ kind: 'raise', incident: each }], clock.now());
  }
  await until(() => events.length === 2);
  report.pollCases();
  said = 'unfounded';
  report.pollCases();
  report.pollCases();
  // It stands there as one that was told; of the other nothing is seen, so that there is nothing to keep quiet about.
  expect(watch.incidents).toEqual([one]);
  report.handle([{ kind: 'clear', incident: one }], clock.now() + 90_000);
  await until(() => events.length === 3);
  expect(events[2]).toMatchObject({ type: 'gewu.event.cleared', subject: one.subject });
  expect([one.state, other.state]).toEqual(['active', 'silent']);
});

test('a case that is closed while the thing still stands there ends its event and re-arms the place', async () => {
  const open = new Set<string>();
  const { report, events, watch, clock } = await reporter({ stateOf: (event) => (open.has(event) ? 'open' : 'closed') });
  const one = incident();
  watch.restore(one);
  report.handle([{ kind: 'raise', incident: one }], clock.now());
  await until(() => events.length === 1);
  open.add(one.subject ?? '');
  report.pollCases();
  open.clear();
  report.pollCases();
  await until(() => events.length === 2);
  expect(events[1]).toMatchObject({ type: 'gewu.event.cleared', subject: one.subject });
  expect(watch.incidents).toEqual([]);
});

test('a case that is opened after its event has ended silences the place all the same, also after a restart, until it is closed', async () => {
  const said = new Map<string, CaseStanding>();
  const stateOf = (event: string) => said.get(event) ?? 'unknown';
  const first = await reporter({ stateOf });
  const [one, two] = [incident(), incident({ point: [8, 15], anchor: [8, 15], trackId: 't-2' })];
  for (const each of [one, two]) first.watch.restore(each);
  const both = (kind: 'raise' | 'clear') => [one, two].map((each) => ({ kind, incident: each }));
  first.report.handle(both('raise'), first.clock.now());
  // As the watch does with what it has told to be over.
  for (const each of [one, two]) first.watch.rearm(each.subject ?? '');
  first.report.handle(both('clear'), first.clock.now() + 20_000);
  await until(() => first.events.filter((e) => e.type === 'gewu.event.cleared').length === 2);
  said.set(one.subject ?? '', 'open');
  await until(() => {
    first.report.pollCases();
    return first.watch.incidents.length === 1;
  });
  expect(first.watch.incidents).toMatchObject([{ state: 'silent', subject: one.subject }]);
  await first.report.stop();
  said.set(two.subject ?? '', 'open');
  const second = await reporter({ dir: first.dir, stateOf });
  second.report.pollCases();
  const silent = () => second.watch.incidents.map((i) => [i.state, i.subject]).sort();
  expect(silent()).toEqual([one, two].map((each) => ['silent', each.subject]).sort());
  said.set(one.subject ?? '', 'closed');
  second.report.pollCases();
  expect(silent()).toEqual([['silent', two.subject]]);
});
