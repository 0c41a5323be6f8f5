import { rm } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { Registry } from 'prom-client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ServerProcess, startInfluxdb } from '#cli/servers/mod.ts';
import { parseLine } from '#grid/wire/mod.ts';
import { createTimeSeriesStore, type TimeSeriesStore } from '#ingest/timeseries/mod.ts';
import { silentLog, systemClock } from '#service/mod.ts';
import { deviceTopic, payloadBytes, payloadSpec, text } from '../../properties/arbitraries.ts';
import { CentreBench } from '../../properties/centre_bench.ts';
import { DEVICES, EDGE, EdgeBench } from '../../properties/edge_bench.ts';
import { buildFrame, EDGES, type FrameSpec, lineText } from '../../properties/frames.ts';
import { tempDir } from '../../support/temp.ts';

/**
 * Line-protocol injection: whatever strings stand in ids, kinds, fields, values and topics, InfluxDB holds exactly the series, fields and
 * values that the accepted lines name, and nothing else.
 */
let dir: string;
let server: ServerProcess;
let databases = 0;
beforeAll(async () => {
  dir = await tempDir({ keep: true });
  server = await startInfluxdb({ dir });
});
afterAll(async () => {
  await server.stop();
  await rm(dir, { recursive: true, force: true });
});

interface Fixture {
  centre: CentreBench;
  store: TimeSeriesStore;
  query(q: string): Promise<Series[]>;
}
interface Series {
  name: string;
  columns: string[];
  values: (string | number | boolean | null)[][];
}

/** The intake in front of a real InfluxDB with a database of its own; frames are handed in without a broker. */
async function fixture(): Promise<Fixture> {
  const database = `injection_${databases++}`;
  const retention = { rawDays: 3650, minuteDays: 3650, hourDays: 3650 };
  const config = { store: 'influxdb' as const, url: server.url, database, gzip: false, timeoutMs: 10_000, retention };
  const store = createTimeSeriesStore(config, { clock: systemClock, log: silentLog, metrics: new Registry() });
  await store.start();
  const centre = new CentreBench({ write: (blocks) => store.write(blocks) });
  await centre.start();
  const query = async (q: string) => {
    const url = `${server.url}/query?db=${database}&epoch=u&q=${encodeURIComponent(q)}`;
    const { results } = (await (await fetch(url)).json()) as { results: { series?: Series[]; error?: string }[] };
    if (results[0]?.error !== undefined) throw new Error(results[0].error);
    return results[0]?.series ?? [];
  };
  return { centre, store, query };
}

/** A map, because a field may be called `__proto__`. */
type Fields = Map<string, number | boolean>;
const TAGS = ['time', 'cell', 'device', 'edge'];

function fieldsOf(line: string): Fields {
  const fields = (line.split(' ')[1] as string).split(',').map((field) => field.split('='));
  return new Map(fields.map(([name, v]): [string, number | boolean] => [name as string, JSON.parse(plain(v as string))]));
}

/** JSON has no leading zeros. */
const plain = (number: string) => number.replace(/^(-?)0+(?=\d)/, '$1');

/** Ours: notes of the store, under a name that no kind can have. */
const isOurs = (name: string) => name.startsWith('gewu.');

/**
 * Compares what InfluxDB says it holds with what the accepted lines say. `refused`: canonical lines that InfluxDB itself did not take, for a
 * conflict of types; it makes the series before it looks at the types, and leaves it empty.
 */
async function compare({ query }: Fixture, lines: readonly string[], refused: readonly string[] = []): Promise<void> {
  const points = new Map<string, Fields>();
  for (const line of lines) {
    const reading = parseLine(line);
    if ('fault' in reading) throw new Error(`accepted, and no line: ${line}`);
    const { kind, cell, device, edge, ts, us } = reading;
    const key = `${kind},cell=${cell},device=${device},edge=${edge} ${ts * 1000 + us}`;
    points.set(key, new Map([...(points.get(key) ?? []), ...fieldsOf(line)]));
  }
  const seriesOf = (key: string) => key.slice(0, key.indexOf(' '));
  const [series] = await query('SHOW SERIES');
  const named = new Set([...points.keys()].map(seriesOf));
  const empty = new Set(refused.map(seriesOf).filter((key) => !named.has(key)));
  const stored = (series?.values ?? []).map(([key]) => String(key)).filter((key) => !isOurs(key) && !empty.has(key));
  expect(stored.sort()).toEqual([...named].sort());

  const held = new Map<string, Fields>();
  // By measurement and day, which no shard crosses: over several, InfluxDB gives a field one type, and shows nothing of those that hold it as another.
  const DAY_US = 86_400e6;
  const parts = new Set(
    [...points.keys()].map((key) => `${key.slice(0, key.indexOf(','))} ${Math.floor(Number(key.split(' ')[1]) / DAY_US)}`),
  );
  for (const part of parts) {
    const [kind, day] = part.split(' ') as [string, string];
    const time = `time >= ${Number(day) * DAY_US}u AND time < ${(Number(day) + 1) * DAY_US}u`;
    const [{ name, columns, values } = { name: kind, columns: [], values: [] }] = await query(
      `SELECT * FROM "${kind}" WHERE ${time}`,
    );
    for (const row of values) {
      const all = new Map(columns.map((column, i) => [column, row[i]]));
      const [time, cell, device, edge] = ['time', 'cell', 'device', 'edge'].map((column) => all.get(column));
      const own = [...all].filter(([column, v]) => v !== null && !TAGS.includes(column) && !isOurs(column));
      held.set(`${name},cell=${cell},device=${device},edge=${edge} ${time}`, new Map(own) as Fields);
    }
  }
  const differing = [...new Set([...points.keys(), ...held.keys()])]
    .map((key) => ({ key, held: held.get(key), wanted: points.get(key) }))
    .filter(({ held, wanted }) => !isDeepStrictEqual(held, wanted));
  expect(differing).toEqual([]);
}

const readings = (lines: readonly string[]): FrameSpec => ({
  edge: 'edge-01',
  topic: '',
  lane: 'readings',
  header: {},
  lines,
  packing: 'identity',
  bodyMutations: [],
  frameMutations: [],
});

/** Strings in every place of a line as a careless edge would join them: nothing is escaped. */
const joined = fc
  .tuple(text, text, text, text, fc.oneof(text, fc.constantFrom('1', 'true')))
  .map(
    ([kind, device, edge, field, v]) =>
      `${kind},cell=110101001001017,device=${device},edge=${edge} ${field}=${v} ${Date.now() - 1000}000`,
  );

test('in uplink frames: InfluxDB holds the accepted lines and nothing else; the rest are dead letters', async () => {
  const f = await fixture();
  const lines = fc.sample(fc.oneof({ weight: 3, arbitrary: lineText }, { weight: 1, arbitrary: joined }), 3_000);
  const accepted: string[] = [];
  const refused: string[] = [];
  let sent = 0;
  for (let i = 0; i < lines.length; i += 100) {
    const spec = { ...readings(lines.slice(i, i + 100)), edge: EDGES[(i / 100) % 2] ?? EDGES[0] };
    const frame = buildFrame(spec, i);
    const { stored, letters, records } = await f.centre.settle([frame]);
    const dead = letters.filter((l) => l.hop === 'readings').length;
    expect(stored.readings.length + dead).toBe(records.stored + records.dead);
    for (const line of stored.readings) expect(line).toContain(`,edge=${spec.edge} `);
    accepted.push(...stored.readings);
    for (const { code, payload } of letters)
      if (code === 'GEWU_STORE_REJECTED') refused.push(Buffer.from(payload, 'base64').toString());
    sent += records.stored + records.dead;
  }
  expect(accepted.length).toBeGreaterThan(500);
  expect(sent - accepted.length).toBeGreaterThan(500);
  for (const line of refused) expect(parseLine(line)).not.toHaveProperty('fault');
  await compare(f, accepted, refused);
  await f.centre.stop();
  await f.store.stop();
}, 60_000);

test('at the edge intake: what devices say becomes the series of these devices, whatever the strings', async () => {
  const f = await fixture();
  const edge = new EdgeBench();
  await edge.start();
  const message = fc.constantFrom(...DEVICES).chain((device) => fc.tuple(fc.constant(device), deviceTopic(device), payloadSpec));
  const hostile = fc.tuple(fc.constantFrom(...DEVICES), text, text).map(([device, name, v]): [string, string, Buffer] => {
    const payload = Buffer.from(JSON.stringify({ [name]: v, tilt_deg: 1 }));
    return [device, `devices/${device}/telemetry`, payload];
  });
  const lines: string[] = [];
  const messages = fc
    .sample(message, 2_000)
    .map(([device, topic, spec]): [string, string, Buffer] => [device, topic, payloadBytes(spec)]);
  for (const [device, topic, payload] of [...messages, ...fc.sample(hostile, 500)]) {
    const taken = await edge.publish({ clientId: device, username: device }, topic, payload);
    lines.push(...(taken?.readings ?? []));
  }
  expect(await f.centre.take(EDGE, { readings: lines, health: [] })).toEqual({ readings: lines.length, letters: 0, refused: 0 });
  await compare(f, lines);
  const [series] = await f.query('SHOW SERIES');
  expect((series?.values ?? []).filter(([key]) => !isOurs(String(key)))).toHaveLength(DEVICES.length);
  await edge.stop();
  await f.centre.stop();
  await f.store.stop();
}, 60_000);

// An object cannot have it as a member by assignment: readers would lose it.
test('a field called __proto__ is refused, or read back', async () => {
  const f = await fixture();
  const ts = Date.now() - 1000;
  const line = `k-1,cell=110101001001017,device=mc-1,edge=edge-01 __proto__=7,a=1 ${ts}000`;
  const { stored } = await f.centre.settle([buildFrame(readings([line]), 0)]);
  const read = (await f.store.latest(['mc-1'])).get('mc-1')?.fields ?? {};
  await f.centre.stop();
  await f.store.stop();
  expect(Object.keys(read).sort()).toEqual(stored.readings.length === 0 ? [] : ['__proto__', 'a']);
});
