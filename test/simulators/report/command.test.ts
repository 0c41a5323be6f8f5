import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { compare, merge } from '#cli/simulate/reports.ts';
import type { RunReport } from '#simulators/report/mod.ts';
import { REPORT } from '../../support/report.ts';
import { tempDir } from '../../support/temp.ts';

/** Reports as `--report` leaves them; returns their folders. */
async function written(...reports: object[]): Promise<string[]> {
  const dir = await tempDir();
  return Promise.all(
    reports.map(async (report, i) => {
      await mkdir(join(dir, String(i)));
      await writeFile(join(dir, String(i), 'report.json'), JSON.stringify(report));
      return join(dir, String(i));
    }),
  );
}

test('a comparison ends with 1 when something got worse, and is refused when it would say nothing', async () => {
  const silent: RunReport = {
    ...REPORT,
    readings: { ...REPORT.readings, acked: 0, stored: 0 },
    latencies: { ...REPORT.latencies, ack: [] },
  };
  const compared = async (after: object) => compare(await written(REPORT, after));
  expect(await compared(REPORT)).toBe(0);
  expect(await compared({ ...REPORT, target: 'http://10.0.0.5' })).toBe(0);
  // It acknowledged nothing, so that there are no latencies that could be worse.
  expect(await compared(silent)).toBe(1);
  await expect(compared({ ...REPORT, scenario: 'rain-storm' })).rejects.toMatchObject({ code: 'GEWU_USAGE' });
});

test('a report of a version that compared no events is read, and says that it did not', async () => {
  const { content: _, moreTrouble: __, target: ___, ...old } = REPORT;
  expect(await compare(await written({ ...old, events: { sent: 0, stored: 0 } }, REPORT))).toBe(0);
});

test('parts become one report, which is judged; a part alone does not', async () => {
  const [one = '', two = '', both = ''] = await written({ ...REPORT, parts: ['1/2'] }, { ...REPORT, parts: ['2/2'] }, {});
  expect(await merge([one, two, '--report', both])).toBe(0);
  expect(JSON.parse(await readFile(join(both, 'report.json'), 'utf8'))).toMatchObject({ parts: ['1/2', '2/2'] });
  await expect(merge([one])).rejects.toThrow(/not all parts/);
});
