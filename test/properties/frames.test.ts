import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkEvent, checkHealthLine } from '#grid/wire/mod.ts';
import { budget, type Extent, liveMiB, report } from './budget.ts';
import { CentreBench, type Settled } from './centre_bench.ts';
import { buildFrame, type FrameSpec, frameSpec } from './frames.ts';
import { type Expected, expectedOf, isGoodLine } from './oracle.ts';

/**
 * Whatever edges send: every frame has an outcome, every record of a frame that can be read is stored or a dead letter, exactly those
 * frames are acknowledged that must be, and nobody speaks for another.
 */
const BATCH = 40;
const GROWTH_MIB_MAX = 32;
const LETTERS_PER_FRAME_MAX = 1_000;
let centre: CentreBench;
let numbered = 0;
const none = { frames: 0, good: 0, bad: 0, foreign: 0, duplicate: 0, records: 0, stored: 0, dead: 0 };
let seen = { ...none };

beforeAll(async () => {
  centre = new CentreBench();
  await centre.start();
});
afterAll(() => centre.stop());

type Good = Extract<Expected, { kind: 'good' }>;

/** Frames of one batch with what is expected of each; the same header of the same edge again, while the first waits, is a repeat. */
function expectAll(frames: readonly { topic: string; payload: Buffer }[]) {
  const headers = new Set<string>();
  const expected: Expected[] = [];
  let duplicates = 0;
  for (const { topic, payload } of frames) {
    const e = expectedOf(topic, payload);
    const head = payload.subarray(0, 512).toString('latin1').split('\n')[0];
    const key = `${topic}\n${head}`;
    if (e.kind !== 'foreign' && headers.has(key)) {
      duplicates++;
      continue;
    }
    headers.add(key);
    expected.push(e);
  }
  return { expected, duplicates };
}

function check(frames: readonly { topic: string; payload: Buffer }[], settled: Settled, now: number): void {
  const { expected, duplicates } = expectAll(frames);
  const good = expected.filter((e): e is Good => e.kind === 'good');
  const bad = expected.filter((e) => e.kind === 'bad');
  const foreign = expected.length - good.length - bad.length;
  const acks = expected.flatMap((e) => (e.kind === 'foreign' || e.ack === null ? [] : [e.ack]));
  const unacked = bad.filter((e) => e.kind === 'bad' && e.ack === null).length;

  expect(settled.frames).toEqual({ acked: acks.length, unacked, failed: 0, dropped: 0, duplicate: duplicates, foreign });
  const text = (all: readonly object[]) => all.map((a) => JSON.stringify(a)).sort();
  expect(text(settled.acks)).toEqual(text(acks));
  checkRecords(good, bad.length, settled, now);
  Object.assign(seen, {
    frames: seen.frames + frames.length,
    good: seen.good + good.length,
    bad: seen.bad + bad.length,
    foreign: seen.foreign + foreign,
    duplicate: seen.duplicate + duplicates,
    stored: seen.stored + settled.records.stored,
    dead: seen.dead + settled.records.dead,
  });
}

function checkRecords(good: readonly Good[], bad: number, { stored, letters, records }: Settled, now: number): void {
  const lines = good.reduce((sum, g) => sum + g.lines.length, 0);
  seen.records += lines;
  const kept = stored.readings.length + stored.events.length + stored.health.length;
  // Letters that edges forward are records that reached their place.
  const ofFrames = letters.filter((l) => l.hop === 'frame').length;
  const miscounted = good.filter((g) => g.count !== g.lines.length).length;
  const crowded = good.filter((g) => g.lines.length > LETTERS_PER_FRAME_MAX);
  expect(records.stored + records.dead).toBe(lines);
  if (crowded.length === 0) {
    expect(kept + letters.length - ofFrames).toBe(lines);
    expect(ofFrames).toBe(bad + miscounted);
  } else expect(letters.length).toBeGreaterThanOrEqual(LETTERS_PER_FRAME_MAX);

  const wanted = good.filter((g) => g.lane === 'readings').flatMap((g) => g.lines.filter((l) => isGoodLine(l, g.edge, now)));
  expect(stored.readings.toSorted()).toEqual(wanted.toSorted());
  const edges = new Set(good.map((g) => g.edge));
  for (const e of stored.events as { data: { edge: string }; source: string }[]) {
    expect(checkEvent.Check(e)).toBe(true);
    expect(edges.has(e.data.edge) && e.source === `/edges/${e.data.edge}`).toBe(true);
  }
  for (const h of stored.health as { edge: string }[]) expect(checkHealthLine.Check(h) && edges.has(h.edge)).toBe(true);
  for (const l of letters) expect(edges.has(l.edge) || l.hop === 'frame').toBe(true);
}

async function runFrames(bench: CentreBench, params: Extent): Promise<void> {
  await fc.assert(
    fc.asyncProperty(fc.array(frameSpec, { minLength: 1, maxLength: 2 * BATCH, size: 'max' }), async (specs: FrameSpec[]) => {
      const frames = specs.map((spec) => buildFrame(spec, numbered++));
      check(frames, await bench.settle(frames), Date.now());
    }),
    params,
  );
}

test('every frame has its outcome, every record is stored or a dead letter', async () => {
  await runFrames(centre, { numRuns: 10 });
  seen = { ...none };
  const before = liveMiB();
  await runFrames(centre, budget(0.4, BATCH));
  expect(liveMiB() - before).toBeLessThan(GROWTH_MIB_MAX);
  for (const share of [seen.good, seen.bad]) expect(share).toBeGreaterThan(seen.frames / 20);
  for (const share of [seen.stored, seen.dead]) expect(share).toBeGreaterThan(seen.records / 100);
  report('frames', seen);
}, 600_000);

test('a centre that forgets one dead letter in fifty is caught', async () => {
  const broken = new CentreBench();
  let n = 0;
  broken.keeps = () => ++n % 50 > 0;
  await broken.start();
  await expect(runFrames(broken, { numRuns: 50, endOnFailure: true })).rejects.toThrow(/Counterexample/);
  await broken.stop();
});
