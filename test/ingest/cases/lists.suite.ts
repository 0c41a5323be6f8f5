import { expect, it } from 'vitest';
import { DEFAULT_FILING_POLICY } from '#ingest/cases/policy.ts';
import type { Suite } from '../database/stores.ts';
import { allCases, CELL, east, openCentre, openCover, SUPERVISION, stall, T0, take } from './fixture.ts';

export const listsSuite: Suite = ({ fresh }) => {
  it('pages through all cases and events, newest first, each once', async () => {
    const centre = await openCentre(await fresh());
    for (let i = 0; i < 7; i++) {
      await take(centre, stall(`s${i}`, 1, { at: east(i * 100), confirmedAt: T0 + i }));
      if (i % 2 === 1) centre.clock.advance(1000);
    }
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await centre.cases.list({ limit: 3, cursor });
      seen.push(...page.items.map((c) => c.events[0] as string));
      cursor = page.cursor ?? undefined;
    } while (cursor !== undefined);
    expect([...seen].sort()).toEqual(Array.from({ length: 7 }, (_, i) => `s${i}`));
    expect((await centre.cases.list({})).items.map((c) => c.events[0])).toEqual(seen);
    const events = await centre.cases.listEvents({ limit: 4 });
    expect(events.items.map((e) => e.record.subject)).toEqual(['s6', 's5', 's4', 's3']);
    const rest = await centre.cases.listEvents({ limit: 4, cursor: events.cursor as string });
    expect(rest).toMatchObject({ cursor: null });
    expect(rest.items.map((e) => e.record.subject)).toEqual(['s2', 's1', 's0']);
  });

  it('filters', async () => {
    const centre = await openCentre(await fresh());
    const other = '210283001001018';
    await take(
      centre,
      stall('s', 1, { edge: 'edge-2' }),
      openCover('a'),
      openCover('l', 1, { class: { flag: 1, code: '0102', fault: 'level_high' }, severity: 'high', place: { cell: other } }),
    );
    centre.clock.advance(5000);
    await take(centre, stall('t', 2, { at: east(300), clearedAt: T0 + 1 }));
    const by = async (filter: object) => (await centre.cases.list(filter)).items.map((c) => c.events[0]).sort();
    expect(await by({ state: 'FILED' })).toEqual(['a']);
    expect(await by({ class: '1:0102' })).toEqual(['a', 'l']);
    expect(await by({ class: '1:0102:level_high' })).toEqual(['l']);
    expect(await by({ class: '1:010' })).toEqual([]);
    expect(await by({ cell: other })).toEqual(['l']);
    expect(await by({ edge: 'edge-2' })).toEqual(['s']);
    expect(await by({ source: 'camera' })).toEqual(['s', 't']);
    expect(await by({ since: centre.clock.now() })).toEqual(['t']);
    const events = async (filter: object) => (await centre.cases.listEvents(filter)).items.map((e) => e.record.subject).sort();
    expect(await events({ active: true })).toEqual(['a', 'l', 's']);
    expect(await events({ active: false })).toEqual(['t']);
    expect(await events({ by: 'sensor', cell: CELL })).toEqual(['a']);
    expect(await events({ source: 'cam-1', class: '2:0501' })).toEqual(['s', 't']);
  });

  it('counts events by the hour in which they were confirmed', async () => {
    const config = await fresh();
    const centre = await openCentre(config);
    const hourMs = 3_600_000;
    const first = Math.ceil(T0 / hourMs) * hourMs;
    const at = (subject: string, confirmedAt: number) => stall(subject, 1, { at: east(100 * confirmedAt), confirmedAt });
    await take(centre, at('s', first), at('t', first + hourMs - 1), at('u', first + 2 * hourMs));
    await take(centre, openCover('a', 1, { confirmedAt: first + 2 * hourMs }));
    const by = async (filter: object) =>
      (await centre.cases.eventsByHour({ since: first, ...filter })).items.map((h) => [h.at, h.count]);
    expect(await by({})).toEqual([
      [first, 2],
      [first + 2 * hourMs, 2],
    ]);
    expect(await by({ class: '1:0102' })).toEqual([[first + 2 * hourMs, 1]]);
    // Whole hours.
    expect((await centre.cases.eventsByHour({ since: first + 1 })).from).toBe(first);
    expect(await by({ by: 'camera', since: first + 1 })).toEqual([
      [first, 2],
      [first + 2 * hourMs, 1],
    ]);
    expect(await by({ since: first + hourMs })).toEqual([[first + 2 * hourMs, 2]]);
    // A repeat counts nothing; a revision that says another time takes its event along.
    await take(centre, at('u', first + 2 * hourMs));
    await take(centre, stall('t', 2, { at: east(100 * (first + hourMs - 1)), confirmedAt: first + hourMs }));
    expect(await by({ by: 'camera' })).toEqual([
      [first, 1],
      [first + hourMs, 1],
      [first + 2 * hourMs, 1],
    ]);
    // A database from before they were counted: its events are.
    const counted = await centre.cases.eventsByHour({ since: first });
    const { kysely } = centre.database;
    await kysely.schema.dropTable('event_hours').execute();
    await kysely.deleteFrom('schema_migrations').where('name', '=', '0014-event-hours').execute();
    await centre.cases.stop();
    await centre.database.stop();
    expect(await (await openCentre(config)).cases.eventsByHour({ since: first })).toEqual(counted);
  });

  it('names the cases to compare one with: those merged into it, its master, and open ones of its class near by', async () => {
    const centre = await openCentre(await fresh());
    await take(centre, stall('here'), stall('near', 1, { at: east(30) }), stall('far', 1, { at: east(80) }), openCover('other'));
    const ids = new Map((await centre.cases.list({})).items.map((c) => [c.events[0], c.id]));
    const of = async (name: string) =>
      (await centre.cases.relatives(ids.get(name) as string)).map((r) => [r.relation, r.case.id, Math.round(r.distanceM)]);
    expect(await of('here')).toEqual([['near', ids.get('near'), 30]]);
    await centre.cases.transition(ids.get('near') as string, 'merge', SUPERVISION, { into: ids.get('here') });
    expect(await of('here')).toEqual([['merged', ids.get('near'), 30]]);
    expect(await of('near')).toEqual([['master', ids.get('here'), 30]]);
    await expect(centre.cases.relatives('none')).rejects.toMatchObject({ code: 'GEWU_NOT_FOUND' });
  });

  it('refuses limits and cursors that are not ours', async () => {
    const centre = await openCentre(await fresh());
    for (const bad of [
      { limit: 0 },
      { limit: 501 },
      { limit: 1.5 },
      { cursor: 'x' },
      { cursor: Buffer.from("1 ' or 1").toString('base64url') },
    ])
      await expect(centre.cases.list(bad)).rejects.toMatchObject({ code: 'GEWU_REQUEST_INVALID' });
  });

  it('keeps every version of the filing policy, and names the one that opened a case', async () => {
    const config = await fresh();
    const centre = await openCentre(config);
    expect(await centre.cases.policy()).toEqual(DEFAULT_FILING_POLICY);
    const next = { version: 2, default: 'verify-first', rules: [] };
    await expect(centre.cases.setPolicy({ ...next, version: 3 }, 'chief')).rejects.toMatchObject({
      code: 'GEWU_REQUEST_INVALID',
    });
    await expect(centre.cases.setPolicy({ ...next, rules: [{ class: '9:x', mode: 'propose' }] }, 'chief')).rejects.toMatchObject({
      code: 'GEWU_REQUEST_INVALID',
    });
    await centre.cases.setPolicy(next, 'chief');
    await take(centre, openCover('a'));
    expect(await allCases(centre)).toMatchObject([{ state: 'VERIFYING', policyVersion: 2 }]);
    const again = await Promise.allSettled([1, 2].map(() => centre.cases.setPolicy({ ...next, version: 3 }, 'chief')));
    expect(again.filter((r) => r.status === 'fulfilled')).toHaveLength(1);
  });
};
