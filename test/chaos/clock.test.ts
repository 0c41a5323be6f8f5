import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createSystemClock } from '#service/mod.ts';
import { tempDir } from '../support/temp.ts';
import { until } from '../support/until.ts';

test('a clock file steps the time of day and not durations; without one nothing is shifted', async () => {
  const file = join(await tempDir(), 'clock');
  const clock = createSystemClock(file);
  expect(Math.abs(clock.now() - Date.now())).toBeLessThan(50);
  const before = clock.monotonic();
  for (const shift of [3_600_000, -3_600_000]) {
    await writeFile(`${file}.new`, String(shift));
    await rename(`${file}.new`, file);
    await until(() => Math.abs(clock.now() - Date.now() - shift) < 50);
  }
  expect(clock.monotonic() - before).toBeLessThan(20_000);
  expect(Math.abs(createSystemClock(undefined).now() - Date.now())).toBeLessThan(50);
});
