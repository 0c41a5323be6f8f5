import { connectAsync, type MqttClient } from 'mqtt';
import { type EventRecord, toEventRecord } from '#grid/mod.ts';
import { encodeFrame, type HealthRecord, type Lane, upTopic } from '#grid/wire/mod.ts';
import type { Secrets } from '#simulators/city/mod.ts';
import type { DeviceTable } from '#simulators/world/mod.ts';

const TICK_MS = 20;
/** A thing is well again after so long at the soonest. */
const LASTS_MS = 8_000;
const HEALTH_LINES = 200;

interface Told {
  device: number;
  subject: string;
  at: number;
}

/** Whole edge nodes as the centre sees them, that tell of their devices: every second event is a thing that is well again. */
export class TellingEdges {
  readonly #table: DeviceTable;
  readonly #clients: MqttClient[] = [];
  readonly #last: Record<Lane, number>[] = [];
  readonly #epoch = `bench${Date.now()}`;
  readonly #open: Told[] = [];
  #toClear = false;
  /** UTC ms at which each event was sent, by its number. */
  readonly sentAt: number[] = [];

  constructor(table: DeviceTable) {
    this.#table = table;
  }

  async start({ port, secrets }: { port: number; secrets: Secrets }): Promise<void> {
    for (const edge of this.#table.edges) {
      const login = { clientId: edge, username: edge, password: secrets.password(edge), protocolVersion: 4 } as const;
      this.#clients.push(await connectAsync(`mqtt://127.0.0.1:${port}`, login));
      this.#last.push({ events: 0, health: 0, readings: 0 });
    }
  }

  /** Each edge and device on line, but for every fiftieth device. */
  async reportHealth(): Promise<void> {
    const ts = Date.now();
    for (const [n, edge] of this.#table.edges.entries()) {
      const of = (kind: 'edge' | 'device', id: string, well: boolean): HealthRecord => ({
        ts,
        edge,
        of: kind,
        id,
        state: well ? 'online' : 'offline',
        reason: well ? 'connected' : 'silent',
        since: ts,
      });
      const records = [of('edge', edge, true)];
      for (let i = 0; i < this.#table.count; i++)
        if (this.#table.edge[i] === n) records.push(of('device', this.#table.id(i), i % 50 !== 0));
      for (let at = 0; at < records.length; at += HEALTH_LINES)
        await this.#send(n, 'health', records.slice(at, at + HEALTH_LINES));
    }
  }

  /** From now on, at a rate. */
  tell(perS: number): void {
    const from = Date.now();
    let done = 0;
    setInterval(() => {
      const due = Math.floor(((Date.now() - from) * perS) / 1000) - done;
      done += due;
      const byEdge = new Map<number, EventRecord[]>();
      for (let i = 0; i < due; i++) {
        const [edge, record] = this.#next();
        byEdge.set(edge, [...(byEdge.get(edge) ?? []), record]);
      }
      for (const [edge, records] of byEdge) void this.#send(edge, 'events', records);
    }, TICK_MS);
  }

  #next(): [edge: number, record: EventRecord] {
    const now = Date.now();
    const oldest = this.#open[0];
    this.#toClear = !this.#toClear;
    if (this.#toClear && oldest !== undefined && now - oldest.at > LASTS_MS) {
      this.#open.shift();
      return this.#record(oldest, now, true);
    }
    const number = this.sentAt.push(now) - 1;
    const told = { device: (number * 7) % this.#table.count, subject: `${this.#epoch}-${number}`, at: now };
    this.#open.push(told);
    return this.#record(told, now, false);
  }

  #record({ device, subject, at }: Told, now: number, cleared: boolean): [number, EventRecord] {
    const { id, kind, cell, component, lon, lat, edge } = this.#table.view(device);
    const data = {
      revision: cleared ? 2 : 1,
      edge: this.#table.edges[edge] ?? '',
      // A component's code names its class.
      class: { flag: 1, code: component.slice(6, 10), fault: FAULTS[kind] },
      severity: SEVERITIES[device % SEVERITIES.length] ?? 'low',
      confidence: 1,
      place: { lon, lat, errorRadiusM: 2, cell, component },
      origin: { by: 'sensor', device: id, kind, rule: 'bench', field: 'seq', value: true },
      startedAt: at,
      confirmedAt: at,
      lastSeenAt: now,
      ...(cleared ? { clearedAt: now } : {}),
      evidence: [],
    } satisfies EventRecord['data'];
    return [edge, toEventRecord(subject, cleared ? 'gewu.event.cleared' : 'gewu.event.raised', now, data)];
  }

  async #send(edge: number, lane: Lane, records: readonly object[]): Promise<void> {
    const last = this.#last[edge] as Record<Lane, number>;
    const first = last[lane] + 1;
    last[lane] += records.length;
    const name = this.#table.edges[edge] ?? '';
    const header = { edge: name, epoch: this.#epoch, lane, first, last: last[lane], count: records.length };
    const frame = encodeFrame(header, Buffer.from(records.map((r) => JSON.stringify(r)).join('\n')));
    await this.#clients[edge]?.publishAsync(upTopic(name, lane), frame, { qos: 1 });
  }
}

const SEVERITIES = ['normal', 'high', 'low', 'normal', 'critical'] as const;
/** What is wrong with a device of each kind. */
const FAULTS = { manhole_cover: 'cover_open', streetlight: 'lamp_out', fire_hydrant: 'hydrant_unauthorised_use' } as const;
