import { expect, test } from 'vitest';
import { countingRepeats } from '#edge/told.ts';
import type { EventRecord } from '#grid/wire/mod.ts';
import { createMetrics } from '#service/mod.ts';

test('a revision that is told again counts as a repeat, a later one does not, and neither does one that was not taken', async () => {
  const metrics = createMetrics();
  let takes = true;
  const sink = countingRepeats({ emit: async () => (takes ? undefined : Promise.reject(new Error('full'))) }, metrics);
  const tell = (subject: string, revision: number) => sink.emit({ subject, data: { revision } } as EventRecord);
  takes = false;
  await expect(tell('a', 1)).rejects.toThrow('full');
  takes = true;
  for (const [subject, revision] of [
    ['a', 1],
    ['a', 2],
    ['b', 1],
    ['a', 2],
    ['a', 1],
    ['b', 1],
  ] as const)
    await tell(subject, revision);
  expect(await metrics.getSingleMetricAsString('gewu_edge_events_repeated_total')).toMatch(
    /^gewu_edge_events_repeated_total 3$/m,
  );
});
