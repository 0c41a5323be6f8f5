import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { cameraMetrics } from '#edge/cameras/counters.ts';
import { FullPicture, yuvBytes } from '#edge/cameras/full_picture.ts';
import { Judge } from '#edge/cameras/judge.ts';
import { Lookout } from '#edge/cameras/lookout.ts';
import { meaningOf, surroundingsOf } from '#edge/cameras/meaning.ts';
import type { Frame } from '#edge/cameras/source.ts';
import { readJpeg } from '#edge/evidence/mod.ts';
import type { SiteCamera } from '#grid/mod.ts';
import type { EventRecord } from '#grid/wire/mod.ts';
import { type Box, letterboxOf, loadManifest, type ModelManifest } from '#models/mod.ts';
import { createMetrics, ManualClock, silentLog } from '#service/mod.ts';
import { evidenceRoom } from '../../support/evidence.ts';
import { BRIGHT_STREET } from '../../support/models.ts';
import { tempDir } from '../../support/temp.ts';
import { until } from '../../support/until.ts';
import { RULE, siteCamera } from '../vision/street.ts';
import { CELL, siteOf } from './running.ts';

const [WIDTH_PX, HEIGHT_PX] = [320, 180];
const { manifest: first } = await loadManifest(BRIGHT_STREET);
const second = { ...first, version: '9.0.0', sha256: '9'.repeat(64) };
/** Somebody has checked that it finds the people of this camera. */
const attested = (model: ModelManifest): Partial<SiteCamera> => ({
  personRecall: { sha256: model.sha256, recall: 0.98, people: 400, by: 'Li Wei', at: '2026-11-20' },
});

const BOX: Box = [0.45, 0.5, 0.55, 0.65];
const letterbox = letterboxOf({ widthPx: WIDTH_PX, heightPx: HEIGHT_PX }, first.input);
const toInput = ([left, top, right, bottom]: Box): Box => {
  const { leftPx, topPx, widthPx, heightPx } = letterbox;
  const [x, y] = [(share: number) => leftPx + share * widthPx, (share: number) => topPx + share * heightPx];
  return [x(left), y(top), x(right), y(bottom)];
};

/** Stripes of a pixel: whatever is pixelated loses them. */
function striped(): FullPicture {
  const yuv = Buffer.alloc(yuvBytes(WIDTH_PX, HEIGHT_PX), 128);
  for (let at = 0; at < WIDTH_PX * HEIGHT_PX; at++) yuv[at] = at % 2 === 0 ? 16 : 235;
  return new FullPicture(WIDTH_PX, HEIGHT_PX, yuv);
}

/** One camera from its detections to its masked pictures; pictures and models are handed in. */
async function looking(changes: Partial<SiteCamera>) {
  const clock = new ManualClock();
  const dataDir = await tempDir();
  const { room, close } = await evidenceRoom({ dataDir, clock });
  const events: EventRecord[] = [];
  const common = { edgeId: 'edge-01', clock, log: silentLog };
  const meaning = (manifest: ModelManifest, camera: Partial<SiteCamera>) =>
    meaningOf(siteCamera(camera), surroundingsOf(siteOf([])), {
      ...{ ...common, profile: 'default', manifest, dir: dataDir },
      events: { emit: async (event) => void events.push(event) },
      caseStates: { stateOf: () => 'unknown' },
    });
  const deps = { room, media: null, counters: cameraMetrics(createMetrics()), lookout: new Lookout(), release: () => {} };
  const judge = new Judge({ ...common, ...deps }, meaning(first, changes));
  await judge.start();
  onTestFinished(async () => {
    await judge.stop();
    await close();
  });
  return {
    events,
    judge,
    use: (manifest: ModelManifest, camera: Partial<SiteCamera>) => judge.apply(meaning(manifest, camera)),
    /** One look at a thing that stands there. */
    look(score = 0.9): Frame {
      clock.advance(500);
      const frame = { input: new ArrayBuffer(0), full: striped(), at: clock.now(), ms: clock.monotonic() };
      judge.look(frame, [{ class: 'stall', score, box: toInput(BOX) }]);
      return frame;
    },
    /** Whether the picture shows the street beside the thing. */
    async shows(sha256: string): Promise<boolean> {
      const { rgba } = await readJpeg(await readFile(join(dataDir, 'evidence/pending', `${sha256}.bin`)));
      const row = Array.from({ length: 40 }, (_, x) => rgba[(20 * WIDTH_PX + x) * 4] as number);
      return Math.max(...row) - Math.min(...row) > 100;
    },
  };
}

type Looking = Awaited<ReturnType<typeof looking>>;

/** The picture of the event of a thing that stands there; in the middle of its time something happens. */
async function eventOf({ look, events, shows }: Looking, inTheMiddle: () => Promise<void> = async () => {}): Promise<boolean> {
  // Surest at first: the event's picture is one of these.
  for (let n = 0; n < RULE.dwellS; n++) look();
  await inTheMiddle();
  for (let n = 0; n <= RULE.dwellS; n++) look(0.6);
  const raised = await until(() => events[0]);
  return shows(raised.data.evidence[0]?.sha256 ?? '');
}

/** A picture of now. */
async function viewOf({ look, judge, shows }: Looking): Promise<boolean> {
  const frame = look();
  const place = { lon: 116.397, lat: 39.916, errorRadiusM: 1, cell: CELL };
  const ref = await judge.photograph(
    { ...frame, people: [] },
    { box: BOX, score: 0.9 },
    { class: { flag: 2, code: '0501' }, place },
    'event-1',
  );
  return shows(ref?.sha256 ?? '');
}

test('a picture of an event shows the street where the people of the model in use are attested on this camera', async () => {
  expect(await eventOf(await looking(attested(first)))).toBe(true);
  expect(await eventOf(await looking(attested(second)))).toBe(false);
  expect(await eventOf(await looking({}))).toBe(false);
});

test('another model takes over before the event: its picture was looked at by the one before, and is masked, whichever is attested', async () => {
  for (const camera of [attested(first), attested(second)]) {
    const life = await looking(attested(first));
    expect(await eventOf(life, () => life.use(second, camera))).toBe(false);
  }
});

test('after a change of model pictures are masked until the new one is attested; the same name of other bytes is another model, another name of the same bytes is not', async () => {
  const life = await looking(attested(first));
  expect(await viewOf(life)).toBe(true);
  await life.use(second, attested(first));
  expect(await viewOf(life)).toBe(false);
  await life.use(second, attested(second));
  expect(await viewOf(life)).toBe(true);
  const held = life.look();
  await life.use({ ...second, version: '9.0.1' }, attested(second));
  expect(await viewOf({ ...life, look: () => held })).toBe(false);
  expect(await viewOf(life)).toBe(true);
  await life.use({ ...second, sha256: '0'.repeat(64) }, attested(second));
  expect(await viewOf(life)).toBe(false);
  // The one before comes back, as after a candidate that did worse: its word counts for what it looks at from now on.
  await life.use(first, attested(first));
  expect(await viewOf(life)).toBe(true);
});
