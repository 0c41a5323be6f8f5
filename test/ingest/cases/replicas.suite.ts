import { expect, it } from 'vitest';
import { interruptAfter } from '../database/interrupt.ts';
import type { Suite } from '../database/stores.ts';
import { advance, allCases, CELL, type Centre, east, openCentre, openCover, SUPERVISION, stall, T0, take } from './fixture.ts';

/** On PostgreSQL two case services share the store; on SQLite one does, with the same calls at the same time. */
export const replicasSuite: Suite = ({ store, fresh }) => {
  const both = async () => {
    const config = await fresh();
    const one = await openCentre(config);
    return [one, store === 'postgres' ? await openCentre(config) : one] as const;
  };

  it('twenty things seen by four cameras each at the same time are twenty cases', async () => {
    const replicas = await both();
    const sightings = Array.from({ length: 80 }, (_, i) =>
      stall(`s${i}`, 1, { at: east(Math.floor(i / 4) * 60 + (i % 4)), edge: `edge-${i % 4}` }),
    );
    // One call each: every sighting is its own transaction.
    await Promise.all(sightings.map((s, i) => take(replicas[i % 2] as (typeof replicas)[0], s)));
    const cases = await allCases(replicas[0]);
    expect(cases.map((c) => c.events.length)).toEqual(Array(20).fill(4));
    expect(cases.every((c) => new Set(c.events.map((e) => Math.floor(Number(e.slice(1)) / 4))).size === 1)).toBe(true);
  });

  it('batches that lock each other crosswise all come through', async () => {
    const replicas = await both();
    const sightings = Array.from({ length: 60 }, (_, i) =>
      openCover(`s${i}`, 1, { place: { component: `21028301020000${10 + (i % 10)}` }, at: east((i % 10) * 700) }),
    );
    await Promise.all([
      take(replicas[0], ...sightings.slice(0, 30)),
      take(replicas[1], ...sightings.slice(30).reverse()),
      take(replicas[0], ...sightings.slice(15, 45).reverse()),
    ]);
    const cases = await allCases(replicas[0]);
    expect(cases.map((c) => [c.events.length, c.observations])).toEqual(Array(10).fill([6, 6]));
    expect(new Set(cases.map((c) => c.number)).size).toBe(10);
  });

  it('the same revisions at both replicas are stored once', async () => {
    const replicas = await both();
    const revisions = [1, 2, 3, 4].map((r) => openCover('a', r, r === 4 ? { clearedAt: T0 + 9000 } : {}));
    await Promise.all(replicas.flatMap((r) => revisions.map((e) => take(r, e))));
    expect(await allCases(replicas[0])).toMatchObject([{ events: ['a'], observations: 3, recoveredAt: T0 + 9000 }]);
  });

  it('an officer merges while the event goes on: its news reach the master', async () => {
    const [one, two] = await both();
    for (let round = 0; round < 5; round++) {
      const at = east(round * 500);
      await take(one, stall(`m${round}`, 1, { at }), stall(`d${round}`, 1, { at: east(60, at) }));
      const caseOf = async (subject: string) => (await one.cases.getEvent(subject)).case as string;
      const into = await caseOf(`m${round}`);
      const duplicate = await caseOf(`d${round}`);
      const revisions = [2, 3, 4, 5, 6].map((r) => stall(`d${round}`, r, { at: east(60, at) }));
      await Promise.all([one.cases.transition(duplicate, 'merge', SUPERVISION, { into }), ...revisions.map((r) => take(two, r))]);
      expect(await caseOf(`d${round}`)).toBe(into);
      await take(two, stall(`d${round}`, 7, { at: east(60, at) }));
      expect(await one.cases.get(into)).toMatchObject({ events: [`m${round}`, `d${round}`], observations: 8 });
      expect(await one.cases.get(duplicate)).toMatchObject({ state: 'MERGED', events: [`d${round}`] });
    }
  });

  it('the same report of a person twice at the same time is one case', async () => {
    const replicas = await both();
    const input = {
      key: 'k1',
      class: { flag: 2, code: '0501' },
      place: { ...east(0), errorRadiusM: 5, cell: CELL },
      severity: 'normal',
      source: 'patrol',
    };
    const actor = { id: 'patrol-1', roles: ['supervisor'] };
    const found = await Promise.all([...replicas, ...replicas].map((r) => r.cases.report(actor, input)));
    expect(new Set(found.map((c) => c.id)).size).toBe(1);
  });

  it('an officer closes while events come: each lands in a case, none is lost', async () => {
    const [one, two] = await both();
    await take(one, openCover('a'));
    const id = (await allCases(one))[0]?.id as string;
    await advance(one, id, 'TO_CLOSE');
    await Promise.all([
      advance(one, id, 'CLOSED'),
      ...Array.from({ length: 12 }, (_, i) => take(two, openCover(`b${i}`, 1, { startedAt: T0 + 60_000 }))),
    ]);
    const cases = await allCases(one);
    expect(cases.length).toBeLessThanOrEqual(2);
    expect(cases.flatMap((c) => c.events).sort()).toEqual(['a', ...Array.from({ length: 12 }, (_, i) => `b${i}`)].sort());
    const first = cases.find((c) => c.id === id);
    expect(first?.state).toBe('CLOSED');
    for (const other of cases.filter((c) => c.id !== id)) expect(other.recurrenceOf).toBe(id);
  });

  if (store === 'sqlite') return;

  /** Two replicas; the second one acts in the middle of a transaction of the first. */
  const racing = async (table: string, act: (two: Centre) => Promise<unknown>) => {
    const config = await fresh();
    const two = await openCentre(config);
    let go = false;
    const one = await openCentre(config, undefined, (d) => interruptAfter(d, table, async () => go && act(two)));
    return { one, two, arm: () => (go = true) };
  };

  it('a step on a case that was changed meanwhile is done again on what it is now', async () => {
    let id = '';
    const { one, two, arm } = await racing('case_timeline', (other) =>
      other.cases.transition(id, 'withdraw', { id: 'other', roles: ['supervision'] }, { reason: 'a drill' }),
    );
    await take(two, openCover('a'));
    id = (await allCases(two))[0]?.id as string;
    arm();
    await expect(one.cases.transition(id, 'forward', SUPERVISION, {})).rejects.toMatchObject({ code: 'GEWU_TRANSITION_REFUSED' });
    expect((await one.cases.timeline(id)).map((l) => l.name)).toEqual(['report', 'file', 'withdraw']);
  });

  it('news of an event whose case is merged meanwhile reach the master', async () => {
    let ids: string[] = [];
    const { one, two, arm } = await racing('events', (other) =>
      other.cases.transition(ids[1] as string, 'merge', SUPERVISION, { into: ids[0] }),
    );
    await take(two, stall('m'), stall('d', 1, { at: east(60) }));
    ids = await Promise.all(['m', 'd'].map(async (s) => (await two.cases.getEvent(s)).case as string));
    arm();
    await take(one, stall('d', 2, { at: east(60) }));
    expect(await one.cases.getEvent('d')).toMatchObject({ case: ids[0], record: { data: { revision: 2 } } });
    expect(await one.cases.get(ids[0] as string)).toMatchObject({ events: ['m', 'd'], observations: 3 });
  });

  it('an event whose case is closed meanwhile opens the next one', async () => {
    let id = '';
    const { one, two, arm } = await racing('case_keys', (other) => other.cases.transition(id, 'close', SUPERVISION, {}));
    await take(two, openCover('a'));
    id = (await allCases(two))[0]?.id as string;
    await advance(two, id, 'TO_CLOSE');
    arm();
    await take(one, openCover('b'));
    expect(await one.cases.get(id)).toMatchObject({ state: 'CLOSED', events: ['a'] });
    expect((await allCases(one)).find((c) => c.id !== id)).toMatchObject({ events: ['b'], recurrenceOf: id });
  });
};
