import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { EventRecord } from '#grid/mod.ts';
import type { Suite } from '../database/stores.ts';
import { allCases, type Centre, east, openCentre, openCover, photo, stall, T0, take } from './fixture.ts';

/** Things that are wrong in the street, each seen by one to three devices through several revisions. */
interface Thing {
  cover: boolean;
  /** Per device: revisions, and whether it clears in the end. */
  seenBy: { revisions: number; clears: boolean }[];
}

const thing: fc.Arbitrary<Thing> = fc.record({
  cover: fc.boolean(),
  seenBy: fc.array(fc.record({ revisions: fc.integer({ min: 1, max: 4 }), clears: fc.boolean() }), {
    minLength: 1,
    maxLength: 3,
  }),
});

function recordsOf(things: readonly Thing[]): EventRecord[] {
  return things.flatMap(({ cover, seenBy }, i) =>
    seenBy.flatMap(({ revisions, clears }, j) =>
      Array.from({ length: revisions }, (_, k) => {
        const revision = k + 1;
        const subject = `t${i}-d${j}`;
        const overrides = {
          at: east(i * 200 + j * 2),
          confidence: ((i * 7 + j * 3 + k * 5) % 10) / 10,
          evidence: revision % 2 === 1 ? [photo(`${subject}-${revision}`, T0 + j)] : [],
          place: { errorRadiusM: 5 + j, ...(cover ? { component: `21028301020000${10 + i}` } : {}) },
          ...(clears && revision === revisions && revisions > 1 ? { clearedAt: T0 + 50_000 + j } : {}),
        };
        return cover ? openCover(subject, revision, overrides) : stall(subject, revision, overrides);
      }),
    ),
  );
}

/** Every event with its files, and everything that a case says, but for its id, its number and the times of arrival. */
async function stateOf(centre: Centre) {
  const cases = await allCases(centre);
  const { items } = await centre.cases.listEvents({ limit: 500 });
  const events = items.map(({ record }) => record).sort((a, b) => (a.subject < b.subject ? -1 : 1));
  const states = cases
    .map(({ id, number, openedAt, updatedAt, events, ...rest }) => ({
      ...rest,
      numbered: number !== null,
      events: [...events].sort(),
    }))
    .sort((a, b) => ((a.events[0] as string) < (b.events[0] as string) ? -1 : 1));
  return { cases: states, events };
}

export const orderSuite: Suite = ({ store, fresh }) => {
  it('any order and repetition of the revisions gives the same cases', async () => {
    const scenario = fc
      .array(thing, { minLength: 1, maxLength: 4 })
      .map(recordsOf)
      .chain((records) =>
        fc.record({
          records: fc.constant(records),
          shuffled: fc
            .tuple(fc.shuffledSubarray(records, { minLength: records.length }), fc.shuffledSubarray(records))
            .chain(([all, again]) => fc.shuffledSubarray([...all, ...again], { minLength: all.length + again.length })),
          size: fc.integer({ min: 1, max: 40 }),
        }),
      );
    await fc.assert(
      fc.asyncProperty(scenario, async ({ records, shuffled, size }) => {
        const expected = await run(records, records.length);
        expect(await run(shuffled, size)).toEqual(expected);
      }),
      { numRuns: store === 'sqlite' ? 12 : 6 },
    );
  });

  async function run(records: readonly EventRecord[], size: number) {
    const centre = await openCentre(await fresh());
    for (let i = 0; i < records.length; i += size) await take(centre, ...records.slice(i, i + size));
    const state = await stateOf(centre);
    await centre.database.stop();
    return state;
  }
};
