import { once } from 'node:events';
import { basename, join, resolve } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '#cli/servers/mod.ts';
import { toLine } from '#grid/wire/mod.ts';
import { CELL, EDGE, lamps, writeCentreFile } from '../../../bench/site.ts';
import { tempDir } from '../../support/temp.ts';
import { until } from '../../support/until.ts';
import { bareUplink } from '../../support/uplink.ts';
import { type Call, readTrace, spawnTraced } from './strace.ts';

/** One at a time: the ack of one is there before the next one is sent. */
const FRAMES = 20;

/** Acks that left although the store had written nothing since the one before, or something that no sync had made safe. */
function tooEarly(calls: readonly Call[]): { acks: number; early: number } {
  let [acks, early, written, unsynced] = [0, 0, false, false];
  const byEnd = calls.map((call) => ({ call, at: call.endedAt }));
  const isAck = ({ target, data }: Call) => target.startsWith('TCP:') && data.includes('/down/ack');
  // What leaves counts from its beginning, what is made safe from its end.
  const inOrder = byEnd.map((e) => (isAck(e.call) ? { ...e, at: e.call.beganAt } : e)).sort((a, b) => a.at - b.at);
  for (const { call } of inOrder) {
    const ofStore = basename(call.target) === 'readings.sqlite-wal';
    if (isAck(call)) {
      acks++;
      if (!written || unsynced) early++;
      written = false;
    } else if (ofStore && call.name === 'pwrite64') written = unsynced = true;
    else if (ofStore && call.name.endsWith('sync')) unsynced = false;
  }
  return { acks, early };
}

test('the centre acknowledges a frame of readings only after the sync of what it stored', async () => {
  const dir = await tempDir();
  const [brokerPort, apiPort] = await Promise.all([freePort(), freePort()]);
  const config = await writeCentreFile({ dir, brokerPort, apiPort, devices: lamps(1) });
  const main = resolve(import.meta.dirname, '../../../cli/main.ts');
  const centre = spawnTraced(join(dir, 'trace'), [main, 'ingest', '--config', config]);
  onTestFinished(() => void centre.kill('SIGKILL'));
  const { outbox, uplink, waiting } = await bareUplink({ url: `mqtt://127.0.0.1:${brokerPort}` });
  await uplink.start();
  await until(() => uplink.connected, { timeoutMs: 20_000, what: 'the connection to the centre' });
  const [lamp] = lamps(1);
  for (let seq = 1; seq <= FRAMES; seq++) {
    const origin = { kind: 'streetlight', device: lamp?.id ?? '', cell: CELL, edge: EDGE };
    await outbox.append('readings', [Buffer.from(toLine({ ...origin, ts: Date.now(), us: 0, fields: { lux: 3, seq } }))]);
    await until(() => waiting() === 0, { everyMs: 5 });
  }
  await uplink.stop();
  centre.kill('SIGTERM');
  await once(centre, 'exit');
  const calls = await readTrace(join(dir, 'trace'), centre.pid as number);
  expect(tooEarly(calls)).toEqual({ acks: FRAMES, early: 0 });
  // A store that does not sync would be found out.
  const withoutSync = calls.filter((c) => !c.name.endsWith('sync'));
  expect(tooEarly(withoutSync).early).toBe(FRAMES);
}, 60_000);
