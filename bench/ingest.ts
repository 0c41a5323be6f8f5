import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort, type ServerProcess, startInfluxdb } from '#cli/servers/mod.ts';
import { DEVICES as DEVICES_LOAD, type EndToEnd, GATEWAYS, measureEndToEnd, measureMosquitto } from './end_to_end.ts';
import { writeRaw } from './influx_raw.ts';
import { FRAME_LINES, FrameSender, makePoints, type Points } from './load/frames.ts';
import { cpuUs, Pinned } from './processes.ts';
import { alternate, median, rounded } from './rounds.ts';
import { EDGE, EDGE_PASSWORD, lamps, writeCentreFile } from './site.ts';
import { type Bench, type BenchOptions, type BenchResult, missed } from './types.ts';
import { until, untilListening } from './until.ts';

const POINTS = 1_000_000;
const POINTS_SHORT = 100_000;
const DEVICES = 2_000;
/** A centre serves many edges; four keep it busy. */
const EDGES = [EDGE, 'edge-02', 'edge-03', 'edge-04'];
const RAW_BATCH = 5_000;
const CONNECTIONS_TRIED = [1, 2, 3, 4];
const RATIO_MIN = 0.95;
const CPU_US_MAX = 1.0;
const END_TO_END_US_MAX = 30;
const WHOLE_WAY_ROUNDS_MAX = 3;

interface Measured {
  readingsPerS: number;
  /** Of the centre; of the yardstick's client for the other side. */
  cpuUsPerReading: number;
  influxCpuUsPerReading: number;
  /** Of the centre, at most. */
  memoryMb?: number;
}

/** Readings a second from uplink frames to a real InfluxDB, against prebuilt bodies into its `/write`. */
export const ingestBench: Bench = {
  name: 'ingest',
  summary: 'readings/s from uplink frames to a real InfluxDB, against raw /write',
  async run(options) {
    const { dir, short, say } = options;
    const count = short ? POINTS_SHORT : POINTS;
    const influx = await startInfluxdb({ dir });
    try {
      const raw = makePoints(EDGE, { count, perBody: RAW_BATCH, devices: DEVICES });
      const part = { count: count / EDGES.length, perBody: FRAME_LINES, devices: DEVICES / EDGES.length };
      const framed = EDGES.map((edge) => makePoints(edge, part));
      const connections = await bestConnections(influx, raw, say);
      const sides = {
        raw: () => measureRaw(influx, raw, connections),
        centre: () => measureCentre(options, influx, framed),
      };
      const { raw: yardstick, centre } = (await alternate(sides, options)) as { raw: Measured[]; centre: Measured[] };
      await influx.stop();
      return resultOf({ yardstick, centre, connections, lineBytes: raw.lineBytes, wholeWay: await measureWholeWay(options) });
    } finally {
      await influx.stop();
    }
  },
};

interface Sides {
  yardstick: readonly Measured[];
  centre: readonly Measured[];
  connections: number;
  lineBytes: number;
  wholeWay: WholeWay;
}

/** Rounds of the whole way under both loads, and of Mosquitto alone under the same. */
interface WholeWay {
  gateways: readonly EndToEnd[];
  devices: readonly EndToEnd[];
  mosquitto: { gateways: readonly number[]; devices: readonly number[] };
}

async function measureWholeWay(options: BenchOptions): Promise<WholeWay> {
  const rounds = Math.min(options.rounds, WHOLE_WAY_ROUNDS_MAX);
  const ours = { gateways: () => measureEndToEnd(options, GATEWAYS), devices: () => measureEndToEnd(options, DEVICES_LOAD) };
  const theirs = {
    mosquittoGateways: () => measureMosquitto(options, GATEWAYS),
    mosquittoDevices: () => measureMosquitto(options, DEVICES_LOAD),
  };
  const sides: Record<string, () => Promise<EndToEnd | number>> = { ...ours, ...theirs };
  const results = await alternate(sides, { ...options, rounds });
  return {
    gateways: results.gateways as EndToEnd[],
    devices: results.devices as EndToEnd[],
    mosquitto: { gateways: results.mosquittoGateways as number[], devices: results.mosquittoDevices as number[] },
  };
}

function resultOf({ yardstick, centre, connections, lineBytes, wholeWay }: Sides): BenchResult {
  const ratio = median(centre.map((m, i) => m.readingsPerS / (yardstick[i]?.readingsPerS ?? Number.NaN)));
  const cpu = median(centre.map((m) => m.cpuUsPerReading));
  const { gateways, devices, mosquitto } = wholeWay;
  const way = (rounds: readonly EndToEnd[], of: keyof EndToEnd) => rounded(median(rounds.map((r) => r[of])));
  const endToEnd = way(gateways, 'cpuUsPerReading');
  return {
    figures: {
      readingsPerS: Math.round(median(centre.map((m) => m.readingsPerS))),
      influxRawPerS: Math.round(median(yardstick.map((m) => m.readingsPerS))),
      ratio: rounded(ratio),
      ingestCpuUsPerReading: rounded(cpu),
      influxCpuUsPerReading: rounded(median(centre.map((m) => m.influxCpuUsPerReading))),
      influxRawCpuUsPerReading: rounded(median(yardstick.map((m) => m.influxCpuUsPerReading))),
      centreMemoryMb: Math.max(...centre.map((m) => m.memoryMb ?? 0)),
      endToEndCpuUsPerReading: endToEnd,
      edgeCpuUsPerReading: way(gateways, 'edgeCpuUsPerReading'),
      centreCpuUsPerReading: way(gateways, 'centreCpuUsPerReading'),
      endToEndReadingsPerS: Math.round(way(gateways, 'readingsPerS')),
      mosquittoCpuUsPerMessage: rounded(median(mosquitto.gateways)),
      manyConnectionsCpuUsPerReading: way(devices, 'cpuUsPerReading'),
      manyConnectionsMosquittoCpuUsPerMessage: rounded(median(mosquitto.devices)),
      rawConnections: connections,
      lineBytes: Math.round(lineBytes),
    },
    missed: missed({
      [`ratio below ${RATIO_MIN}`]: ratio >= RATIO_MIN,
      [`above ${CPU_US_MAX} us a reading`]: cpu <= CPU_US_MAX,
      [`the whole way not below ${END_TO_END_US_MAX} us a reading`]: endToEnd < END_TO_END_US_MAX,
    }),
  };
}

async function bestConnections(influx: ServerProcess, points: Points, say: (text: string) => void): Promise<number> {
  const part = { ...points, bodies: points.bodies.slice(0, Math.ceil(points.bodies.length / 3)) };
  part.count = part.bodies.length * RAW_BATCH;
  const speeds: number[] = [];
  for (const connections of CONNECTIONS_TRIED) {
    const { readingsPerS } = await measureRaw(influx, part, connections);
    say(`raw /write on ${connections} connections: ${Math.round(readingsPerS)} points/s`);
    speeds.push(readingsPerS);
  }
  return CONNECTIONS_TRIED[speeds.indexOf(Math.max(...speeds))] as number;
}

let databases = 0;

async function measureRaw(influx: ServerProcess, { bodies, count }: Points, connections: number): Promise<Measured> {
  const database = `raw${++databases}`;
  await query(influx.url, `CREATE DATABASE ${database}`);
  const [startedAt, cpu, ofInflux] = [performance.now(), process.cpuUsage(), await cpuUs(influx.pid)];
  await writeRaw(`${influx.url}/write?db=${database}&precision=u`, bodies, connections);
  const ms = performance.now() - startedAt;
  const { user, system } = process.cpuUsage(cpu);
  const influxCpu = (await cpuUs(influx.pid)) - ofInflux;
  await expectPoints(influx.url, `${database}.autogen`, count);
  await query(influx.url, `DROP DATABASE ${database}`);
  return {
    readingsPerS: (count * 1000) / ms,
    cpuUsPerReading: (user + system) / count,
    influxCpuUsPerReading: influxCpu / count,
  };
}

async function measureCentre({ dir: parent }: BenchOptions, influx: ServerProcess, points: readonly Points[]): Promise<Measured> {
  const dir = join(parent, 'ingest-bench');
  await mkdir(dir, { recursive: true });
  const database = `gewu${++databases}`;
  const [brokerPort, apiPort] = [await freePort(), await freePort()];
  const stores = { timeseries: { store: 'influxdb', url: influx.url, database } };
  const file = await writeCentreFile({ dir, brokerPort, apiPort, devices: lamps(1), moreEdges: EDGES.slice(1), stores });
  const centre = new Pinned({ args: ['ingest', '--config', file], logFile: join(dir, 'centre.log') });
  const senders = points.map((p, i) => {
    const edge = EDGES[i] as string;
    return new FrameSender({ edge, password: EDGE_PASSWORD, port: brokerPort, points: p });
  });
  const count = points.reduce((sum, p) => sum + p.count, 0);
  try {
    await centre.start();
    await untilListening(brokerPort);
    await Promise.all(senders.map((s) => s.connect()));
    const [startedAt, cpu, ofInflux] = [performance.now(), await centre.cpuUs(), await cpuUs(influx.pid)];
    await Promise.all(senders.map((s) => s.send()));
    const ms = performance.now() - startedAt;
    const [centreCpu, influxCpu] = [(await centre.cpuUs()) - cpu, (await cpuUs(influx.pid)) - ofInflux];
    await expectPoints(influx.url, `${database}.raw`, count);
    return {
      readingsPerS: (count * 1000) / ms,
      cpuUsPerReading: centreCpu / count,
      influxCpuUsPerReading: influxCpu / count,
      memoryMb: (await centre.memoryMb()).peak,
    };
  } finally {
    await Promise.all(senders.map((s) => s.close()));
    await centre.stop();
    await query(influx.url, `DROP DATABASE ${database}`);
    await rm(dir, { recursive: true, force: true });
  }
}

/** A figure counts only when every point is there. */
async function expectPoints(url: string, policy: string, count: number): Promise<void> {
  const [database] = policy.split('.');
  const text = await query(url, `SELECT count(seq) FROM ${policy}.streetlight`, database);
  const stored = JSON.parse(text).results[0].series?.[0].values[0][1] ?? 0;
  if (stored !== count) throw new Error(`${policy}: ${stored} points are stored, ${count} were sent`);
}

async function query(url: string, q: string, db = ''): Promise<string> {
  return until('InfluxDB', async () => {
    const response = await fetch(`${url}/query?db=${db}`, { method: 'POST', body: new URLSearchParams({ q }) });
    return response.ok ? await response.text() : null;
  });
}
