import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import type { Lane } from '#grid/wire/mod.ts';
import { isDamage } from '../../../edge/outbox/errors.ts';
import { OutboxStore } from '../../../edge/outbox/store.ts';
import { tempDir } from '../../support/temp.ts';
import { commit, type Image, lines, readImage, storeOptions, writeImage } from './files.ts';

const PAGE = 4096;
const FRAME = PAGE + 24;
/** What one page can take with it: a leaf with its cells of eight blocks at most, of so many records. */
const RECORDS_OF_A_PAGE = 8 * 60;
const LANES = ['events', 'readings'] as const;
/** Damages that are drawn; GEWU_TEST_RUNS=2000 takes a minute or two. */
const RUNS = Number(process.env.GEWU_TEST_RUNS ?? 60);

const line = (lane: Lane, seq: number) =>
  lane === 'events'
    ? `{"event":${seq}}`
    : `streetlight,cell=110101001001001,device=d-${seq % 50},edge=e power_w=52.5,seq=${seq} ${1.7e12 + seq}`;

/** Half of the rows in the main file, half in the log. */
let original: Image;
const appended = { events: new Set<string>(), readings: new Set<string>() };
/** Appended and not removed. */
const waiting = { events: new Set<string>(), readings: new Set<string>() };

/** One-record commits and large ones, rows that went, rows that were trimmed, state. */
beforeAll(async () => {
  const dir = await tempDir({ keep: true });
  const store = new OutboxStore(storeOptions(dir), 0);
  const next = (lane: 'events' | 'readings') => {
    const text = line(lane, appended[lane].size + 1);
    appended[lane].add(text);
    return text;
  };
  const put = (count: number) => {
    const readings = Array.from({ length: count }, () => next('readings'));
    commit(store, { rows: { readings, events: [next('events')] }, state: { 'rule/x': String(appended.readings.size) } });
  };
  for (let i = 0; i < 60; i++) put(i % 3 === 0 ? 60 : 1);
  store.settle();
  commit(store, { remove: [{ lane: 'readings', first: 1, last: 200 }] });
  for (let i = 0; i < 30; i++) put(i % 3 === 0 ? 60 : 1);
  waiting.events = appended.events;
  waiting.readings = new Set([...appended.readings].slice(200));
  original = readImage(dir);
  store.close();
  await rm(dir, { recursive: true });
});

type Damage = { file: 'main' | 'wal'; what: 'flip' | 'zero' | 'garbage' | 'cut'; at: number; bits: number };
const damages = fc.array(
  fc.record({
    file: fc.constantFrom('main' as const, 'wal' as const),
    what: fc.constantFrom('flip' as const, 'flip' as const, 'zero' as const, 'garbage' as const, 'cut' as const),
    at: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
    bits: fc.integer({ min: 1, max: 8 }),
  }),
  { minLength: 1, maxLength: 4 },
);

/** Gives back how many pages of the file may have lost what they held. */
function damage(image: Image, { file, what, at, bits }: Damage): number {
  const bytes = image[file];
  const unit = file === 'main' ? PAGE : FRAME;
  const offset = Math.floor(at * bytes.length);
  const page = offset - (offset % unit);
  if (what === 'cut') image[file] = bytes.subarray(0, offset);
  else if (what === 'flip') for (let i = 0; i < bits; i++) bytes[offset] = (bytes[offset] ?? 0) ^ (1 << i);
  else bytes.fill(what === 'zero' ? 0 : Buffer.from('garbage '), page, Math.min(page + unit, bytes.length));
  return what === 'cut' ? Math.ceil((bytes.length - offset) / unit) : 1;
}

/** Gives back how often the file was salvaged. */
function check(dir: string, pagesLost: number): number {
  let store = new OutboxStore(storeOptions(dir), 0);
  const early = store.salvage === undefined ? 0 : 1;
  try {
    // Some damage shows only when the row is read: the worker then salvages, as here.
    for (const lane of early ? [] : LANES)
      try {
        lines(store, lane);
      } catch (error) {
        if (!isDamage(error)) throw error;
        store.close();
        store = new OutboxStore(storeOptions(dir), 0, (error as Error).message);
        break;
      }
    for (const lane of LANES) {
      const rows = lines(store, lane);
      expect(rows.filter((row) => !appended[lane].has(row))).toEqual([]);
      const served = new Set(rows);
      expect(served.size).toBe(rows.length);
      expect([...waiting[lane]].filter((row) => !served.has(row)).length).toBeLessThanOrEqual(pagesLost * RECORDS_OF_A_PAGE);
      expect(store.stats[lane].records).toBe(rows.length);
    }
    commit(store, { rows: { readings: ['after'] } });
    expect(lines(store, 'readings').at(-1)).toBe('after');
    return store.salvage === undefined ? 0 : 1;
  } finally {
    store.close();
  }
}

test(
  'whatever the disk does to the file, the next start serves only what was appended, and what was not hit',
  async () => {
    const dir = await tempDir();
    let n = 0;
    let salvages = 0;
    fc.assert(
      fc.property(damages, (list) => {
        const image = { main: Buffer.from(original.main), wal: Buffer.from(original.wal) };
        const pagesLost = list.reduce((sum, d) => sum + damage(image, d), 0);
        const own = join(dir, String(n++));
        writeImage(own, image);
        salvages += check(own, pagesLost);
        // What was salvaged is sound: nothing is salvaged twice.
        const again = new OutboxStore(storeOptions(own), 0);
        expect(again.salvage).toBeUndefined();
        again.close();
      }),
      { numRuns: RUNS, endOnFailure: true },
    );
    expect(salvages).toBeGreaterThan(RUNS / 4);
  },
  20_000 + 100 * RUNS,
);

test('after a damage that took the counters along, no number of this life is given again', async () => {
  const lastSeqs = { events: 7, health: 8, readings: 5_000_000 };
  const store = new OutboxStore(storeOptions(await tempDir(), { lastSeqs }), 0);
  commit(store, { rows: { readings: ['a'], events: ['b'] } });
  expect([store.stats.readings.lastSeq, store.stats.events.lastSeq]).toEqual([5_000_001, 8]);
  store.close();
});
