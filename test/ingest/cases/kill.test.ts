import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, it } from 'vitest';
import { tempDir } from '../../support/temp.ts';
import { openCentre } from './fixture.ts';

const url = (path: string) => JSON.stringify(new URL(`../../../${path}`, import.meta.url).href);

/** Takes batches of events as fast as it can, and says each batch's last number once it is accepted. */
const TAKER = `
const { createDatabase } = await import(${url('ingest/database/mod.ts')});
const { createCaseService } = await import(${url('ingest/cases/mod.ts')});
const { createMetrics, silentLog, systemClock } = await import(${url('service/mod.ts')});
const { openCover, east } = await import(${url('test/ingest/cases/records.ts')});
const common = { clock: systemClock, log: silentLog, metrics: createMetrics() };
const database = createDatabase({ config: JSON.parse(process.argv[1]), ...common });
await database.start();
const cases = createCaseService({ database, ...common, commands: { send() {} } });
await cases.start();
for (let n = 0; ; n += 10) {
  const batch = Array.from({ length: 10 }, (_, i) => {
    const component = '2102830102' + String(n + i + 1).padStart(6, '0');
    return openCover('e' + (n + i), 1, { at: east((n + i) * 50), place: { component } });
  });
  await cases.accept(batch);
  process.stdout.write(n + 9 + '\\n');
}
`;

it('kill -9 in the middle: what was accepted is there with its case, and nothing is there by half', async () => {
  const config = { store: 'sqlite', file: join(await tempDir(), 'centre.db') } as const;
  const taker = spawn(process.execPath, ['-e', TAKER, JSON.stringify(config)], { stdio: ['ignore', 'pipe', 'inherit'] });
  let accepted = -1;
  for await (const line of createInterface({ input: taker.stdout })) {
    accepted = Number(line);
    if (accepted >= 150) taker.kill('SIGKILL');
  }
  if (taker.exitCode === null && taker.signalCode === null) await once(taker, 'exit');
  expect(accepted).toBeGreaterThanOrEqual(150);

  const { kysely } = (await openCentre(config)).database;
  const events = await kysely.selectFrom('events').select(['subject', 'case_id']).execute();
  const subjects = new Set(events.map((e) => e.subject));
  for (let n = 0; n <= accepted; n++) expect(subjects).toContain(`e${n}`);
  const cases = await kysely.selectFrom('cases').select(['id', 'state', 'number']).execute();
  expect(new Set(events.map((e) => e.case_id))).toEqual(new Set(cases.map((c) => c.id)));
  expect(cases.every((c) => c.state === 'FILED' && c.number !== null)).toBe(true);
  const { serial } = await kysely.selectFrom('case_numbers').select('serial').executeTakeFirstOrThrow();
  expect(serial).toBe(cases.length);
  const lines = await kysely.selectFrom('case_timeline').select('case_id').execute();
  expect(lines).toHaveLength(cases.length * 2);
});
