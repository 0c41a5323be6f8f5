import { Registry } from 'prom-client';
import { type Ack, type EventRecord, encodeFrame, type HealthLine, type Lane, upTopic } from '#grid/wire/mod.ts';
import { createIntake, type FrameReceiver, type IntakeLimits, type IntakePort } from '#ingest/intake/mod.ts';
import type { ReadingsBlock } from '#ingest/lines/mod.ts';
import { ACCEPTED, type DeadLetter, type LineRefusal, type Verdict } from '#ingest/ports.ts';
import { type Metrics, type Service, silentLog, systemClock } from '#service/mod.ts';

/** A port without a broker: frames are handed in, acks are collected. */
export class DirectPort implements IntakePort {
  readonly acks: { edge: string; ack: Ack }[] = [];
  receive: FrameReceiver = () => undefined;
  onFrame(receive: FrameReceiver): void {
    this.receive = receive;
  }
  async start(): Promise<void> {}
  async stop(): Promise<void> {}
  ready(): boolean {
    return true;
  }
  ack(edge: string, ack: Ack): void {
    this.acks.push({ edge, ack });
  }
  send(): void {}
  notify(): void {}
}

/** Keeps what it is given; can be made to fail, to refuse, or to wait. */
export class Sink<T> {
  readonly records: T[] = [];
  calls = 0;
  failing: Error | null = null;
  gate: Promise<void> | null = null;
  refuse: (record: T) => string | null = () => null;

  async accept(records: readonly T[]): Promise<Verdict[]> {
    this.calls++;
    await this.gate;
    if (this.failing) throw this.failing;
    return records.map((record) => {
      const reason = this.refuse(record);
      if (reason !== null) return { ok: false, code: 'GEWU_STORE_REJECTED', reason };
      this.records.push(record);
      return ACCEPTED;
    });
  }
}

export class Letters {
  /** By id, as the real store keeps them. */
  readonly byId = new Map<string, DeadLetter>();
  failing: Error | null = null;
  async put(letters: readonly DeadLetter[]): Promise<void> {
    if (this.failing) throw this.failing;
    for (const letter of letters) this.byId.set(letter.id, letter);
  }
  get all(): DeadLetter[] {
    return [...this.byId.values()];
  }
}

export interface Bench {
  intake: Service;
  readings: Sink<string>;
  events: Sink<EventRecord>;
  health: Sink<HealthLine>;
  letters: Letters;
  metrics: Metrics;
}

/** An intake on `port` with sinks that remember. */
export function intakeOn(port: IntakePort, limits: Partial<IntakeLimits> = {}): Bench {
  const readings = new Sink<string>();
  const events = new Sink<EventRecord>();
  const health = new Sink<HealthLine>();
  const letters = new Letters();
  const metrics = new Registry();
  const intake = createIntake({
    port,
    readings: { write: (blocks) => writeTo(readings, blocks) },
    events,
    health,
    deadLetters: letters,
    clock: systemClock,
    log: silentLog,
    metrics,
    limits: { readingsLingerMs: 1, pauseMsMin: 5, pauseMsMax: 20, drainMsMax: 50, ...limits },
  });
  return { intake, readings, events, health, letters, metrics };
}

async function writeTo(sink: Sink<string>, blocks: readonly ReadingsBlock[]): Promise<LineRefusal[][]> {
  const lines = blocks.flatMap((block, b) => block.lines().map((l) => ({ ...l, block: b })));
  const verdicts = await sink.accept(lines.map((l) => l.line));
  const refusals: LineRefusal[][] = blocks.map(() => []);
  for (const [i, { block, index, line }] of lines.entries()) {
    const verdict = verdicts[i];
    if (verdict && !verdict.ok) refusals[block]?.push({ index, line, code: verdict.code, reason: verdict.reason });
  }
  return refusals;
}

export interface FrameSpec {
  edge?: string;
  lane?: Lane;
  epoch?: string;
  first?: number;
  count?: number;
}

/** Topic and wire bytes of a frame of these lines. */
export function frame(
  lines: readonly string[],
  { edge = 'edge-01', lane = 'readings', epoch = 'e1', first = 1, count }: FrameSpec = {},
) {
  const header = {
    edge,
    epoch,
    lane,
    first,
    last: first + Math.max(1, lines.length) - 1,
    count: count ?? Math.max(1, lines.length),
  };
  return {
    topic: upTopic(edge, lane),
    payload: encodeFrame(header, Buffer.from(lines.join('\n'))),
    ack: { epoch, lane, first: header.first, last: header.last },
  };
}

export function readingLine(n: number, { edge = 'edge-01', device = 'mc-1', ts = Date.now() - 60_000 + n } = {}): string {
  return `manhole_cover,cell=110101001001017,device=${device},edge=${edge} tilt_deg=2.5,opened=false,seq=${n} ${ts}000`;
}

export function event(subject: string, { edge = 'edge-01', revision = 1 } = {}): EventRecord {
  const now = Date.now();
  return {
    specversion: '1.0',
    id: `${subject}.${revision}`,
    source: `/edges/${edge}`,
    type: 'gewu.event.raised',
    time: new Date(now).toISOString(),
    subject,
    datacontenttype: 'application/json',
    data: {
      revision,
      edge,
      class: { flag: 2, code: '0501' },
      severity: 'normal',
      confidence: 0.9,
      place: { lon: 116.4, lat: 39.9, errorRadiusM: 3, cell: '110101001001017' },
      origin: { by: 'sensor', device: 'mc-1', kind: 'manhole_cover', rule: 'r', field: 'tilt_deg', value: 12 },
      startedAt: now - 2000,
      confirmedAt: now - 1000,
      lastSeenAt: now,
      evidence: [],
    },
  };
}

export function healthLine(id: string, { edge = 'edge-01' } = {}): HealthLine {
  return { ts: Date.now(), edge, of: 'device', id, state: 'online', reason: 'connected', since: Date.now() - 5 };
}

/** The value of a counter with these labels. */
export async function metric(metrics: Metrics, name: string, labels: Record<string, string>): Promise<number> {
  const values = (await metrics.getSingleMetric(name)?.get())?.values ?? [];
  return values
    .filter((v) => Object.entries(labels).every(([k, want]) => v.labels[k] === want))
    .reduce((sum, v) => sum + v.value, 0);
}
