import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join, resolve } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '#cli/servers/mod.ts';
import { LANES } from '#grid/wire/mod.ts';
import { OutboxStore } from '../../../edge/outbox/store.ts';
import { Random } from '../../simulation/random.ts';
import { coverDevice, deviceClient, edgeFile } from '../../support/edge.ts';
import { tempDir } from '../../support/temp.ts';
import { until } from '../../support/until.ts';
import { lines, storeOptions } from './files.ts';
import { CUT_OFF, PowerlessDisk, type Tear } from './power.ts';
import { type Call, readTrace, spawnTraced } from './strace.ts';

/** Power cuts that are drawn. GEWU_TEST_RUNS=400 takes two or three minutes; a failure names its seed, for GEWU_SEED. */
const RUNS = Number(process.env.GEWU_TEST_RUNS ?? 40);
const SEED = Number(process.env.GEWU_SEED ?? Math.floor(Math.random() * 2 ** 32));
/** Of each device. */
const MESSAGES = RUNS;
const WINDOW = 4;
const IDS = ['mc-1', 'mc-2', 'mc-3'];

/** A PUBACK that leaves the node. */
interface Ack {
  key: string;
  beganAt: number;
}

/** Publishes with WINDOW under way; gives back the key of each sample by its packet id. */
async function publishAll(port: number, id: string): Promise<{ local: string; keys: Map<number, string> }> {
  const client = await deviceClient(port, id);
  const keys = new Map<number, string>();
  client.on('packetsend', (packet) => {
    if (packet.cmd === 'publish') keys.set(packet.messageId as number, `${id}/${JSON.parse(String(packet.payload)).seq}`);
  });
  const { localPort } = client.stream as unknown as { localPort: number };
  let seq = 0;
  const worker = async () => {
    while (seq < MESSAGES)
      await client.publishAsync(`devices/${id}/telemetry`, JSON.stringify({ tilt_deg: 1, seq: ++seq, ts: Date.now() }), {
        qos: 1,
      });
  };
  await Promise.all(Array.from({ length: WINDOW }, worker));
  await client.endAsync();
  return { local: `127.0.0.1:${localPort}`, keys };
}

/** A real node under strace, from its start to its end: its calls, and its PUBACKs in the order in which they left. */
async function traceNode(dir: string, dataDir: string): Promise<{ calls: Call[]; acks: Ack[] }> {
  const port = await freePort();
  const config = edgeFile({
    dataDir,
    port,
    centreUrl: 'mqtt://127.0.0.1:9',
    devices: IDS.map((id, i) => coverDevice(id, i + 1)),
  });
  await writeFile(join(dir, 'edge.yaml'), JSON.stringify(config));
  const main = resolve(import.meta.dirname, '../../../cli/main.ts');
  const node = spawnTraced(join(dir, 'trace'), [main, 'edge', '--config', join(dir, 'edge.yaml')]);
  onTestFinished(() => void node.kill('SIGKILL'));
  await until(() => canConnect(port), { timeoutMs: 20_000, what: 'the listener of the node' });
  const senders = await Promise.all(IDS.map((id) => publishAll(port, id)));
  node.kill('SIGTERM');
  await once(node, 'exit');
  const calls = await readTrace(join(dir, 'trace'), node.pid as number);
  const acks = senders.flatMap(({ local, keys }) => acksOf(calls, `->${local}]`, keys));
  return { calls, acks: acks.sort((a, b) => a.beganAt - b.beganAt) };
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((tell) => {
    const socket = connect(port, '127.0.0.1', () => socket.end(() => tell(true)));
    socket.once('error', () => tell(false));
  });
}

/** Of one connection, on which there are packets of four bytes only: CONNACK, then PUBACKs. */
function acksOf(calls: readonly Call[], connection: string, keys: ReadonlyMap<number, string>): Ack[] {
  const sent = calls.filter((c) => c.target.startsWith('TCP:') && c.target.endsWith(connection) && c.result > 0);
  const bytes = Buffer.concat(sent.map((c) => c.data.subarray(0, c.result)));
  const beganAt = sent.flatMap((c) => Array.from({ length: c.result }, () => c.beganAt));
  expect(bytes.readUInt32BE(0)).toBe(0x20020000);
  return Array.from({ length: bytes.length / 4 - 1 }, (_, i) => {
    const at = 4 * (i + 1);
    expect(bytes.readUInt16BE(at)).toBe(0x4002);
    return { key: keys.get(bytes.readUInt16BE(at + 2)) as string, beganAt: beganAt[at] as number };
  });
}

/** What a node finds that starts on what the cut left. */
function stored(dir: string): { readings: Set<string>; salvaged: boolean } {
  const store = new OutboxStore(storeOptions(dir, { file: join(dir, 'outbox.db') }), 0);
  const keyOf = (line: string) => `${/device=([^,]+)/.exec(line)?.[1]}/${/seq=(\d+)/.exec(line)?.[1]}`;
  const readings = new Set(lines(store, 'readings').map(keyOf));
  const waiting = LANES.reduce((sum, lane) => sum + store.stats[lane].records, 0);
  const served = LANES.reduce((sum, lane) => sum + lines(store, lane).length, 0);
  expect(waiting).toBe(served);
  const salvaged = store.salvage !== undefined;
  store.close();
  return { readings, salvaged };
}

const outboxDisk = (dataDir: string) =>
  new PowerlessDisk(dataDir, (name) => name.startsWith('outbox.db') && !name.startsWith('outbox.db.lock'));

/** Cuts the power before each sync returns, with all that was not synced gone, and gives back what was acknowledged and is not there. */
function lostWithoutMercy(dir: string, dataDir: string, calls: readonly Call[], acks: readonly Ack[]): string[] {
  const disk = outboxDisk(dataDir);
  const lost: string[] = [];
  let [acked, checked, n] = [0, 0, 0];
  const check = () => {
    if (acked === checked) return;
    checked = acked;
    const image = join(dir, `cut-off-${n++}`);
    disk.cut(image, CUT_OFF);
    const { readings } = stored(image);
    lost.push(...acks.slice(0, acked).flatMap(({ key }) => (readings.has(key) ? [] : [key])));
  };
  for (const call of calls) {
    // What was acknowledged up to here had to be safe without this call.
    while ((acks[acked]?.beganAt ?? Number.POSITIVE_INFINITY) <= call.endedAt) acked++;
    if (call.name.endsWith('sync')) check();
    if (lost.length > 0) break;
    disk.apply(call);
  }
  acked = acks.length;
  check();
  return [...new Set(lost)];
}

function randomTear(random: Random): Tear {
  const [written, zero] = [random.next(), random.chance(0.3) ? 0.5 : 0];
  return {
    sector: () => (random.chance(written) ? 'written' : random.chance(zero) ? 'zero' : 'old'),
    name: () => random.chance(0.5),
  };
}

/** The state of the disk at random calls, torn in a random way. */
function lostWhenTorn(dir: string, dataDir: string, calls: readonly Call[], acks: readonly Ack[]) {
  const disk = outboxDisk(dataDir);
  const random = new Random(SEED);
  const moments = calls.flatMap((c, i) => (c.target.startsWith(join(dataDir, 'outbox.db')) ? [i] : []));
  const chosen = new Set(Array.from({ length: RUNS }, () => random.pick(moments)));
  const lost: string[] = [];
  let [salvages, n] = [0, 0];
  for (const [i, call] of calls.entries()) {
    // In the middle of a sync, at the end of a write.
    if (!call.name.endsWith('sync')) disk.apply(call);
    if (chosen.has(i)) {
      const image = join(dir, `torn-${n++}`);
      disk.cut(image, randomTear(random));
      const { readings, salvaged } = stored(image);
      if (salvaged) salvages++;
      lost.push(...acks.flatMap(({ key, beganAt }) => (beganAt <= call.endedAt && !readings.has(key) ? [key] : [])));
    }
    if (call.name.endsWith('sync')) disk.apply(call);
  }
  return { lost, salvages, cuts: n };
}

test(
  'a power cut at any moment: what was acknowledged is on disk, whatever became of what was not synced',
  async () => {
    const dir = await tempDir();
    const dataDir = join(dir, 'new', 'data');
    const { calls, acks } = await traceNode(dir, dataDir);
    expect(acks.length).toBe(IDS.length * MESSAGES);
    // The names of the new folders, and of the log in them, are safe before the first PUBACK leaves.
    const synced = new Set(calls.filter((c) => c.name === 'fsync' && c.endedAt < (acks[0]?.beganAt ?? 0)).map((c) => c.target));
    expect([...synced]).toEqual(expect.arrayContaining([dir, join(dir, 'new'), dataDir, join(dataDir, 'outbox.db-wal')]));
    expect(lostWithoutMercy(join(dir, 'a'), dataDir, calls, acks)).toEqual([]);
    const { lost, salvages, cuts } = lostWhenTorn(join(dir, 'b'), dataDir, calls, acks);
    expect(lost, `GEWU_SEED=${SEED}`).toEqual([]);
    process.stderr.write(`power cuts: ${JSON.stringify({ acked: acks.length, calls: calls.length, cuts, salvages })}\n`);
    // A node that syncs less would be found out: the same trace without every second sync of the log.
    let nth = 0;
    const fewer = calls.filter((c) => !(c.name.endsWith('sync') && c.target.endsWith('-wal')) || nth++ % 2 === 0);
    await mkdir(join(dir, 'c'));
    expect(lostWithoutMercy(join(dir, 'c'), dataDir, fewer, acks)).not.toEqual([]);
  },
  30_000 + 600 * RUNS,
);
