import { type EventEmitter, once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type MqttClient } from 'mqtt';
import { Compile } from 'typebox/schema';
import { CASE_ROLES, type Site, TECHNICAL_ROLES } from '#grid/mod.ts';
import { type Ack, ackTopic, downFilter, encodeFrame, type Lane, upTopic } from '#grid/wire/mod.ts';
import { type Centre, createCentre, loadIngestConfig } from '#ingest/mod.ts';
import { silentLog, systemClock } from '#service/mod.ts';
import { until } from '../../support/until.ts';
import { CELL, COVER, east, HERE } from '../cases/records.ts';

export * from '../cases/records.ts';

/** A whole centre in this process, on its embedded stores, reached over HTTP and MQTT only. */

export const EDGE = 'edge-1';
export const EDGE_PASSWORD = 'edge-1-password';
export type Who = (typeof CASE_ROLES)[number] | (typeof TECHNICAL_ROLES)[number];
export const tokenOf = (who: Who) => `token-of-the-${who}-account`;

const corner = (eastM: number, northM: number): [number, number] => [east(eastM).lon, HERE.lat + northM / 111_195];
const around = (x: number): Site['cells'][number]['polygon'] => [
  corner(x, -200),
  corner(x + 400, -200),
  corner(x + 400, 200),
  corner(x, 200),
];
const ground = [
  { x: 0.1, y: 0.9, lon: HERE.lon, lat: HERE.lat },
  { x: 0.9, y: 0.9, ...east(10) },
  { x: 0.9, y: 0.4, lon: east(10).lon, lat: HERE.lat + 0.0002 },
  { x: 0.1, y: 0.4, lon: HERE.lon, lat: HERE.lat + 0.0002 },
];

/** A zone that a camera of any site may have. */
export const ZONE = {
  id: 'z-1',
  polygon: [
    [0.2, 0.5],
    [0.8, 0.5],
    [0.8, 0.9],
    [0.2, 0.9],
  ],
  rules: [
    {
      ...{ id: 'stalls', detects: 'stall', raises: { event: '0501' }, severity: 'normal' },
      ...{ dwellS: 60, clearS: 60, confidenceMin: 0.5, stationaryM: 2 },
    },
  ],
};

/** Two unit grids side by side, two manhole covers in the first, a lamp in the second, a camera. */
export const SITE = {
  cells: [
    { code: CELL, polygon: around(-200) },
    { code: '210283001001018', polygon: around(200) },
  ],
  devices: [
    { id: 'mh-1', kind: 'manhole_cover', secret: 'secret-of-mh-1', component: COVER, ...HERE },
    { id: 'mh-2', kind: 'manhole_cover', secret: 'secret-of-mh-2', component: '2102830102000002', ...east(30) },
    { id: 'sl-1', kind: 'streetlight', secret: 'secret-of-sl-1', component: '2102830120000001', ...east(300) },
  ],
  cameras: [
    {
      id: 'cam-1',
      url: 'rtsp://192.0.2.1/1',
      ...east(5),
      simulated: true,
      firmware: 'V5.7.3',
      calibration: { points: ground },
      zones: [],
    },
  ],
};

/** What stands in the configuration file; sections are replaced whole. */
export function fileOf(sections: object = {}): object {
  const people = [...TECHNICAL_ROLES, ...CASE_ROLES].map((role) => ({
    name: `the-${role}`,
    token: tokenOf(role),
    roles: [role],
    ...(role === 'department' ? { department: 'roads' } : {}),
  }));
  return {
    version: 1,
    centre: { dataDir: 'data' },
    api: { port: 0, tokens: people },
    broker: { embedded: { port: 0 } },
    edges: [
      { id: EDGE, password: EDGE_PASSWORD, site: SITE },
      { id: 'edge-2', password: 'edge-2-password' },
    ],
    ...sections,
  };
}

export interface Answer {
  status: number;
  headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: a test reads what the schema has checked
  body: any;
}

export class TestCentre {
  readonly centre: Centre;
  readonly dir: string;
  #document: Document | null = null;

  private constructor(centre: Centre, dir: string) {
    this.centre = centre;
    this.dir = dir;
  }

  static async start(sections: object = {}, dirGiven?: string): Promise<TestCentre> {
    const dir = dirGiven ?? (await mkdtemp(join(tmpdir(), 'gewu-test-')));
    const file = join(dir, 'ingest.yaml');
    await writeFile(file, JSON.stringify(fileOf(sections)));
    const centre = createCentre({ config: await loadIngestConfig(file), log: silentLog, clock: systemClock });
    await centre.start();
    return new TestCentre(centre, dir);
  }

  async stop({ keep = false } = {}): Promise<void> {
    await this.centre.stop();
    if (!keep) await rm(this.dir, { recursive: true, force: true });
  }

  raw(path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(this.centre.apiUrl + path, init);
  }

  /** One call; the answer must be what the OpenAPI document says of this route and status. */
  async call(who: Who | null, method: string, path: string, body?: unknown): Promise<Answer> {
    const headers: Record<string, string> = who === null ? {} : { authorization: `Bearer ${tokenOf(who)}` };
    if (body !== undefined) headers['content-type'] = 'application/json';
    const response = await this.raw(path, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
    const text = await response.text();
    const answer = text === '' ? null : JSON.parse(text);
    const fault = mismatch(await this.document(), method, path, response.status, answer);
    if (fault !== null) throw new Error(`${method} ${path} ${response.status}: ${fault}\n${text.slice(0, 2000)}`);
    return { status: response.status, headers: response.headers, body: answer };
  }

  get(path: string, who: Who = 'viewer'): Promise<Answer> {
    return this.call(who, 'GET', path);
  }

  post(path: string, who: Who, body?: unknown): Promise<Answer> {
    return this.call(who, 'POST', path, body);
  }

  async document(): Promise<Document> {
    this.#document ??= (await (
      await this.raw('/docs/json', { headers: { authorization: `Bearer ${tokenOf('viewer')}` } })
    ).json()) as Document;
    return this.#document;
  }

  edge(options: { username?: string; password?: string } = {}): Promise<EdgeClient> {
    return EdgeClient.connect(this.centre.brokerPort ?? 0, options);
  }
}

interface Operation {
  summary?: string;
  responses: Record<string, { content?: Record<string, { schema: object }> }>;
}
export interface Document {
  paths: Record<string, Record<string, Operation>>;
}

const compiled = new WeakMap<
  object,
  { Check(value: unknown): boolean; Errors(value: unknown): [boolean, { instancePath: string; message: string }[]] }
>();

/** Why an answer is not what the document promises, or null. What is not documented at all is a 404 in our form. */
function mismatch({ paths }: Document, method: string, path: string, status: number, body: unknown): string | null {
  const pathname = path.split('?')[0] ?? '';
  const template = Object.keys(paths)
    .sort((a, b) => a.split('{').length - b.split('{').length)
    .find((t) => new RegExp(`^${t.replaceAll(/\{[^}]+\}/g, '[^/]+')}$`).test(pathname));
  const operation = template === undefined ? undefined : paths[template]?.[method.toLowerCase()];
  if (operation === undefined)
    return status === 404 && typeof (body as Answer['body'])?.error?.code === 'string' ? null : 'undocumented';
  const response = operation.responses[status] ?? operation.responses[`${String(status)[0]}XX`];
  if (response === undefined) return 'this status is not documented';
  const schema = Object.values(response.content ?? {})[0]?.schema;
  if (schema === undefined) return body === null ? null : 'a body where none is documented';
  let check = compiled.get(schema);
  if (check === undefined) {
    check = Compile(schema as never) as never as NonNullable<typeof check>;
    compiled.set(schema, check);
  }
  if (check.Check(body)) return null;
  return JSON.stringify(check.Errors(body)[1]?.slice(0, 3));
}

/** An edge as the broker sees it: a raw MQTT client. */
export class EdgeClient {
  readonly mqtt: MqttClient;
  readonly acks: Ack[] = [];
  readonly commands: object[] = [];
  #sequence = 1;

  private constructor(mqtt: MqttClient) {
    this.mqtt = mqtt;
    mqtt.on('message', (topic, payload) => {
      const message = JSON.parse(payload.toString());
      if (topic === ackTopic(EDGE)) this.acks.push(message);
      else this.commands.push(message);
    });
  }

  /** Rejects when the broker refuses it. */
  static async connect(port: number, { username = EDGE, password = EDGE_PASSWORD }): Promise<EdgeClient> {
    const mqtt = connect(`mqtt://127.0.0.1:${port}`, {
      clientId: username,
      username,
      password,
      reconnectPeriod: 0,
      protocolVersion: 4,
    });
    const client = mqtt as unknown as EventEmitter;
    const refused = Promise.race([once(client, 'error').then(([e]) => e), once(client, 'close').then(() => new Error('closed'))]);
    const fault = await Promise.race([once(client, 'connect').then(() => null), refused]);
    if (fault !== null) {
      mqtt.end(true);
      throw fault;
    }
    await mqtt.subscribeAsync(downFilter(username), { qos: 1 });
    return new EdgeClient(mqtt);
  }

  /** Publishes one frame and waits for its ack; like an edge it sends the frame again when none comes. */
  async send(lane: Lane, records: readonly (string | object)[], { timeoutMs = 10_000, resendMs = 1_000 } = {}): Promise<void> {
    const first = this.#sequence;
    this.#sequence += records.length;
    const last = this.#sequence - 1;
    const body = records.map((r) => (typeof r === 'string' ? r : JSON.stringify(r))).join('\n');
    const header = { edge: EDGE, epoch: 'epoch-1', lane, first, last, count: records.length };
    const frame = encodeFrame(header, Buffer.from(`${body}\n`));
    const publish = () => this.mqtt.publish(upTopic(EDGE, lane), frame, { qos: 1 });
    const timer = setInterval(publish, resendMs);
    try {
      publish();
      await until(() => this.acks.some((a) => a.first === first), { timeoutMs, everyMs: 5, what: `the ack of ${lane} ${first}` });
    } finally {
      clearInterval(timer);
    }
  }

  async close(): Promise<void> {
    await this.mqtt.endAsync(true);
  }
}
