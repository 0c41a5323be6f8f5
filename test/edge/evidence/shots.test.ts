import { expect, test } from 'vitest';
import { readJpeg } from '#edge/evidence/mod.ts';
import { BestShots } from '#edge/evidence/shots.ts';
import type { Box } from '#models/mod.ts';

const picture = (grey: number) => ({ widthPx: 64, heightPx: 36, rgb: new Uint8Array(64 * 36 * 3).fill(grey) });
const square = (side: number): Box => [0.1, 0.1, 0.1 + side, 0.1 + side];

async function greyOf(shots: BestShots, thing: object): Promise<number> {
  const { rgba } = await readJpeg(await (shots.of(thing)?.jpeg as Promise<Buffer>));
  return rgba[0] as number;
}

test('while a thing lasts the picture with its largest sure box is kept, whatever the frame memory is used for since', async () => {
  const shots = new BestShots();
  const thing = {};
  const look = async (at: number, side: number, score: number) => {
    const full = picture(at);
    shots.look(
      full,
      { at, ms: at, people: [] },
      new Map([[thing, { box: square(side), score, confidenceMin: 0.5 }]]),
      new Set([thing]),
    );
    full.rgb.fill(255);
    await shots.of(thing)?.jpeg;
  };
  await look(10, 0.2, 0.9);
  await look(20, 0.4, 0.8);
  await look(30, 0.41, 0.9);
  await look(40, 0.8, 0.3);
  await look(50, 0.3, 0.99);
  expect(shots.of(thing)).toMatchObject({ at: 20, box: square(0.4) });
  expect(Math.abs((await greyOf(shots, thing)) - 20)).toBeLessThan(3);
  await look(60, 0.5, 0.6);
  expect(shots.of(thing)?.at).toBe(60);
});

test('what no longer lasts is let go, and no more than eight are kept', () => {
  const shots = new BestShots();
  const things = Array.from({ length: 10 }, () => ({}));
  const sighting = { box: square(0.2), score: 0.9, confidenceMin: 0.5 };
  const look = (seen: object[], lasting: object[]) =>
    shots.look(picture(1), { at: 1, ms: 1, people: [] }, new Map(seen.map((t) => [t, sighting])), new Set(lasting));
  look(things, things);
  expect(things.filter((t) => shots.of(t) !== null)).toHaveLength(8);
  look([], things.slice(0, 3));
  expect(things.filter((t) => shots.of(t) !== null)).toHaveLength(3);
});
