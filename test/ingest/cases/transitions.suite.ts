import { expect, it } from 'vitest';
import { CASE_ROLES, CASE_STATES, type CaseRole, type CaseState } from '#grid/mod.ts';
import { type Actor, TRANSITIONS } from '#ingest/cases/mod.ts';
import type { Suite } from '../database/stores.ts';
import {
  advance,
  allCases,
  CELL,
  type Centre,
  COMMAND,
  COVER,
  east,
  HERE,
  MAIN_LINE,
  openCentre,
  openCover,
  photo,
  ROADS,
  SUPERVISION,
  stall,
  store,
  take,
} from './fixture.ts';

/** docs/domain/lifecycle.md section 4, written out a second time: what is not here must be refused. */
const ALLOWED: Record<string, [from: CaseState[], role: CaseRole, to: CaseState][]> = {
  verify: [[['REPORTED', 'VERIFYING'], 'supervision', 'VERIFYING']],
  reject: [[['REPORTED', 'VERIFYING'], 'supervision', 'REJECTED']],
  merge: [[['REPORTED'], 'supervision', 'MERGED']],
  file: [
    [['REPORTED', 'VERIFYING'], 'supervision', 'FILED'],
    [['REPORTED', 'VERIFYING'], 'machine', 'FILED'],
  ],
  forward: [[['FILED'], 'supervision', 'TO_DISPATCH']],
  'return-class': [[['TO_DISPATCH'], 'command', 'FILED']],
  dispatch: [[['TO_DISPATCH'], 'command', 'DISPATCHED']],
  receive: [[['DISPATCHED'], 'department', 'HANDLING']],
  'send-back': [[['DISPATCHED', 'HANDLING'], 'department', 'TO_DISPATCH']],
  feedback: [[['HANDLING'], 'department', 'FEEDBACK']],
  'forward-result': [[['FEEDBACK'], 'command', 'CHECKING']],
  'return-result': [[['FEEDBACK'], 'command', 'HANDLING']],
  'check-pass': [[['CHECKING'], 'supervision', 'TO_CLOSE']],
  'check-fail': [[['CHECKING'], 'supervision', 'DISPATCHED']],
  close: [[['TO_CLOSE'], 'supervision', 'CLOSED']],
  withdraw: [
    [
      ['FILED', 'TO_DISPATCH', 'EXPERT', 'DISPATCHED', 'HANDLING', 'SUSPENDED', 'FEEDBACK', 'CHECKING', 'TO_CLOSE'],
      'supervision',
      'WITHDRAWN',
    ],
    [['TO_DISPATCH', 'EXPERT', 'SUSPENDED', 'FEEDBACK'], 'command', 'WITHDRAWN'],
  ],
};

const REASON = { reason: 'because' };
/** An input that passes, so that only state and role decide. */
const INPUTS: Record<string, object> = {
  merge: { into: 'r-master' },
  reject: REASON,
  withdraw: REASON,
  'return-class': REASON,
  'return-result': REASON,
  'send-back': REASON,
  'check-fail': REASON,
  dispatch: { department: 'roads' },
  feedback: { text: 'done', evidence: [photo('after')] },
};

const person = (role: CaseRole): Actor => ({ id: `some-${role}`, roles: [role], department: 'roads' });

/** A filed case of an open cover. */
async function filed(centre: Centre): Promise<string> {
  await take(centre, openCover('a'));
  return (await allCases(centre))[0]?.id as string;
}

export const transitionsSuite: Suite = ({ fresh }) => {
  it('has a row in the table for every transition', () => {
    expect(TRANSITIONS.map((t) => t.name).sort()).toEqual(['report', ...Object.keys(ALLOWED)].sort());
  });

  it('allows what the table of the life cycle allows, and refuses every other state, transition and role', async () => {
    const centre = await openCentre(await fresh(), { version: 1, default: 'propose', rules: [] });
    await take(centre, openCover('a'), openCover('m', 1, { place: { component: '2102830102000002' }, at: east(500) }));
    const [a, m] = (await allCases(centre)).sort((x) => (x.events[0] === 'a' ? -1 : 1));
    const id = a?.id as string;
    // The machine may file this one; the case is put back by hand before every try.
    await centre.cases.setPolicy({ version: 2, default: 'file-at-once', rules: [] }, 'test');
    const { kysely } = centre.database;
    const wrong: string[] = [];
    const putBack = async (state: CaseState) => {
      await kysely.updateTable('cases').set({ state, department: 'roads', finished_at: null }).where('id', '=', id).execute();
      await kysely.updateTable('events').set({ case_id: id }).where('subject', '=', 'a').execute();
    };
    for (const state of CASE_STATES) {
      await putBack(state);
      for (const name of Object.keys(ALLOWED)) {
        for (const role of CASE_ROLES) {
          const rule = ALLOWED[name]?.find(([from, who]) => who === role && from.includes(state));
          const input = name === 'merge' ? { into: m?.id } : (INPUTS[name] ?? {});
          const got = await centre.cases.transition(id, name, person(role), input).then(
            (c) => c.state,
            (error: { code?: string }) => error.code ?? String(error),
          );
          if (!got.startsWith('GEWU_')) await putBack(state);
          const named = ALLOWED[name]?.some(([, who]) => who === role);
          const expected = rule ? rule[2] : named ? 'GEWU_TRANSITION_REFUSED' : 'GEWU_FORBIDDEN';
          if (got !== expected) wrong.push(`${state} ${name} ${role}: ${got}, not ${expected}`);
        }
      }
    }
    expect(wrong).toEqual([]);
  }, 60_000);

  it('goes the whole main line, each step with its line, and only the last one frees the edge', async () => {
    const centre = await openCentre(await fresh());
    const id = await filed(centre);
    for (const [state, name, actor, input] of MAIN_LINE) {
      const offered = await centre.cases.available(id, actor);
      expect(offered.map((t) => t.name)).toContain(name);
      expect(await centre.cases.transition(id, name, actor, input)).toMatchObject({ state });
      expect(centre.changes.at(-1)).toMatchObject({ of: 'case', id, what: name });
    }
    const lines = await centre.cases.timeline(id);
    expect(lines.map((l) => [l.seq, l.name, l.actor, l.role, l.to])).toEqual([
      [1, 'report', 'gewu', 'machine', 'REPORTED'],
      [2, 'file', 'gewu', 'machine', 'FILED'],
      ...MAIN_LINE.map(([state, name, actor], i) => [i + 3, name, actor.id, actor.roles[0], state]),
    ]);
    expect(lines.find((l) => l.name === 'feedback')?.input).toMatchObject({ text: 'Cover put back' });
    expect((await centre.cases.get(id)).evidence).toMatchObject([{ sha256: photo('after').sha256, status: 'pending' }]);
    expect(centre.sent.map((s) => s.command.open)).toEqual([true, false]);
    expect(await centre.cases.available(id, SUPERVISION)).toEqual([]);
  });

  it('nobody holds both centres, or a machine and a person, in one account', async () => {
    const centre = await openCentre(await fresh());
    const id = await filed(centre);
    for (const roles of [
      ['supervision', 'command'],
      ['supervision', 'department'],
      ['command', 'department'],
      ['machine', 'supervision'],
    ]) {
      await expect(centre.cases.transition(id, 'forward', { id: 'x', roles }, {})).rejects.toMatchObject({
        code: 'GEWU_FORBIDDEN',
        status: 403,
      });
      expect(await centre.cases.available(id, { id: 'x', roles })).toEqual([]);
    }
    await expect(centre.cases.transition(id, 'forward', { id: 'x', roles: ['viewer'] }, {})).rejects.toMatchObject({
      code: 'GEWU_FORBIDDEN',
    });
  });

  it('who filed does not dispatch, who handled does not check, even after changing roles', async () => {
    const centre = await openCentre(await fresh());
    await take(centre, stall('s', 1, { evidence: [photo('p')] }));
    await store(centre, 'p');
    const id = (await allCases(centre))[0]?.id as string;
    await centre.cases.transition(id, 'file', SUPERVISION, {});
    await centre.cases.transition(id, 'forward', { id: 'another-s', roles: ['supervision'] }, {});
    const moved = { id: SUPERVISION.id, roles: ['command'] };
    await expect(centre.cases.transition(id, 'dispatch', moved, { department: 'roads' })).rejects.toMatchObject({
      code: 'GEWU_FORBIDDEN',
    });
    expect((await centre.cases.available(id, moved)).map((t) => t.name)).not.toContain('dispatch');
    await centre.cases.transition(id, 'dispatch', COMMAND, { department: 'roads' });
    await advance(centre, id, 'CHECKING');
    for (const who of [ROADS.id, COMMAND.id])
      for (const name of ['check-pass', 'check-fail'])
        await expect(
          centre.cases.transition(id, name, { id: who, roles: ['supervision'] }, name === 'check-fail' ? REASON : {}),
        ).rejects.toMatchObject({ code: 'GEWU_FORBIDDEN' });
    await centre.cases.transition(id, 'check-pass', SUPERVISION, {});
    await expect(centre.cases.transition(id, 'close', { id: ROADS.id, roles: ['supervision'] }, {})).rejects.toMatchObject({
      code: 'GEWU_FORBIDDEN',
    });
  });

  it('only the department that it was dispatched to handles it', async () => {
    const centre = await openCentre(await fresh());
    const id = await filed(centre);
    await advance(centre, id, 'DISPATCHED');
    const water = { id: 'water-1', roles: ['department'], department: 'water' };
    await expect(centre.cases.transition(id, 'receive', water, {})).rejects.toMatchObject({ code: 'GEWU_FORBIDDEN' });
    expect(await centre.cases.transition(id, 'send-back', ROADS, { reason: 'not our cover' })).toMatchObject({
      state: 'TO_DISPATCH',
      department: null,
    });
  });

  it('counts rework, and a rework goes to the same department', async () => {
    const centre = await openCentre(await fresh());
    const id = await filed(centre);
    await advance(centre, id, 'CHECKING');
    expect(await centre.cases.transition(id, 'check-fail', SUPERVISION, { reason: 'still rocks' })).toMatchObject({
      state: 'DISPATCHED',
      reworkCount: 1,
      department: 'roads',
    });
  });

  it('an officer files on a file that has arrived, not on the promise of one', async () => {
    const centre = await openCentre(await fresh());
    await take(centre, stall('s', 1, { evidence: [photo('p')] }));
    const id = (await allCases(centre))[0]?.id as string;
    await expect(centre.cases.transition(id, 'file', SUPERVISION, {})).rejects.toMatchObject({
      code: 'GEWU_TRANSITION_GUARD',
      status: 422,
    });
    await store(centre, 'p');
    expect(await centre.cases.transition(id, 'file', SUPERVISION, {})).toMatchObject({ state: 'FILED', proposal: null });
  });

  it('an officer files a component case only with its component, or the reason why it is unknown', async () => {
    const centre = await openCentre(await fresh());
    await take(centre, stall('s', 1, { class: { flag: 1, code: '0114', fault: 'cover_open' }, evidence: [photo('p')] }));
    await store(centre, 'p');
    const id = (await allCases(centre))[0]?.id as string;
    await expect(centre.cases.transition(id, 'file', SUPERVISION, {})).rejects.toMatchObject({ code: 'GEWU_TRANSITION_GUARD' });
    const filed = await centre.cases.transition(id, 'file', SUPERVISION, { componentUnknown: '无主井盖' });
    expect(filed).toMatchObject({ state: 'FILED', number: '2102832026112300001' });
  });

  it('files only under a class of the catalogue, in a unit grid, with a component of that class and division', async () => {
    const centre = await openCentre(await fresh(), { version: 1, default: 'propose', rules: [] });
    await take(centre, openCover('a'));
    const id = (await allCases(centre))[0]?.id as string;
    const place = { ...HERE, errorRadiusM: 2, cell: CELL, component: COVER };
    for (const input of [
      { class: { flag: 2, code: '0119' } },
      { class: { flag: 1, code: '0139' } },
      { place: { ...place, cell: '210283001001000' } },
      { place: { ...place, component: '2102830118000001' } },
      { place: { ...place, component: '1101010102000001' } },
      { place: { ...place, component: '2102830102000000' } },
    ])
      await expect(centre.cases.transition(id, 'file', SUPERVISION, input)).rejects.toMatchObject({
        code: 'GEWU_TRANSITION_GUARD',
      });
    expect(await centre.cases.get(id)).toMatchObject({ state: 'REPORTED', number: null, place: { component: COVER } });
    expect(await centre.cases.transition(id, 'file', SUPERVISION, {})).toMatchObject({ state: 'FILED' });
  });

  it('what an officer corrects, the machines leave alone', async () => {
    const centre = await openCentre(await fresh());
    await take(centre, stall('s', 1, { evidence: [photo('p')] }));
    await store(centre, 'p');
    const id = (await allCases(centre))[0]?.id as string;
    const place = { ...east(3), errorRadiusM: 1, cell: CELL };
    await centre.cases.transition(id, 'file', SUPERVISION, { class: { flag: 2, code: '0505' }, place });
    await take(centre, stall('s', 2, { place: { errorRadiusM: 0.5 } }));
    expect(await centre.cases.get(id)).toMatchObject({ class: { flag: 2, code: '0505' }, place, observations: 2 });
  });

  it('the machine files only where the policy says so, and never does anything else', async () => {
    const centre = await openCentre(await fresh());
    await take(centre, stall('s'));
    const id = (await allCases(centre))[0]?.id as string;
    const machine = { id: 'some-machine', roles: ['machine'] };
    await expect(centre.cases.transition(id, 'file', machine, {})).rejects.toMatchObject({ code: 'GEWU_TRANSITION_GUARD' });
    for (const name of ['reject', 'verify', 'close', 'dispatch', 'withdraw'])
      await expect(centre.cases.transition(id, name, machine, INPUTS[name] ?? {})).rejects.toMatchObject({
        code: 'GEWU_FORBIDDEN',
      });
  });

  it('merges a report into its master, which then hears of its events', async () => {
    const centre = await openCentre(await fresh());
    await take(centre, stall('a', 1, { evidence: [photo('pa')] }), stall('b', 1, { at: east(60), evidence: [photo('pb')] }));
    const [a, b] = (await allCases(centre)).sort((x) => (x.events[0] === 'a' ? -1 : 1));
    const into = a?.id as string;
    const merged = await centre.cases.transition(b?.id as string, 'merge', SUPERVISION, { into });
    expect(merged).toMatchObject({ state: 'MERGED', mergedInto: into, events: ['b'] });
    await take(centre, stall('b', 4, { at: east(60), lastSeenAt: 1_900_000_000_000 }));
    expect(await centre.cases.get(into)).toMatchObject({ events: ['a', 'b'], observations: 5, lastSeenAt: 1_900_000_000_000 });
    expect((await centre.cases.get(into)).evidence).toHaveLength(2);
    expect((await centre.cases.timeline(into)).at(-1)).toMatchObject({ name: 'master-of', input: { case: b?.id } });
    // The work on the thing goes on: the edge is not told that it is over.
    expect(centre.sent.every((s) => s.command.open)).toBe(true);
  });

  it('merges into no finished, unknown or same case', async () => {
    const centre = await openCentre(await fresh());
    await take(centre, stall('a'), stall('b', 1, { at: east(60) }));
    const [a, b] = await allCases(centre);
    await centre.cases.transition(b?.id as string, 'reject', SUPERVISION, REASON);
    for (const into of [a?.id, b?.id, 'c-nobody'])
      await expect(centre.cases.transition(a?.id as string, 'merge', SUPERVISION, { into })).rejects.toMatchObject({
        code: 'GEWU_TRANSITION_GUARD',
      });
    expect(await centre.cases.get(a?.id as string)).toMatchObject({ state: 'REPORTED', events: [a?.events[0]] });
  });

  it('takes a report of a person once per key, and events join it', async () => {
    const centre = await openCentre(await fresh());
    const supervisor: Actor = { id: 'patrol-7', roles: ['supervisor'] };
    const input = {
      key: 'p7-1',
      class: { flag: 2, code: '0501' },
      place: { ...HERE, errorRadiusM: 8, cell: CELL },
      severity: 'normal',
      source: 'supervisor',
      note: 'blocks the pavement',
    };
    const first = await centre.cases.report(supervisor, input);
    expect(first).toMatchObject({ state: 'REPORTED', source: 'supervisor', events: [], observations: 1, number: null });
    expect(await centre.cases.report(supervisor, input)).toEqual(first);
    await take(centre, stall('a', 1, { startedAt: centre.clock.now() }));
    const [joined, ...rest] = await allCases(centre);
    expect(rest).toEqual([]);
    expect(joined).toMatchObject({ id: first.id, events: ['a'], observations: 2, place: input.place });
    await expect(centre.cases.report(supervisor, { ...input, key: 'p7-2', source: 'camera' })).rejects.toMatchObject({
      code: 'GEWU_TRANSITION_GUARD',
    });
    await expect(centre.cases.report(COMMAND, input)).rejects.toMatchObject({ code: 'GEWU_FORBIDDEN' });
  });

  it('refuses unknown cases, unknown transitions and wrong inputs by their codes', async () => {
    const centre = await openCentre(await fresh());
    const id = await filed(centre);
    const { cases } = centre;
    await expect(cases.transition('c-nobody', 'forward', SUPERVISION, {})).rejects.toMatchObject({ code: 'GEWU_NOT_FOUND' });
    await expect(cases.transition(id, 'teleport', SUPERVISION, {})).rejects.toMatchObject({ code: 'GEWU_NOT_FOUND' });
    await expect(cases.transition(id, 'withdraw', SUPERVISION, {})).rejects.toMatchObject({ code: 'GEWU_REQUEST_INVALID' });
    await expect(cases.transition(id, 'withdraw', SUPERVISION, { reason: ' ' })).rejects.toMatchObject({
      code: 'GEWU_REQUEST_INVALID',
    });
    await expect(cases.transition(id, 'forward', SUPERVISION, { extra: 1 })).rejects.toMatchObject({
      code: 'GEWU_REQUEST_INVALID',
    });
    for (const read of [
      () => cases.get('x'),
      () => cases.timeline('x'),
      () => cases.getEvent('x'),
      () => cases.available('x', SUPERVISION),
    ])
      await expect(read()).rejects.toMatchObject({ code: 'GEWU_NOT_FOUND' });
    expect((await cases.get(id)).place.component).toBe(COVER);
  });

  it('lets one of two officers who press at the same time win', async () => {
    const centre = await openCentre(await fresh());
    const id = await filed(centre);
    const both = await Promise.allSettled([
      centre.cases.transition(id, 'forward', SUPERVISION, {}),
      centre.cases.transition(id, 'withdraw', { id: 'other', roles: ['supervision'] }, REASON),
    ]);
    const lines = await centre.cases.timeline(id);
    const done = both.filter((r) => r.status === 'fulfilled').length;
    expect(lines.map((l) => l.seq)).toEqual(lines.map((_, i) => i + 1));
    expect(lines).toHaveLength(2 + done);
    // forward then withdraw is a legal order; withdraw then forward is not.
    for (const r of both) if (r.status === 'rejected') expect(r.reason).toMatchObject({ code: 'GEWU_TRANSITION_REFUSED' });
  });
};
