import { expect, test } from 'vitest';
import { BENCHES } from '#bench/mod.ts';
import { tempDir } from '../support/temp.ts';

/**
 * The benches in short, beside other tests: what they measure means nothing here, that they measure does. What every bench
 * checks by itself (every point stored, every case readable, no backlog left) fails it.
 */
test.for(BENCHES)('$name gives its figures', { timeout: 180_000 }, async ({ run }) => {
  const { figures } = await run({ dir: await tempDir(), rounds: 1, short: true, say: () => {} });
  expect(Object.keys(figures).length).toBeGreaterThan(2);
  for (const [name, figure] of Object.entries(figures)) if (!MISTAKES.test(name)) expect(figure, name).toSatisfy(isMeasured);
});

/** Of these none is the best that can be; a slope may fall. */
const MISTAKES = /switches|fragments|mostlyLost|delay|dropped|missing|failures|PerHour/i;
/** An hour of backlog is not filled here. */
const isMeasured = (figure: unknown): boolean =>
  figure === null ||
  (Array.isArray(figure) && figure.length > 0 && figure.every(isMeasured)) ||
  (typeof figure === 'number' && Number.isFinite(figure) && figure > 0);
