import { expect, it } from 'vitest';
import { brokenLine } from '#ingest/cases/timeline.ts';
import type { Suite } from '../database/stores.ts';
import {
  advance,
  allCases,
  COVER,
  east,
  HERE,
  openCentre,
  openCover,
  photo,
  SUPERVISION,
  stall,
  store,
  T0,
  take,
} from './fixture.ts';

const HOUR = 3600 * 1000;
const camera = (id: string) =>
  ({ by: 'camera', camera: id, zone: 'z', track: 't', model: 'street@1', provenance: 'drawn-scenes', simulated: true }) as const;

export const acceptSuite: Suite = ({ fresh }) => {
  it('files a critical sensor fault at once, with the 19-digit number of its division and day', async () => {
    const centre = await openCentre(await fresh());
    await take(centre, openCover('e1'));
    const [found] = await allCases(centre);
    expect(found).toMatchObject({
      state: 'FILED',
      number: '2102832026112300001',
      source: 'sensor',
      severity: 'critical',
      class: { flag: 1, code: '0102', fault: 'cover_open' },
      place: { component: COVER },
      proposal: null,
      events: ['e1'],
      observations: 1,
      policyVersion: 1,
      recoveredAt: null,
    });
    const lines = await centre.cases.timeline(found?.id as string);
    expect(lines.map((l) => [l.name, l.from, l.to, l.role])).toEqual([
      ['report', null, 'REPORTED', 'machine'],
      ['file', 'REPORTED', 'FILED', 'machine'],
    ]);
    expect(centre.sent).toEqual([
      { edge: 'edge-1', command: { command: 'case-state', event: 'e1', open: true, ts: centre.clock.now() } },
    ]);
    expect(centre.changes.map((c) => [c.of, c.what])).toEqual([
      ['event', 'opened'],
      ['case', 'opened'],
    ]);
  });

  it('records what is raised under a work permit or found in late data, and opens a case only when neither holds any more', async () => {
    const centre = await openCentre(await fresh());
    await take(centre, openCover('e1', 1, { suppressed: 'maintenance' }), openCover('e2', 1, { late: true, at: east(500) }));
    expect(await allCases(centre)).toEqual([]);
    expect((await centre.cases.listEvents({})).items.map((e) => [e.record.subject, e.case]).sort()).toEqual([
      ['e1', null],
      ['e2', null],
    ]);
    await take(centre, openCover('e1', 2));
    expect((await allCases(centre)).map((c) => [c.events, c.state])).toEqual([[['e1'], 'FILED']]);
    // One that has its case keeps it, whatever a later revision says.
    await take(centre, openCover('e1', 3, { suppressed: 'maintenance' }));
    expect((await allCases(centre)).map((c) => [c.events, c.observations])).toEqual([[['e1'], 3]]);
  });

  it('records what a camera sees while somebody works on it; what is still so afterwards opens its case, what is over does not', async () => {
    const centre = await openCentre(await fresh());
    const end = T0 + 90_000;
    centre.windows.push({ thing: { of: 'camera', id: 'cam-1' }, from: T0, to: end });
    await take(centre, stall('stays'), stall('goes', 1, { at: east(500) }));
    await take(centre, stall('other', 1, { at: east(900), origin: camera('cam-2') }));
    const fed = async () => (await allCases(centre)).map((c) => [c.events, c.evidence.length, c.observations]);
    expect(await fed()).toEqual([[['other'], 0, 1]]);
    const said = async (subject: string) => (await centre.cases.getEvent(subject)).record.data.suppressed;
    expect([await said('stays'), await said('other')]).toEqual(['maintenance', undefined]);
    // A clear that comes when the work is over tells of a time before.
    await take(centre, stall('goes', 2, { at: east(500), clearedAt: end + 5000 }), stall('stays', 2, { evidence: [photo('p')] }));
    expect(await centre.cases.resume()).toBe(0);
    centre.clock.jump(end - centre.clock.now());
    centre.changes.length = 0;
    expect(await centre.cases.resume()).toBe(1);
    const both = [
      [['other'], 0, 1],
      [['stays'], 1, 2],
    ];
    expect(await fed()).toEqual(both);
    expect(await said('stays')).toBeUndefined();
    expect(centre.changes.map((c) => [c.of, c.what])).toEqual([
      ['event', 'updated'],
      ['case', 'opened'],
    ]);
    expect(centre.sent.at(-1)).toMatchObject({ command: { event: 'stays', open: true } });
    expect(await centre.cases.resume()).toBe(0);
    // What had its case before somebody came goes on feeding it.
    centre.windows.push({ thing: { of: 'camera', id: 'cam-1' }, from: end, to: end + HOUR });
    await take(centre, stall('stays', 3, { lastSeenAt: end + 1000 }));
    expect(await said('stays')).toBeUndefined();
    expect((await fed())[1]).toEqual([['stays'], 1, 3]);
  });

  it('opens no case for what a model finds in shadow; switched on for this camera, it does', async () => {
    const centre = await openCentre(await fresh());
    const origin = { by: 'camera', camera: 'cam-1', zone: 'z1', track: 't', model: 'street@1' } as const;
    const real = { ...origin, provenance: 'drawn-scenes', simulated: false } as const;
    await take(centre, stall('e1', 1, { origin: real, suppressed: 'shadow' }));
    // An edge that says nothing of shadow is not believed either.
    await take(centre, stall('e2', 1, { origin: real, at: east(500) }));
    expect(await allCases(centre)).toEqual([]);
    await take(centre, stall('e1', 2, { origin: { ...real, approved: true } }));
    expect((await allCases(centre)).map((c) => c.events)).toEqual([['e1']]);
  });

  it('counts the numbers of a day without a gap', async () => {
    const centre = await openCentre(await fresh());
    const covers = Array.from({ length: 3 }, (_, i) =>
      openCover(`e${i}`, 1, { place: { component: `210283010200000${i + 1}` }, at: east(i * 300) }),
    );
    await take(centre, ...covers);
    const numbers = (await allCases(centre)).map((c) => c.number).sort();
    expect(numbers).toEqual(['2102832026112300001', '2102832026112300002', '2102832026112300003']);
  });

  it('proposes what the policy proposes, and sends what it is not sure of to be verified', async () => {
    const centre = await openCentre(await fresh());
    await take(
      centre,
      stall('a'),
      stall('b', 1, { class: { flag: 2, code: '0101' }, at: east(500) }),
      openCover('c', 1, { severity: 'high', class: { flag: 1, code: '0102', fault: 'battery' } }),
    );
    const states = Object.fromEntries((await allCases(centre)).map((c) => [c.events[0], [c.state, c.proposal]]));
    expect(states).toEqual({ a: ['REPORTED', 'file'], b: ['VERIFYING', null], c: ['REPORTED', 'file'] });
  });

  it('stores what a drawn-scenes model says of a real camera, and opens no case', async () => {
    const centre = await openCentre(await fresh());
    const real = { ...stall('a').data.origin, simulated: false } as never;
    await take(centre, stall('a', 1, { origin: real }), stall('a', 2, { origin: real }));
    expect(await allCases(centre)).toEqual([]);
    expect(await centre.cases.getEvent('a')).toMatchObject({ case: null, record: { data: { revision: 2 } } });
    expect(centre.sent).toEqual([]);
  });

  it('leaves a machine-found component fault without a component to the officers', async () => {
    const centre = await openCentre(await fresh(), {
      version: 1,
      default: 'file-at-once',
      rules: [],
    });
    await take(centre, stall('a', 1, { class: { flag: 1, code: '0102', fault: 'cover_open' } }));
    expect(await allCases(centre)).toMatchObject([{ state: 'REPORTED', number: null, proposal: 'file' }]);
  });

  it('one stall seen by two cameras is one case, two stalls 40 m apart are two', async () => {
    const centre = await openCentre(await fresh());
    await take(
      centre,
      stall('cam1-a'),
      stall('cam2-a', 1, { at: east(7), edge: 'edge-2' }),
      stall('cam1-b', 1, { at: east(40) }),
    );
    const cases = await allCases(centre);
    expect(cases.map((c) => c.events).sort()).toEqual([['cam1-a', 'cam2-a'], ['cam1-b']]);
    const joined = cases.find((c) => c.events.length === 2);
    expect(joined?.observations).toBe(2);
    const lines = await centre.cases.timeline(joined?.id as string);
    expect(lines.map((l) => [l.name, l.input.event])).toEqual([
      ['report', 'cam1-a'],
      ['joined', 'cam2-a'],
    ]);
  });

  it('joins another class to nothing', async () => {
    const centre = await openCentre(await fresh());
    await take(centre, stall('a'), stall('b', 1, { class: { flag: 2, code: '0502' } }));
    expect(await allCases(centre)).toHaveLength(2);
  });

  it('joins by the component wherever the positions are, and never two components', async () => {
    const centre = await openCentre(await fresh());
    await take(
      centre,
      openCover('a'),
      openCover('b', 1, { at: east(900) }),
      openCover('c', 1, { place: { component: '2102830102000002' } }),
    );
    expect((await allCases(centre)).map((c) => c.events).sort()).toEqual([['a', 'b'], ['c']]);
  });

  it('files a case under verification when a critical sensor joins what a camera saw', async () => {
    const centre = await openCentre(await fresh());
    await take(centre, stall('cam', 1, { class: { flag: 1, code: '0102', fault: 'cover_open' }, at: east(4) }));
    expect(await allCases(centre)).toMatchObject([{ state: 'VERIFYING' }]);
    await take(centre, openCover('sensor'));
    expect(await allCases(centre)).toMatchObject([
      { state: 'FILED', source: 'camera', severity: 'critical', events: ['cam', 'sensor'], place: { ...HERE, component: COVER } },
    ]);
  });

  it('joins by position what was seen within a day, also after it had cleared', async () => {
    const centre = await openCentre(await fresh());
    await take(centre, stall('a'), stall('a', 2, { clearedAt: T0 + HOUR, lastSeenAt: T0 + HOUR }));
    await take(centre, stall('b', 1, { startedAt: T0 + 2 * HOUR, lastSeenAt: T0 + 2 * HOUR }));
    expect((await allCases(centre)).map((c) => [c.events, c.recoveredAt])).toEqual([[['a', 'b'], null]]);
    const late = T0 + 2 * HOUR + 24 * HOUR;
    await take(centre, stall('c', 1, { startedAt: late, lastSeenAt: late }));
    expect((await allCases(centre)).map((c) => c.events).sort()).toEqual([['a', 'b'], ['c']]);
    await take(centre, stall('d', 1, { startedAt: late - 1, lastSeenAt: late + 1 }));
    expect((await allCases(centre)).map((c) => c.events).sort()).toEqual([
      ['a', 'b'],
      ['c', 'd'],
    ]);
  });

  it('what comes late of the time before the closing is recorded with what was closed, and its edge is told', async () => {
    const centre = await openCentre(await fresh());
    await take(centre, stall('a'));
    const [first] = await allCases(centre);
    const id = first?.id as string;
    await store(centre, 'proof');
    await take(centre, stall('a', 2, { evidence: [photo('proof')] }));
    await centre.cases.transition(id, 'file', SUPERVISION, {});
    await advance(centre, id, 'CLOSED');
    await take(centre, stall('b', 1, { edge: 'edge-2', at: east(3) }));
    expect(await allCases(centre)).toMatchObject([{ id, state: 'CLOSED', events: ['a', 'b'] }]);
    expect(centre.sent.at(-1)).toMatchObject({ edge: 'edge-2', command: { event: 'b', open: false } });
    // What is seen after it is new.
    const after = centre.clock.now() + 1;
    await take(centre, stall('c', 1, { edge: 'edge-2', at: east(3), lastSeenAt: after }));
    expect((await allCases(centre)).find((c) => c.id !== id)).toMatchObject({ events: ['c'], recurrenceOf: id });
  });

  it('raises observations, last sight, confidence and evidence with every revision', async () => {
    const centre = await openCentre(await fresh());
    await take(centre, stall('a', 1, { confidence: 0.6, evidence: [photo('p1')] }));
    await take(centre, stall('a', 2, { confidence: 0.9, evidence: [photo('p1'), photo('p2', T0 + 1)] }));
    await take(centre, stall('a', 3, { confidence: 0.7 }));
    const [found] = await allCases(centre);
    expect(found).toMatchObject({ observations: 3, confidence: 0.9, lastSeenAt: T0 + 30_000 });
    expect(found?.evidence.map((e) => [e.sha256, e.status, e.event])).toEqual([
      [photo('p1').sha256, 'pending', 'a'],
      [photo('p2').sha256, 'pending', 'a'],
    ]);
    await store(centre, 'p2');
    expect((await allCases(centre))[0]?.evidence.map((e) => e.status)).toEqual(['pending', 'stored']);
    expect(centre.changes.at(-1)).toMatchObject({ of: 'case', id: found?.id, what: 'evidence' });
  });

  it('shows a file as stored that came before its event', async () => {
    const centre = await openCentre(await fresh());
    await store(centre, 'p1');
    await take(centre, stall('a', 1, { evidence: [photo('p1')] }));
    expect((await allCases(centre))[0]?.evidence).toMatchObject([{ status: 'stored' }]);
  });

  it('an older revision and a repeat change nothing', async () => {
    const centre = await openCentre(await fresh());
    await take(centre, openCover('a', 3));
    const before = await allCases(centre);
    centre.clock.advance(1000);
    await take(centre, openCover('a', 2), openCover('a', 3), openCover('a', 1));
    expect(await allCases(centre)).toEqual(before);
  });

  it('a recovery is evidence in the timeline and closes nothing; a relapse takes it back', async () => {
    const centre = await openCentre(await fresh());
    await take(centre, openCover('a'), openCover('b', 1, { at: east(1) }));
    await take(centre, openCover('a', 2, { clearedAt: T0 + 1000 }));
    expect((await allCases(centre))[0]?.recoveredAt).toBeNull();
    await take(centre, openCover('b', 2, { clearedAt: T0 + 2000 }));
    expect((await allCases(centre))[0]).toMatchObject({ recoveredAt: T0 + 2000, state: 'FILED', observations: 2 });
    await take(centre, openCover('c', 1, { startedAt: T0 + 3000 }));
    const [found] = await allCases(centre);
    expect(found).toMatchObject({ recoveredAt: null, state: 'FILED', events: ['a', 'b', 'c'] });
    const names = (await centre.cases.timeline(found?.id as string)).map((l) => l.name);
    expect(names).toEqual(['report', 'file', 'joined', 'recovered', 'joined', 'relapsed']);
  });

  it('a clear that comes before its raise makes one case that is already recovered', async () => {
    const centre = await openCentre(await fresh());
    await take(centre, openCover('a', 2, { clearedAt: T0 + 1000 }));
    await take(centre, openCover('a', 1, { evidence: [photo('p1')] }));
    expect(await allCases(centre)).toMatchObject([
      { state: 'FILED', recoveredAt: T0 + 1000, observations: 1, evidence: [{ sha256: photo('p1').sha256 }] },
    ]);
  });

  it('opens a new, linked case when a closed one comes again within a day', async () => {
    const centre = await openCentre(await fresh());
    await take(centre, openCover('a'));
    const [first] = await allCases(centre);
    await advance(centre, first?.id as string, 'CLOSED');
    expect(centre.sent.at(-1)).toMatchObject({ edge: 'edge-1', command: { event: 'a', open: false } });
    const closedAt = centre.clock.now();
    await take(centre, openCover('b', 1, { startedAt: closedAt + 23 * HOUR }));
    const second = (await allCases(centre)).find((c) => c.events[0] === 'b');
    expect(second).toMatchObject({ state: 'FILED', recurrenceOf: first?.id });
    // An update of the event whose case is closed changes nothing but the event, and tells the edge so.
    await take(centre, openCover('a', 5));
    expect(await centre.cases.get(first?.id as string)).toMatchObject({ state: 'CLOSED', observations: 1 });
    expect(centre.sent.at(-1)).toMatchObject({ command: { event: 'a', open: false } });
  });

  it('links nothing a day after the closing, nor to a rejected case', async () => {
    const centre = await openCentre(await fresh());
    await take(centre, openCover('a'), stall('s'));
    const [cover, report] = (await allCases(centre)).sort((a) => (a.source === 'sensor' ? -1 : 1));
    await advance(centre, cover?.id as string, 'CLOSED');
    await centre.cases.transition(report?.id as string, 'reject', SUPERVISION, { reason: 'a permitted fair' });
    // What stands there is nothing to be told again.
    expect(centre.sent.at(-1)).toMatchObject({ command: { event: 's', open: false, unfounded: true } });
    await take(centre, openCover('b', 1, { startedAt: centre.clock.now() + 24 * HOUR }), stall('s2'));
    const later = (await allCases(centre)).filter((c) => ['b', 's2'].includes(c.events[0] as string));
    expect(later.map((c) => c.recurrenceOf)).toEqual([null, null]);
  });

  it('refuses an event under the name of another edge, and only that one', async () => {
    const centre = await openCentre(await fresh());
    await take(centre, openCover('a'));
    const verdicts = await centre.cases.accept([openCover('a', 9, { edge: 'edge-2' }), stall('b')]);
    expect(verdicts).toMatchObject([{ ok: false, code: 'GEWU_EVENT_INVALID' }, { ok: true }]);
    expect(await allCases(centre)).toHaveLength(2);
  });

  it('refuses the one event that the store cannot hold, and keeps its neighbours', async () => {
    const centre = await openCentre(await fresh());
    const bad = stall('bad', 1, { at: east(200) });
    // Neither store takes null into a column that is never null.
    (bad.data as { severity: unknown }).severity = null;
    const verdicts = await centre.cases.accept([stall('a'), bad, stall('b', 1, { at: east(400) })]);
    expect(verdicts).toMatchObject([{ ok: true }, { ok: false, code: 'GEWU_STORE_REJECTED' }, { ok: true }]);
    expect((await allCases(centre)).map((c) => c.events[0]).sort()).toEqual(['a', 'b']);
  });

  it('keeps nothing of an event when its case cannot be written, and takes it when it comes again', async () => {
    const centre = await openCentre(await fresh());
    await centre.database.kysely.schema.alterTable('case_timeline').renameTo('away').execute();
    await expect(centre.cases.accept([openCover('a')])).rejects.toThrow(/case_timeline/);
    for (const table of ['events', 'cases', 'case_keys', 'case_numbers'] as const)
      expect(await centre.database.kysely.selectFrom(table).selectAll().execute()).toEqual([]);
    expect(centre.sent).toEqual([]);
    await centre.database.kysely.schema.alterTable('away').renameTo('case_timeline').execute();
    await take(centre, openCover('a'));
    expect(await allCases(centre)).toMatchObject([{ number: '2102832026112300001' }]);
  });

  it('chains the timeline, so that a changed line shows', async () => {
    const centre = await openCentre(await fresh());
    await take(centre, openCover('a'));
    const id = (await allCases(centre))[0]?.id as string;
    await advance(centre, id, 'CLOSED');
    const lines = await centre.database.kysely.selectFrom('case_timeline').selectAll().orderBy('seq').execute();
    expect(brokenLine(lines)).toBeNull();
    const forged = lines.map((l) => (l.seq === 4 ? { ...l, actor: 'somebody' } : l));
    expect(brokenLine(forged)).toBe(4);
    expect(brokenLine(lines.filter((l) => l.seq !== 2))).toBe(2);
  });
};
