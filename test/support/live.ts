import { once } from 'node:events';
import { WebSocket } from 'ws';
import { decodePacket, encodePacket, type LivePacket } from '#grid/live/mod.ts';
import { LIVE_EDGE_PATH, LIVE_STREAM_HEADER, LIVE_VIEWER_PATH, type LiveCommand, type LiveViewers } from '#grid/wire/mod.ts';
import { EDGE, EDGE_PASSWORD, type EdgeClient, type TestCentre, tokenOf, type Who } from '../ingest/api/fixture.ts';
import { until } from './until.ts';

const wsUrl = (centre: TestCentre, path: string) => centre.centre.apiUrl.replace(/^http/, 'ws') + path;

// biome-ignore lint/suspicious/noExplicitAny: a test reads what the schema has checked
type Message = any;

/** What a viewer's browser hears. */
export class Looker {
  readonly socket: WebSocket;
  readonly messages: Message[] = [];
  readonly packets: LivePacket[] = [];
  /** Close code, once closed. */
  closed: number | null = null;

  constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('error', () => {});
    socket.on('close', (code) => {
      this.closed = code;
    });
    socket.on('message', (data: Buffer, binary) => {
      const packet = binary ? decodePacket(data) : null;
      if (packet !== null) this.packets.push(packet);
      else this.messages.push(JSON.parse(data.toString()));
    });
  }

  /** Connects, and says nothing. Rejects with the status that refused it. */
  static async connect(
    centre: TestCentre,
    headers: Record<string, string> = {},
    options: { ca?: Buffer; autoPong?: boolean } = {},
  ): Promise<Looker> {
    const socket = new WebSocket(wsUrl(centre, LIVE_VIEWER_PATH), { headers, ...options });
    const looker = new Looker(socket);
    const refused = new Promise<never>((_, reject) => {
      socket.once('unexpected-response', (_request, { statusCode }) => reject(new Error(`refused with ${statusCode}`)));
    });
    await Promise.race([once(socket, 'open'), refused]);
    return looker;
  }

  static async open(
    centre: TestCentre,
    who: Who,
    wanted: object = {},
    headers: Record<string, string> = {},
    options: Parameters<typeof Looker.connect>[2] = {},
  ): Promise<Looker> {
    const looker = await Looker.connect(centre, headers, options);
    looker.say({ type: 'open', camera: 'cam-1', view: 'masked', plays: ['h264'], token: tokenOf(who), ...wanted });
    return looker;
  }

  say(message: object): void {
    this.socket.send(JSON.stringify(message));
  }

  of(type: string): Message[] {
    return this.messages.filter((m) => m.type === type);
  }

  /** Code with which the centre ended it. */
  async ended(): Promise<string> {
    await until(() => this.closed !== null, { timeoutMs: 15_000, what: 'the end of the view' });
    return this.of('ended').at(-1)?.code;
  }

  text(): string[] {
    return this.packets.map((p) => Buffer.from(p.bytes).toString());
  }

  close(): void {
    this.socket.terminate();
  }
}

/** An edge's end of one stream, as the test wants it. */
export class DialledStream {
  readonly socket: WebSocket;
  viewers: LiveViewers['viewers'] = [];
  closed: number | null = null;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('error', () => {});
    socket.on('message', (data: Buffer) => {
      this.viewers = (JSON.parse(data.toString()) as LiveViewers).viewers;
    });
    socket.on('close', (code) => {
      this.closed = code;
    });
  }

  static async dial(
    centre: TestCentre,
    stream: string,
    { edge = EDGE, password = EDGE_PASSWORD }: { edge?: string; password?: string } = {},
  ): Promise<DialledStream> {
    const authorization = `Basic ${Buffer.from(`${edge}:${password}`).toString('base64')}`;
    const socket = new WebSocket(wsUrl(centre, LIVE_EDGE_PATH), { headers: { authorization, [LIVE_STREAM_HEADER]: stream } });
    const dialled = new DialledStream(socket);
    const refused = new Promise<never>((_, reject) => {
      socket.once('unexpected-response', (_request, { statusCode }) => reject(new Error(`refused with ${statusCode}`)));
    });
    await Promise.race([once(socket, 'open'), refused]);
    return dialled;
  }

  say(message: object): void {
    this.socket.send(JSON.stringify(message));
  }

  start(more: object = {}): void {
    const start = { type: 'start', camera: 'cam-1', view: 'masked', form: 'jpeg', widthPx: 640, heightPx: 360, zones: [] };
    this.say({ ...start, ...more });
  }

  send(content: string | Uint8Array, { kind = 'media', key = true }: Partial<LivePacket> = {}): void {
    this.socket.send(encodePacket({ kind, key, at: Date.now(), bytes: Buffer.from(content as string) }));
  }
}

/** The command that an edge got for a stream, the n-th of all. */
export async function liveCommand(edge: EdgeClient, n = 0): Promise<LiveCommand> {
  const live = () => edge.commands.filter((c) => (c as { command: string }).command === 'live') as LiveCommand[];
  const distinct = () => [...new Map(live().map((c) => [c.stream, c])).values()];
  await until(() => distinct().length > n, { timeoutMs: 10_000, what: 'the command' });
  return distinct()[n] as LiveCommand;
}

export async function rawGrant(centre: TestCentre, who: Who, { camera = 'cam-1', minutes = 5 } = {}): Promise<string> {
  const wanted = { kind: 'raw-view', subject: { of: 'camera', id: camera }, purpose: 'a car stands on the crossing', minutes };
  const { status, body } = await centre.post('/api/v1/grants', who, wanted);
  if (status !== 201) throw new Error(`${status} ${JSON.stringify(body)}`);
  return body.id;
}
