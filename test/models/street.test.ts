import { expect, test } from 'vitest';
import { runStreet } from '#cli/models/street.ts';

test('a staged street over RTSP: the shipped model finds the incident, places it, and raises nothing else', async () => {
  // Enough for the first incident of each camera; the figures of the project come from half an hour (docs/models.md).
  const plan = { model: 'models/street-drawn', durationMs: 26_000, dwellMs: 2_000, cameras: 2, seed: 4001 };
  const figures = await runStreet(plan);
  expect(figures.incidents).toBeGreaterThan(0);
  expect(figures).toMatchObject({ recall: 1, precision: 1 });
  expect(figures.delayMs.p50).toBeGreaterThanOrEqual(0);
}, 120_000);
